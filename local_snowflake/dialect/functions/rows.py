"""The rows of the three tables of functions: translated, rewritten, refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlglot import Expr, exp, parse_one

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.macros import CATALOG, SCHEMA

Rewrite = Callable[[Expr, StatementContext], Expr]
_MACRO = "macro."


def _always(_node: Expr) -> bool:
    return True


@dataclass(frozen=True)
class Translated:
    """A function that is one expression in DuckDB.

    Attributes:
        call: The function and its arguments, as Snowflake's documentation names them.
        node: How sqlglot parses it: a class, or the name of a function that it does not know.
        duckdb: DuckDB's expression. `:this` is an argument by sqlglot's name, `:a1` the first of a
            function that sqlglot does not know, `:all` all of them, `:call` the function as sqlglot
            writes it; `macro.…` is a macro of `macros.sql`.
        note: What differs from Snowflake, or why DuckDB's function of that name will not do.
        when: Whether a call is meant.
    """

    call: str
    node: type[Expr] | str
    duckdb: str
    note: str = ""
    when: Callable[[Expr], bool] = _always

    def applied_to(self, node: Expr) -> Expr:
        """Build DuckDB's expression with the arguments of a call."""
        # In parentheses, so that each placeholder has a parent.
        template = exp.paren(_parsed(self.duckdb))
        arguments = _arguments(node)
        for placeholder in list(template.find_all(exp.Placeholder)):
            argument = arguments.get(placeholder.name, exp.null())
            placeholder.replace(
                [item.copy() for item in argument]
                if isinstance(argument, list)
                else argument.copy()
            )
        return template


@dataclass(frozen=True)
class Rewritten:
    """Functions whose calls, or arguments, code changes.

    Attributes:
        functions: Their names, as in Snowflake's documentation.
        because: What would be wrong without it.
        before: Changes Snowflake's syntax tree, before fakesnow translates it.
        after: Changes DuckDB's syntax tree, which fakesnow made.
        note: What differs from Snowflake still.
    """

    functions: str
    because: str
    before: Rewrite | None = None
    after: Rewrite | None = None
    note: str = ""


@dataclass(frozen=True)
class Refused:
    """Calls that would give another result than in Snowflake, without an error.

    Attributes:
        call: What is refused, as the error names it.
        node: How sqlglot parses it: a class, or the name of a function that it does not know.
        because: The end of a sentence: the reason, and what to write in its place if anything.
        when: Whether a call is meant.
    """

    call: str
    node: type[Expr] | str
    because: str
    when: Callable[[Expr], bool] = _always


def is_call(node: Expr, row: Translated | Refused) -> bool:
    """Whether a node of Snowflake's syntax tree is a call that a row is about."""
    if isinstance(row.node, str):
        named = isinstance(node, exp.Anonymous) and node.name.upper() == row.node
    else:
        named = type(node) is row.node
    return named and row.when(node)


@cache
def _parsed(duckdb: str) -> Expr:
    return parse_one(duckdb.replace(_MACRO, f"{CATALOG}.{SCHEMA}."), read="duckdb")


def _arguments(node: Expr) -> dict[str, Any]:
    arguments: dict[str, Any] = {"call": node, "all": node.expressions}
    if isinstance(node, exp.Anonymous):
        return arguments | {f"a{i}": item for i, item in enumerate(node.expressions, 1)}
    return arguments | {name: value for name, value in node.args.items() if value is not None}
