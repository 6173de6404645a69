"""Rows of the warehouse as pandas has them, in one form wherever they are read."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pandas as pd  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.errors import ModelError


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with columns in lower case, and exact numbers as floats.

    Drivers give a NUMBER with a scale as `Decimal` objects, which no estimator takes.

    Raises:
        ModelError: When two columns differ in their case alone.
    """
    tidied = frame.rename(columns=lambda name: str(name).strip('"').lower())
    if twice := sorted(set(tidied.columns[tidied.columns.duplicated()])):
        raise ModelError(
            f"several columns of the features are called {', '.join(twice)} in lower case, as the"
            " functions have them: give them other names"
        )
    for name in tidied.columns:
        column = tidied[name]
        if column.dtype == object and _holds_decimals(column):
            tidied[name] = pd.to_numeric(column, errors="coerce").astype("float64")
    return tidied


def _holds_decimals(column: pd.Series) -> bool:
    return isinstance(next(iter(column.dropna()), None), Decimal)


def sort_rows(frame: pd.DataFrame, keys: Iterable[str]) -> pd.DataFrame:
    """Return rows in an order of their own, whatever order the warehouse gave them in.

    Some estimators learn something else from the same rows in another order. Rows without keys are
    ordered by all of their columns.
    """
    names = [key.lower() for key in keys] or sorted(frame.columns)
    require(frame, names)
    return frame.sort_values(names, kind="stable", na_position="first", ignore_index=True)


def require(frame: pd.DataFrame, names: Iterable[str]) -> None:
    """Make sure that columns are there.

    Raises:
        ModelError: When one is missing; names all of them.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ModelError(
            f"the features have no column {', '.join(missing)}; they have"
            f" {', '.join(map(str, frame.columns))}"
        )
