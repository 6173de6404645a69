"""Reads the names and functions of a Python module from its text, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Decorators that keep a function's parameters. What other decorators do is unknown.
TRANSPARENT = frozenset({"source", "resource", "defer", "cache", "lru_cache"})


@dataclass(frozen=True)
class Parameter:
    """One parameter that can be given by name.

    Attributes:
        name: Its name.
        required: Whether a call must give it.
        annotation: Its annotation as it is written; empty when there is none.
        default: Its default as it is written; empty when there is none.
    """

    name: str
    required: bool
    annotation: str = ""
    default: str = ""


class ModuleNames:
    """The names that a module's top level binds.

    Attributes:
        found: Every name, with the line where it was bound last.
        functions: The definitions of those that are functions, whichever branch is taken.
        is_open: Whether names can appear that no statement shows: `import *`, `__getattr__`.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.found: dict[str, int] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.is_open = False
        self._read(tree.body, conditional=False)
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                for name in node.names:
                    self.found.setdefault(name, node.lineno)
            self.is_open |= isinstance(node, ast.Name) and node.id == "globals"

    def _read(self, body: Iterable[ast.stmt], *, conditional: bool) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._define(statement, conditional=conditional)
            elif isinstance(statement, ast.ClassDef):
                self._bind(statement.name, statement.lineno)
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                for alias in statement.names:
                    self.is_open |= alias.name == "*"
                    self._bind((alias.asname or alias.name).split(".")[0], statement.lineno)
            else:
                for node in _outside_functions(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        self._bind(node.id, node.lineno)
                self._read(_nested(statement), conditional=True)

    def _define(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, *, conditional: bool
    ) -> None:
        self.is_open |= function.name == "__getattr__"
        again = function.name in self.found
        self._bind(function.name, function.lineno)
        if not (conditional and again):  # which definition applies is only known when it runs
            self.functions[function.name] = function

    def _bind(self, name: str, line: int) -> None:
        self.found[name] = line
        self.functions.pop(name, None)


def _nested(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements of a compound statement's branches, in order."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from child.body


def _outside_functions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the expressions of one statement, without its nested statements."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr | ast.withitem | ast.pattern):
            yield from ast.walk(child)


def is_transparent(decorator: ast.expr) -> bool:
    """Tell whether a decorated function still has the parameters that it is written with."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return name in TRANSPARENT


def parameters(arguments: ast.arguments) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    """Return the parameters that can be given by name, and the required ones that cannot."""
    ordered = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(ordered) - len(arguments.defaults))
    defaults += arguments.defaults
    pairs = list(zip(ordered, defaults, strict=True))
    positional = pairs[: len(arguments.posonlyargs)]
    by_name = pairs[len(arguments.posonlyargs) :]
    by_name += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return (
        tuple(
            Parameter(
                argument.arg,
                default is None,
                ast.unparse(argument.annotation) if argument.annotation else "",
                ast.unparse(default) if default else "",
            )
            for argument, default in by_name
        ),
        tuple(argument.arg for argument, default in positional if default is None),
    )


@dataclass(frozen=True)
class CallShape:
    """How a function can be called by position.

    Attributes:
        fewest: The number of required positional arguments.
        most: The number of accepted positional arguments; None for any number.
        by_name_only: Required arguments that can only be given by name.
    """

    fewest: int
    most: int | None
    by_name_only: tuple[str, ...] = ()


def call_shape(arguments: ast.arguments) -> CallShape:
    """Return how a function with these parameters can be called by position."""
    ordered = [*arguments.posonlyargs, *arguments.args]
    names = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return CallShape(
        len(ordered) - len(arguments.defaults),
        None if arguments.vararg else len(ordered),
        tuple(argument.arg for argument, default in names if default is None),
    )
