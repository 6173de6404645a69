"""Strict models of YAML content, and the translation of their errors into problems with places."""

from __future__ import annotations

import json
import re
import typing
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from factories.errors import Problem, nearest
from factories.yaml_files import YamlFile

DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|m|h|d|w)\s*$")
TYPE_NAMES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}
UNIT_NAMES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class StrictModel(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := DURATION.match(value)):
        return timedelta(**{UNIT_NAMES[match[2]]: float(match[1])})
    raise ValueError("must be a duration like 30s, 15m, 36h or 7d")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhdw]\s*$", "examples": ["30s", "36h"]},
    ),
]


def words(value: object) -> object:
    """Return a list of one for one word."""
    return [value] if isinstance(value, str) else value


# One name or a list of names: `id` means `[id]`, as Sling and dlt take it.
Names = Annotated[tuple[str, ...], BeforeValidator(words)]

ModelT = TypeVar("ModelT", bound=BaseModel)


class Places:
    """Where the values of one model were written: each path in the most specific mapping."""

    def __init__(self, file: YamlFile, *bases: Sequence[str | int]) -> None:
        """Name the mappings that were merged into the model's input, the most specific first."""
        self.file = file
        self.bases = bases

    def base_of(self, path: Sequence[str | int]) -> Sequence[str | int]:
        """Return the mapping that `path` was taken from."""
        for length in range(len(path), 0, -1):
            for base in self.bases:
                if self.file.has([*base, *path[:length]]):
                    return base
        return self.bases[0]

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at the place where `path` was written."""
        return self.file.problem([*self.base_of(path), *path], message, **details)


def validate(
    model: type[ModelT], data: Any, places: Places, problems: list[Problem]
) -> ModelT | None:
    """Build a model from plain YAML values.

    Returns:
        The model, or None when something is wrong; every mistake is then in `problems`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        by_path: dict[tuple[str | int, ...], list[dict[str, Any]]] = defaultdict(list)
        for mistake in error.errors(include_url=False):
            by_path[tuple(_in_data(mistake["loc"], data, mistake["type"]))].append(dict(mistake))
        for path, mistakes in by_path.items():
            problems.extend(_problems(model, path, mistakes, places))
        return None


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
    path: tuple[str | int, ...],
    mistakes: Sequence[dict[str, Any]],
    places: Places,
) -> Iterator[Problem]:
    """Yield the problems at one path; the members of a union make one together."""
    wanted = list(dict.fromkeys(TYPE_NAMES[m["type"]] for m in mistakes if m["type"] in TYPE_NAMES))
    if wanted:
        value = mistakes[0]["input"]
        message = f"must be {' or '.join(wanted)}, not {_shown(value)}"
        if wanted == ["text"] and isinstance(value, bool | int | float):
            message += ": put it in quotes"
        key = _label(path)
        yield places.problem(path, f"{key}: {message}" if key else message)
    for mistake in mistakes:
        if mistake["type"] not in TYPE_NAMES:
            yield _problem(model, path, mistake, places)


def _problem(
    model: type[BaseModel], path: tuple[str | int, ...], error: dict[str, Any], places: Places
) -> Problem:
    kind = error["type"]
    key = _label(path)
    if kind == "extra_forbidden":
        allowed = _keys_at(model, path[:-1])
        return places.problem(
            path,
            f"unknown key {key!r}",
            allowed=allowed,
            nearest=nearest(key, allowed),
            at_key=True,
        )
    if kind == "missing":
        return places.problem(path[:-1], f"the key {key!r} is missing", at_key=True)
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
        message = f"{message.replace('Input should', 'must')}, not {_shown(error['input'])}"
    return places.problem(path, f"{key}: {message}" if key else message)


def _label(path: Sequence[str | int]) -> str:
    """Return the name of a place as a reader would say it: `owners[0]`."""
    names = [str(step) if isinstance(step, str) else f"[{step}]" for step in path]
    if len(names) > 1 and not isinstance(path[-1], str):
        return "".join(names[-2:])
    return names[-1] if names else ""


def _shown(value: object) -> str:
    """Return a value as it looks in YAML."""
    if value is None:
        return "empty"
    text = json.dumps(value, default=str) if isinstance(value, bool | dict | list) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - a line of a terminal


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the model nested at `path` accepts."""
    current: Any = model
    for step in path:
        current = _step(current, step)
    found = _models(current)
    return [field.alias or name for name, field in found[0].model_fields.items()] if found else []


def _step(annotation: Any, step: str | int) -> Any:
    for model in _models(annotation):
        for name, field in model.model_fields.items():
            if step in {name, field.alias}:
                return field.annotation
    arguments = [a for part in _union(annotation) for a in typing.get_args(part)]
    return arguments[-1] if arguments and arguments[-1] is not ... else next(iter(arguments), None)


def _union(annotation: Any) -> list[Any]:
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    parts = typing.get_args(annotation)
    if type(None) in parts:
        return [part for part in parts if part is not type(None)]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [
        part
        for part in _union(annotation)
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]
