"""Turns pydantic's validation errors into problems with a file, line and column."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from factories.core.yaml.model_fields import elsewhere_at, example_at, homes_of, keys_at
from factories.core.yaml.problems import Problem, nearest

TYPE_NAMES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "literal_error": "text",  # where the value is not text
    "float_type": "a number",
    "float_parsing": "a number",
}


class HasPosition(Protocol):
    """Knows the file, line and column of each value of one model."""

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at the place where `path` was written."""
        ...


def validation_problems(
    model: type[BaseModel], data: Any, error: ValidationError, places: HasPosition
) -> Iterator[Problem]:
    """Yield every mistake that pydantic found.

    Args:
        model: The model of the data.
        data: The plain YAML values.
        error: Pydantic's own error.
        places: Where they were written.
    """
    by_path: dict[tuple[str | int, ...], list[dict[str, Any]]] = defaultdict(list)
    for mistake in error.errors(include_url=False):
        by_path[tuple(_in_data(mistake["loc"], data, mistake["type"]))].append(dict(mistake))
    intended_keys = {
        (*path[:-1], _nearest_key(model, path))
        for path, mistakes in by_path.items()
        if any(mistake["type"] == "extra_forbidden" for mistake in mistakes)
    }
    for path, mistakes in by_path.items():
        if path in intended_keys and all(mistake["type"] == "missing" for mistake in mistakes):
            continue  # reported with the misspelt key
        relevant = [m for m in mistakes if not _of_another_member(m, path, by_path)]
        yield from _problems(model, data, path, relevant, places)


def invalid_paths(error: ValidationError, data: Any) -> list[tuple[str | int, ...]]:
    """Return the paths of the mistakes, in the keys that the user wrote."""
    return [tuple(_in_data(e["loc"], data, e["type"])) for e in error.errors()]


def _of_another_member(
    mistake: dict[str, Any],
    path: tuple[str | int, ...],
    by_path: Mapping[tuple[str | int, ...], Sequence[dict[str, Any]]],
) -> bool:
    """Tell whether a mistake concerns a member of a union that the user did not intend.

    Pydantic reports every member of a union that does not fit. A user who wrote a mapping with a
    mistake in it did not intend text; one who wrote an unknown word did not intend a mapping.
    """
    if isinstance(mistake["input"], dict):
        return _is_type_error(mistake) and any(
            len(other) > len(path) and other[: len(path)] == path for other in by_path
        )
    return _is_type_error(mistake) and not all(_is_type_error(other) for other in by_path[path])


def _is_type_error(mistake: dict[str, Any]) -> bool:
    is_word = mistake["type"] == "literal_error" and isinstance(mistake["input"], str)
    return mistake["type"] in TYPE_NAMES and not is_word


def _in_data(loc: Sequence[str | int], data: Any, kind: str) -> Iterator[str | int]:
    """Yield the keys that the user wrote, without the names of union members that pydantic adds."""
    missing = loc[-1] if kind == "missing" else None
    for step in loc[:-1] if missing is not None else loc:
        in_list = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if in_list or (isinstance(data, dict) and step in data):
            data = data[step]
            yield step
    if missing is not None:
        yield missing


def _problems(
    model: type[BaseModel],
    data: Any,
    path: tuple[str | int, ...],
    mistakes: Sequence[dict[str, Any]],
    places: HasPosition,
) -> Iterator[Problem]:
    """Yield the problems at one path; the members of a union make one together."""
    expected = list(dict.fromkeys(TYPE_NAMES[m["type"]] for m in mistakes if _is_type_error(m)))
    if "a number" in expected:
        expected = [kind for kind in expected if kind != "a whole number"]
    if expected:
        value = mistakes[0]["input"]
        kinds = " or ".join(expected)
        if "a mapping" in expected and (example := example_at(model, path)) is not None:
            kinds = f"{kinds} such as {_flow(example)}"
        message = f"must be {kinds}, not {format_value(value)}"
        if expected == ["text"] and isinstance(value, bool | int | float):
            message += ": put it in quotes"
        key = label(path)
        yield places.problem(path, f"{key}: {message}" if key else message)
    for mistake in mistakes:
        if not _is_type_error(mistake):
            yield _problem(model, data, path, mistake, places)


def _problem(
    model: type[BaseModel],
    data: Any,
    path: tuple[str | int, ...],
    error: dict[str, Any],
    places: HasPosition,
) -> Problem:
    kind = error["type"]
    key = label(path)
    if kind == "extra_forbidden":
        return _unknown(model, path, places)
    if kind == "missing":
        return _missing(data, path, places)
    if kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        found = error["input"]
        return places.problem(
            path,
            f"{key}: {found!r} is not one of the allowed values",
            allowed=choices,
            nearest=nearest(found, choices) if isinstance(found, str) else None,
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "too_short":
        message = "must not be empty"
    elif kind != "value_error":
        message = f"{message.replace('Input should', 'must')}, not {format_value(error['input'])}"
    return places.problem(path, f"{key}: {message}" if key else message)


def _unknown(model: type[BaseModel], path: tuple[str | int, ...], places: HasPosition) -> Problem:
    key = label(path)
    if (reason := elsewhere_at(model, path)) is not None:
        return places.problem(path, f"{key!r} {reason}", at_key=True)
    if homes := homes_of(model, path):
        return places.problem(path, f"{key!r} belongs below {' or '.join(homes)}", at_key=True)
    allowed = keys_at(model, path[:-1])
    near = _nearest_key(model, path)
    return places.problem(path, f"unknown key {key!r}", allowed=allowed, nearest=near, at_key=True)


def _nearest_key(model: type[BaseModel], path: tuple[str | int, ...]) -> str | None:
    """Return the key of the same mapping that an unknown one was probably meant to be."""
    if elsewhere_at(model, path) is not None or homes_of(model, path):
        return None
    return nearest(label(path), keys_at(model, path[:-1]))


def _missing(data: Any, path: tuple[str | int, ...], places: HasPosition) -> Problem:
    """Return the problem of a missing key; a key that is indented too deep is named."""
    *parent, key = path
    beside = data
    for step in parent:
        beside = beside[step]
    for name, value in beside.items() if isinstance(beside, dict) else ():
        if isinstance(value, dict) and key in value:
            message = f"{str(key)!r} stands below {str(name)!r}, but belongs beside it"
            return places.problem([*parent, name, key], message, at_key=True)
    return places.problem(parent, f"the key {label(path)!r} is missing", at_key=True)


def _flow(value: Any) -> str:
    """Return an example as one line of YAML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(child)}' for key, child in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value)


def label(path: Sequence[str | int]) -> str:
    """Return a path as error messages show it: `owners[0]`."""
    names = [str(step) if isinstance(step, str) else f"[{step}]" for step in path]
    if len(names) > 1 and not isinstance(path[-1], str):
        return "".join(names[-2:])
    return names[-1] if names else ""


def format_value(value: object) -> str:
    """Return a value as it looks in YAML."""
    if value is None:
        return "empty"
    text = json.dumps(value, default=str) if isinstance(value, bool | dict | list) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - a line of a terminal
