"""Training, validation and test: rows apart in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import require

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Bounds:
    """Where the parts end, each bound being the first moment of the next part.

    Attributes:
        by: The column of a row's time, in lower case.
        train_until: Rows before it are for training.
        validate_until: Rows from then on and before it are for validation; the rest is the test.
    """

    by: str
    train_until: str
    validate_until: str


def split_rows(frame: pd.DataFrame, bounds: Bounds) -> dict[str, pd.DataFrame]:
    """Return the rows of each part.

    Raises:
        ModelError: When a row has no time, or a part has no rows.
    """
    require(frame, [bounds.by])
    moments = convert_to_times(frame[bounds.by])
    if moments.isna().any():
        raise ModelError(f"{int(moments.isna().sum())} rows have no {bounds.by} to split them by")
    first, second = pd.Timestamp(bounds.train_until), pd.Timestamp(bounds.validate_until)
    masks = {
        "train": moments < first,
        "validation": (moments >= first) & (moments < second),
        "test": moments >= second,
    }
    for name, mask in masks.items():
        if not mask.any():
            raise ModelError(
                f"no rows for {name}: {bounds.by} goes from {moments.min()} to {moments.max()},"
                f" train_until is {bounds.train_until}, validate_until {bounds.validate_until}"
            )
    return {name: frame[mask].reset_index(drop=True) for name, mask in masks.items()}


def find_spans(parts: Mapping[str, pd.DataFrame], by: str) -> dict[str, dict[str, Any]]:
    """Return each part's rows and its first and last moment, as they are in the data."""
    found = {}
    for name, part in parts.items():
        moments = convert_to_times(part[by])
        found[name] = {
            "rows": len(part),
            "first": moments.min().isoformat(),
            "last": moments.max().isoformat(),
        }
    return found


def find_overlaps(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each part that begins before the one before it has ended."""
    sentences = []
    for earlier, later in pairwise(PARTS):
        ends, begins = pd.Timestamp(found[earlier]["last"]), pd.Timestamp(found[later]["first"])
        if ends >= begins:
            sentences.append(f"{later} begins at {begins}, {earlier} ends at {ends}")
    return sentences


def find_shared_keys(parts: Mapping[str, pd.DataFrame], keys: Sequence[str]) -> list[str]:
    """Return a sentence for each two parts that have rows of the same keys; none without keys."""
    if not keys:
        return []
    own = {name: part[list(keys)].dropna().drop_duplicates() for name, part in parts.items()}
    sentences = []
    for one, other in combinations(PARTS, 2):
        if shared := len(own[one].merge(own[other])):
            sentences.append(
                f"{shared} values of the keys ({', '.join(keys)}) are in {one} and {other}"
            )
    return sentences


def convert_to_times(column: pd.Series) -> pd.Series:
    """Return a column of dates, timestamps or texts as moments; those with a zone in UTC.

    Raises:
        ModelError: When it holds anything else.
    """
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        # To pandas they are nanoseconds since 1970.
        raise ModelError(f"{column.name} holds numbers, not dates or timestamps")
    try:
        # Of text pandas would guess what is the day and what the month. Objects are dates too, and
        # moments whose offsets differ.
        is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        moments = pd.to_datetime(column, format="ISO8601", utc=True) if is_text else column
        moments = pd.to_datetime(moments)
    except (ValueError, TypeError) as error:
        raise ModelError(f"{column.name} holds no dates or timestamps: {error}") from None
    return moments.dt.tz_convert(None) if moments.dt.tz is not None else moments
