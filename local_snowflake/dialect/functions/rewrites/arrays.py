"""Functions of arrays.

What fakesnow lacks: an ARRAY is JSON in a table and a list of DuckDB's in an expression, and
sqlglot's translations expect lists. Of a column they are refused, or take the JSON for a text:
ARRAY_SLICE cuts characters. A result is a list, whose text is not JSON.

The arguments that are arrays become lists of JSON values, those that are elements JSON values, and
a list that is the result JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import Expr, exp

from local_snowflake.sql.macros import macro_call
from local_snowflake.sql.trees import replace_node

_VARIANT = {exp.DataType.Type.VARIANT}


@dataclass(frozen=True)
class ArrayFunction:
    """The kinds of a function's arguments.

    Attributes:
        arrays: The arguments that are arrays, or lists of arrays, by sqlglot's names.
        elements: The arguments that are elements.
        returns_array: Whether the result is an array.
    """

    arrays: tuple[str, ...] = ("this",)
    elements: tuple[str, ...] = ()
    returns_array: bool = True


ARRAY_FUNCTIONS: dict[type[Expr], ArrayFunction] = {
    exp.ArrayAppend: ArrayFunction(elements=("expression",)),
    exp.ArrayCompact: ArrayFunction(),
    exp.ArrayConcat: ArrayFunction(arrays=("this", "expressions")),
    exp.ArrayContains: ArrayFunction(elements=("expression",), returns_array=False),
    exp.ArrayDistinct: ArrayFunction(),
    exp.ArrayExcept: ArrayFunction(arrays=("this", "expression")),
    exp.ArrayInsert: ArrayFunction(elements=("expression",)),
    exp.ArrayIntersect: ArrayFunction(arrays=("expressions",)),
    exp.ArrayOverlaps: ArrayFunction(arrays=("this", "expression"), returns_array=False),
    exp.ArrayPosition: ArrayFunction(elements=("expression",), returns_array=False),
    exp.ArrayPrepend: ArrayFunction(elements=("expression",)),
    exp.ArrayRemove: ArrayFunction(elements=("expression",)),
    exp.ArrayRemoveAt: ArrayFunction(),
    exp.ArrayReverse: ArrayFunction(),
    exp.ArraySlice: ArrayFunction(),
    exp.ArraysZip: ArrayFunction(arrays=("expressions",)),
}


def take_json_arrays(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Give functions of arrays lists of JSON values."""
    for node in reversed(list(expression.find_all(*ARRAY_FUNCTIONS))):
        kinds = ARRAY_FUNCTIONS[type(node)]
        for name in kinds.arrays:
            _change(node, name, lambda array: macro_call("as_list", array))
        for name in kinds.elements:
            _change(node, name, lambda element: exp.func("to_json", element))
        if kinds.returns_array:
            expression = replace_node(expression, node, exp.func("to_json", node.copy()))
    return expression


def construct_json(expression: Expr, session: object) -> Expr:  # noqa: ARG001 - a rewrite's signature
    """Make JSON of ARRAY_CONSTRUCT and `[…]`, whose elements differ in type, and of `::VARIANT`."""
    for node in reversed(list(expression.find_all(exp.Array, exp.Cast))):
        if isinstance(node, exp.Array):
            made: Expr = exp.func("json_array", *(item.copy() for item in node.expressions))
        elif node.args["to"].this in _VARIANT and not node.find(exp.Placeholder):
            made = exp.func("to_json", node.this.copy())
        else:
            continue
        expression = replace_node(expression, node, made)
    return expression


def _change(node: Expr, name: str, change: Callable[[Expr], Expr]) -> None:
    value = node.args[name]
    if isinstance(value, list):
        node.set(name, [change(item.copy()) for item in value])
    else:
        node.set(name, change(value.copy()))
