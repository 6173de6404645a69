"""Functions whose annotations Dagster cannot read, because they are text.

`from __future__ import annotations` makes text of every annotation of a file. Of a resource's
parameter Dagster 1.13 makes a class of it again. For `context` it says that the annotation must be
`AssetExecutionContext`, which it is, and for `config` that the class is not a config, which it is.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from pathlib import Path

from factories.core.yaml.problems import Problem

# Dagster reads these parameters' annotations as they are; sensors' and schedules' it does not.
PARAMETERS = frozenset({"context", "config"})
DECORATORS = frozenset(
    {
        "asset",
        "asset_check",
        "dbt_assets",
        "definitions",
        "dlt_assets",
        "multi_asset",
        "multi_asset_check",
        "multi_observable_source_asset",
        "observable_source_asset",
        "op",
        "sling_assets",
    }
)


def postponed_annotation_problems(path: Path, name: str, failed_at: int) -> Iterator[Problem]:
    """Yield the annotations of a file that Dagster cannot read.

    Args:
        path: The file, whose import has failed.
        name: The file, as the user knows it.
        failed_at: The line at which Dagster has refused a function.
    """
    with tokenize.open(path) as file:
        tree = ast.parse(file.read())
    line = _future_line(tree)
    if line is None:
        return
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not (_decorators(function) & DECORATORS or failed_at in _head(function)):
            continue
        for argument in (*function.args.posonlyargs, *function.args.args):
            if argument.arg in PARAMETERS and argument.annotation is not None:
                yield Problem(
                    name,
                    argument.lineno,
                    argument.col_offset + 1,
                    f"the annotation of {argument.arg!r} is text to Dagster, because line {line}"
                    " says `from __future__ import annotations`: remove that line",
                )


def _future_line(tree: ast.Module) -> int | None:
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            names = {alias.name for alias in statement.names}
            return statement.lineno if "annotations" in names else None
    return None


def _head(function: ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    """Return the lines of a function's decorators and of its `def`."""
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return range(first, function.lineno + 1)


def _decorators(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the last names of a function's decorators: `asset` of `@dg.asset(…)`."""
    names = set()
    for decorator in function.decorator_list:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add(node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", ""))
    return names
