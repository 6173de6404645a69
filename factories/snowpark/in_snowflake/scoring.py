"""What a model says of rows: one number for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import tidy
from factories.snowpark.in_snowflake.model_files import load_model

PredictFunction = Callable[[Any, pd.DataFrame], Any]


def predict_values(function: PredictFunction, model: Any, rows: pd.DataFrame) -> pd.Series:
    """Return the user's function's values as floats.

    Floats whatever it returns: probabilities must not be cut to integers because the first ones
    were 0 and 1.

    Raises:
        ModelError: When there is not one number for each row.
    """
    if rows.empty:
        return pd.Series([], dtype="float64")
    name = getattr(function, "__name__", "the function")
    found = np.asarray(function(model, rows.copy()))
    if found.shape != (len(rows),):
        raise ModelError(
            f"{name} must return one value per row: {len(rows)} rows, shape {found.shape}"
        )
    try:
        values = found.astype("float64")
    except (TypeError, ValueError):
        raise ModelError(f"{name} must return numbers, not {found[0]!r}") from None
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise ModelError(f"{name} returns no finite number for {wrong} of {len(rows)} rows")
    return pd.Series(values)


def build_scorer(
    function: PredictFunction, file: str, sha256: str, label: str, columns: Sequence[str]
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what a vectorized function of Snowflake runs for each batch of rows.

    Args:
        function: The user's: takes the model and the rows.
        file: The name of the model's file among the function's imports.
        sha256: What was registered of it; other bytes are not unpickled.
        label: What the model's version is called in messages.
        columns: The names of the function's arguments, in order.
    """
    folder = Path(sys._xoptions["snowflake_import_directory"])  # noqa: SLF001 - Snowflake's documented way
    model = load_model((folder / file).read_bytes(), sha256, label)

    def score(rows: pd.DataFrame) -> pd.Series:
        named = rows.set_axis(list(columns), axis="columns")
        return predict_values(function, model, tidy(named))

    return score
