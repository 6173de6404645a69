"""Strict pydantic models of YAML content; validating reports every mistake with its position."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile
from factories.core.yaml.validation import (
    HasPosition,
    format_value,
    invalid_paths,
    validation_problems,
)

DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|d|w)\s*")
# Names that a list would hold, as one text: `id, day`.
SEVERAL = re.compile(r"\s*\w+(\s*,\s*\w+)+\s*")
UNIT_NAMES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class StrictModel(BaseModel):
    """A frozen model that refuses keys it does not know.

    Attributes:
        elsewhere: Keys that a user may try here by mistake, and where they belong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    elsewhere: ClassVar[Mapping[str, str]] = {}


def parse_duration(value: object) -> timedelta:
    """Return the span of time that a text such as `36h` stands for.

    Raises:
        ValueError: When it is no duration, or longer than any time can be.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := DURATION.fullmatch(value)):
        try:
            return timedelta(**{UNIT_NAMES[match[2]]: float(match[1])})
        except OverflowError:
            raise ValueError(f"{value!r} is longer than any time can be") from None
    raise ValueError("must be a duration like 30s, 15m, 36h or 7d")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhdw]\s*$", "examples": ["30s", "36h"]},
    ),
]


def as_list(value: object) -> object:
    """Return a single name as a list of one, and a list as it is.

    Raises:
        ValueError: When it is neither text nor a list, or a text such as `id, day`.
    """
    if isinstance(value, str):
        if SEVERAL.fullmatch(value):
            names = ", ".join(part.strip() for part in value.split(","))
            raise ValueError(f"{value!r} looks like several: write [{names}]")
        return [value]
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be text or a list, not {format_value(value)}")  # noqa: TRY004 - pydantic takes it for a mistake of the user's
    return value


# One name or a list of names: `id` means `[id]`, as Sling and dlt take it.
Names = Annotated[tuple[str, ...], BeforeValidator(as_list)]

ModelT = TypeVar("ModelT", bound=BaseModel)


class SourceMap:
    """Finds where each value of a merged model was written, the most specific mapping first."""

    def __init__(self, file: YamlFile, *bases: Sequence[str | int]) -> None:
        """Name the mappings that were merged into the model's input, the most specific first."""
        self.file = file
        self.bases = bases

    def base_of(self, path: Sequence[str | int]) -> Sequence[str | int]:
        """Return the path of the mapping that the value at `path` was taken from."""
        for length in range(len(path), 0, -1):
            for base in self.bases:
                if self.file.has([*base, *path[:length]]):
                    return base
        return self.bases[0]

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at the position of the value at `path`."""
        return self.file.problem([*self.base_of(path), *path], message, **details)


def validate(
    model: type[ModelT], data: Any, places: HasPosition, problems: list[Problem]
) -> ModelT | None:
    """Build a model from plain YAML values.

    Returns:
        The model, or None when something is wrong; every mistake is then in `problems`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(validation_problems(model, data, error, places))
        return None


def validate_partly(
    model: type[ModelT],
    data: Any,
    places: HasPosition,
    problems: list[Problem],
    *,
    needed: Collection[str] = (),
) -> ModelT | None:
    """Build a model of the valid part of a file, so that one mistake does not hide others.

    Args:
        model: The model of the whole file.
        data: Plain YAML values.
        places: Where they were written.
        problems: Receives every mistake.
        needed: Keys without which the others would look wrong.

    Returns:
        The model; without the keys (of a mapping below the top: the entries) that have mistakes,
        and with empty text where required text is missing or wrong. None when that is not enough.
        Every mistake is in `problems`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(validation_problems(model, data, error, places))
        wrong = invalid_paths(error, data)
    if not isinstance(data, dict):
        return None
    right = {key: value for key, value in data.items() if key in model.model_fields}
    for steps in wrong:
        if len(steps) > 1 and isinstance(right.get(steps[0]), dict):
            key, entry = steps[:2]
            right[key] = {name: value for name, value in right[key].items() if name != entry}
        elif steps and steps[0] in data:
            right.pop(steps[0], None)
    if any(key in data and key not in right for key in needed):
        return None
    for name, field in model.model_fields.items():
        if field.is_required() and field.annotation is str:
            right.setdefault(name, "")
    try:
        return model.model_validate(right)
    except ValidationError:
        return None
