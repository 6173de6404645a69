"""What pydantic finds wrong in YAML's values, told as problems with places."""

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
    "literal_error": "text",  # where the value is none
    "float_type": "a number",
    "float_parsing": "a number",
}


class HasPosition(Protocol):
    """Knows where the values of one model were written."""

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at the place where `path` was written."""
        ...


def validation_problems(
    model: type[BaseModel], data: Any, error: ValidationError, places: HasPosition
) -> Iterator[Problem]:
    """Yield every mistake that pydantic has found.

    Args:
        model: The model of the data.
        data: The plain YAML values.
        error: What pydantic says of them.
        places: Where they were written.
    """
    by_path: dict[tuple[str | int, ...], list[dict[str, Any]]] = defaultdict(list)
    for mistake in error.errors(include_url=False):
        by_path[tuple(_in_data(mistake["loc"], data, mistake["type"]))].append(dict(mistake))
    meant = {
        (*path[:-1], _nearest_key(model, path))
        for path, mistakes in by_path.items()
        if any(mistake["type"] == "extra_forbidden" for mistake in mistakes)
    }
    for path, mistakes in by_path.items():
        if path in meant and all(mistake["type"] == "missing" for mistake in mistakes):
            continue  # told with the key that was meant for it
        told = [mistake for mistake in mistakes if not _of_another_member(mistake, path, by_path)]
        yield from _problems(model, data, path, told, places)


def invalid_paths(error: ValidationError, data: Any) -> list[tuple[str | int, ...]]:
    """Return the places of the mistakes, in the steps that the user wrote."""
    return [tuple(_in_data(e["loc"], data, e["type"])) for e in error.errors()]


def _of_another_member(
    mistake: dict[str, Any],
    path: tuple[str | int, ...],
    by_path: Mapping[tuple[str | int, ...], Sequence[dict[str, Any]]],
) -> bool:
    """Tell whether a mistake comes from a member of a union that was not meant.

    A mapping was not meant as a word when something below it is wrong; a word not as a mapping
    when it is none of the allowed words.
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
    """Yield the steps that the user wrote: pydantic adds the names of a union's members."""
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
    wanted = list(dict.fromkeys(TYPE_NAMES[m["type"]] for m in mistakes if _is_type_error(m)))
    if "a number" in wanted:
        wanted = [kind for kind in wanted if kind != "a whole number"]
    if wanted:
        value = mistakes[0]["input"]
        kinds = " or ".join(wanted)
        if "a mapping" in wanted and (example := example_at(model, path)) is not None:
            kinds = f"{kinds} such as {_flow(example)}"
        message = f"must be {kinds}, not {format_value(value)}"
        if wanted == ["text"] and isinstance(value, bool | int | float):
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
    """Return the problem of a missing key: where it stands too deep, that place is told."""
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
    """Return an example in one line of YAML; its texts need no quotes."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(child)}' for key, child in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value)


def label(path: Sequence[str | int]) -> str:
    """Return the name of a place as a reader would say it: `owners[0]`."""
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
