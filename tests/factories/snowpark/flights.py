"""Made flights whose delay can be predicted, the same in every run."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

SPLIT = {"by": "flight_date", "train_until": "2013-03-01", "validate_until": "2013-03-20"}
DAYS = 100


def flights(rows: int = 600, *, seed: int = 1) -> pd.DataFrame:
    """Flights of a hundred days from 2013-01-01 on: late with the hour and with rain."""
    rng = np.random.default_rng(seed)
    hour, rain = rng.integers(5, 23, rows), rng.exponential(1.0, rows)
    chance = 1 / (1 + np.exp(-(0.35 * (hour - 14) + 1.2 * (rain - 1))))
    day = rng.permutation(np.arange(rows) % DAYS)
    return pd.DataFrame(
        {
            "flight_id": np.arange(1, rows + 1),
            "flight_date": [date(2013, 1, 1) + timedelta(days=int(d)) for d in day],
            "hour": hour,
            "rain": rain,
            "noise": rng.normal(size=rows),
            "carrier": rng.choice(["AA", "DL", "UA"], rows),
            "is_late": rng.random(rows) < chance,
        }
    )


def train(training_data: pd.DataFrame, params: dict[str, Any]) -> Any:
    columns = params.get("columns", ["hour", "rain"])
    return LogisticRegression(C=params.get("c", 1.0)).fit(
        training_data[columns], training_data["is_late"]
    )
