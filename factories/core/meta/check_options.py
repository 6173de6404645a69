"""What the checks of YAML share: their options, their short forms, and types of values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from factories.core.yaml.models import StrictModel, as_list
from factories.core.yaml.validation import format_value

LONGEST_COLUMN = 255  # as Snowflake has it
LARGEST = 10**38  # of Snowflake's NUMBER
PERCENTAGE = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{1,9})?)\s*%\s*")

Severity = Literal["warn", "error"]


def _check_column(column: str) -> str:
    if not column:
        raise ValueError("the name of a column is empty")
    if len(column) > LONGEST_COLUMN:
        raise ValueError(f"{column[:20]}… is longer than {LONGEST_COLUMN} characters")
    return column


def _parse_percentage(value: object) -> float:
    if isinstance(value, str) and (match := PERCENTAGE.fullmatch(value)):
        return float(match[1])
    raise ValueError(f"must be a percentage such as -20% or 50%, not {format_value(value)}")


def _is_finite(value: float) -> float:
    if not -LARGEST < value < LARGEST:  # neither is NaN
        raise ValueError("is no number that a column holds")
    return value


ColumnName = Annotated[StrictStr, AfterValidator(_check_column)]
Percentage = Annotated[float, BeforeValidator(_parse_percentage)]
Number = Annotated[StrictInt | StrictFloat, AfterValidator(_is_finite)]
Value = StrictStr | StrictBool | Number


def short_form(example: str, *, text: str, several: str | None = None) -> BeforeValidator:
    """Take the short form of a mapping.

    Args:
        example: Both forms, for who writes neither.
        text: The key whose value a text is.
        several: The key whose value a list is.
    """

    def expand(value: object) -> object:
        if isinstance(value, str):
            return {text: value}
        if several is not None and isinstance(value, list):
            return {several: value}
        if not isinstance(value, dict | StrictModel):
            raise ValueError(f"must be like {example}, not {format_value(value)}")  # noqa: TRY004 - pydantic takes it for a mistake of the user's
        return value

    return BeforeValidator(expand)


def as_rules(value: object) -> object:
    """Take one rule as a list of it."""
    return [value] if isinstance(value, dict) else as_list(value)


class CheckOptions(StrictModel):
    """What every check may say of itself, in place of what the block says for all."""

    severity: Severity | None = Field(
        None, description="`warn` or `error`; by default what the block says."
    )
    blocking: StrictBool | None = Field(
        None,
        description="Whether its failure holds back the assets downstream; by default what the"
        " block says. A check of severity `warn` never does.",
    )


def check_bounds(low: float | None, high: float | None, beside: str = "") -> None:
    """Refuse limits that limit nothing, or that nothing meets.

    Raises:
        ValueError: Names `beside` among the keys that may be given.
    """
    if low is None and high is None:
        raise ValueError(f"give min, max or {beside or 'both'}")
    if low is not None and high is not None and low > high:
        raise ValueError("min must not be greater than max")


def check_each_once(names: Sequence[str], what: str = "the column ") -> None:
    """Refuse names of which one is listed twice.

    Raises:
        ValueError: Names it.
    """
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what}{name} is listed twice")
