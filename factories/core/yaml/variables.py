"""`${VAR}` in YAML: replaced by environment variables when a step runs, never while loading."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from factories.core.errors import StepStartError
from factories.core.local_systems import call_entry_point
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
NAME = re.compile(r"[A-Za-z_]\w*")
# Likely misspelt variables: `$NAME` as the whole text, `${NAME` without its closing brace.
UNFINISHED = re.compile(r"^\$([A-Z_][A-Z0-9_]*)$|\$\{([A-Za-z_]\w*)[^{}]*$")
PROVIDERS = "dp.local_variables"


class UndefinedVariableError(StepStartError):
    """A `${VAR}` has no value in this process's environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not defined")


@cache
def local_providers() -> Mapping[str, EntryPoint]:
    """Return the entry points of local systems that provide a variable, by the variable's name.

    A local system declares itself under the entry point group `dp.local_variables`; the function
    it names starts the system and returns the value. Only the `local` target uses them.
    """
    return {point.name: point for point in entry_points(group=PROVIDERS)}


def target(environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the target that this process works against: `local` when none is set."""
    return environ.get("DP_TARGET") or "local"


def is_defined(name: str) -> bool:
    """Tell whether `${name}` will have a value at run time, without starting a local system."""
    return name in os.environ or (target() == "local" and name in local_providers())


def value(name: str) -> str:
    """Return the value of one variable; on the `local` target this may start a local system.

    Raises:
        UndefinedVariableError: When neither the environment nor a local system has it.
    """
    if name in os.environ:
        return os.environ[name]
    if target() == "local" and name in local_providers():
        return str(call_entry_point(local_providers()[name]))
    raise UndefinedVariableError(name)


def running_value(name: str) -> str:
    """Return the value of one variable; empty where the local system that has it does not run.

    Raises:
        UndefinedVariableError: When neither the environment nor a local system has it.
    """
    if name in os.environ or target() != "local" or name not in local_providers():
        return value(name)
    return str(call_entry_point(local_providers()[name], start=False))


def names(node: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path and the name of every `${VAR}` in plain YAML values."""
    if isinstance(node, str):
        if "${" in node:
            for match in VARIABLE.finditer(node):
                yield (), match.group(1)
    elif isinstance(node, dict):
        for key, child in node.items():
            for path, name in names(child):
                yield (key, *path), name
    elif isinstance(node, list):
        for index, child in enumerate(node):
            for path, name in names(child):
                yield (index, *path), name


def find_intended_variable(text: object) -> str | None:
    """Return the `${NAME}` that a text probably tried to write, or None."""
    match = UNFINISHED.search(text) if isinstance(text, str) else None
    return f"${{{match[1] or match[2]}}}" if match else None


def _unfinished(node: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of every text that probably tried to write a variable, and that variable."""
    if isinstance(node, str) and "$" in node:
        if (variable := find_intended_variable(node)) is not None:
            yield (), variable
    elif isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            for path, variable in _unfinished(child):
                yield (key, *path), variable


def check(file: YamlFile, node: Any, at: KeyPath, problems: list[Problem]) -> None:
    """Report every `${VAR}` below `node` that will have no value, or is not written as one."""
    for path, variable in _unfinished(node):
        problems.append(file.problem([*at, *path], f"a variable is written {variable}"))
    for path, name in names(node):
        if not NAME.fullmatch(name):
            plain = NAME.match(name)
            hint = f": write ${{{plain[0]}}}, a default is not supported" if plain else ""
            message = f"${{{name}}} is not the name of a variable{hint}"
            problems.append(file.problem([*at, *path], message))
        elif not is_defined(name):
            known = [*os.environ, *(local_providers() if target() == "local" else ())]
            problems.append(
                file.problem(
                    [*at, *path],
                    f"${{{name}}} is not defined in the environment",
                    nearest=nearest(name, known),
                    variable=name,
                )
            )


def interpolate(node: Any, values: dict[str, str] | None = None) -> Any:
    """Return a copy of plain YAML values with every `${VAR}` replaced.

    Args:
        node: Strings, numbers, lists and mappings.
        values: Receives each variable's value, so that the caller can mask it in logs.

    Raises:
        UndefinedVariableError: When a variable has no value.
    """
    seen: dict[str, str] = {} if values is None else values

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in seen:
            seen[name] = value(name)
        return seen[name]

    if isinstance(node, str):
        return VARIABLE.sub(replace, node) if "${" in node else node
    if isinstance(node, dict):
        return {key: interpolate(child, seen) for key, child in node.items()}
    if isinstance(node, list):
        return [interpolate(child, seen) for child in node]
    return node
