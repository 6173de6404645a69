"""Keys that a data frame of pandas would change: scores would be written for other rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.errors import ModelError

# Snowpark makes floats of numbers with a scale, and of those that no int64 holds.
NUMBER = re.compile(r"NUMBER\(\d+,\s*(\d+)\)")
EXACT = 2.0**53  # below it a float has every whole number
FINE_TIME = re.compile(r"TIME\([7-9]\)")  # Python's times have microseconds
REMEDY = "score with runs_in: snowflake, or make the key a text"


def check_keys(rows: pd.DataFrame, keys: Iterable[str], types: Mapping[str, str]) -> None:
    """Refuse rows whose keys are others in the data frame than in the warehouse.

    Args:
        rows: Rows, as Snowpark gives them.
        keys: The names of the key columns.
        types: The types of the warehouse's columns, by name.

    Raises:
        ModelError: When there may be such a key.
    """
    for key in keys:
        kind, column = types[key.upper()], rows[key.upper()]
        number = NUMBER.fullmatch(kind)
        if number and column.dtype.kind == "f":
            if column.abs().max() * 10.0 ** int(number[1]) >= EXACT:
                raise ModelError(
                    f"the key {key} has numbers of more than 15 digits, which a data frame rounds:"
                    f" {REMEDY}"
                )
        elif FINE_TIME.fullmatch(kind):
            raise ModelError(f"the key {key} is {kind}, which a data frame rounds: {REMEDY}")
