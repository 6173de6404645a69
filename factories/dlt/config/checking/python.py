"""A `python` source: a function of the user's that returns a dlt source or resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from factories.core.python_refs.references import (
    FunctionError,
    argument_problems,
    find_function,
    locate_function_error,
)
from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable, literal_secret

# How dlt marks a secret among a function's parameters: a default, or a type.
SECRET_DEFAULT = "secrets.value"  # noqa: S105 - the name of dlt's marker
SECRET_TYPES = ("TSecretStrValue", "TSecretValue")


def python_problems(source: Mapping[str, Any], place: Place, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with `python` and, beside it, `args`.

    Args:
        source: The value of `source`.
        place: Where it stands.
        folder: The pipelines' folder, where modules are looked for first.
    """
    text, at = source["python"], place["python"]
    arguments = source.get("args") or {}
    if not isinstance(arguments, Mapping):
        yield place["args"].problem(f"args: must be a mapping, not {format_value(arguments)}")
        arguments = None
    if not isinstance(text, str):
        yield at.problem(
            f"python: must be text of the form module:function, not {format_value(text)}"
        )
        return
    if has_variable(text):
        message = "python: must be written here: a ${VAR} is known only when something runs"
        yield at.problem(message)
        return
    try:
        function = find_function(text, folder)
    except FunctionError as error:
        yield locate_function_error(place.file, at.path, error)
        return
    if arguments is None:
        return
    yield from argument_problems(
        place.file, at.path, function, arguments=arguments, arguments_at=place["args"].path
    )
    for parameter in function.parameters or ():
        secret = parameter.default.endswith(SECRET_DEFAULT) or any(
            name in parameter.annotation for name in SECRET_TYPES
        )
        if secret and parameter.name in arguments:
            yield from literal_secret(arguments[parameter.name], place["args"][parameter.name])
