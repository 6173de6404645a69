"""A model of late arrivals: gradient-boosted trees, which take nulls as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import OrdinalEncoder  # type: ignore[import-untyped]

TARGET = "is_late"
CODES = ("carrier", "origin", "dest")
NUMBERS = (
    "departure_minute",
    "iso_weekday",
    "scheduled_minutes",
    "distance_miles",
    "aircraft_age_years",
    "aircraft_seats",
    "days_since_holiday",
    "days_until_holiday",
    "temperature_f",
    "wind_speed_mph",
    "precipitation_in",
    "visibility_miles",
    "aircraft_legs_before",
    "minutes_since_previous_leg",
    "previous_leg_dep_delay_minutes",
    "previous_leg_arr_delay_minutes",
    "turnaround_slack_minutes",
    "origin_departures_2h",
    "origin_dep_delay_2h",
    "carrier_dep_delay_3h",
    "dest_arr_delay_3h",
    "route_arrivals_28d",
    "route_late_share_28d",
    "carrier_route_late_share_28d",
    "carrier_late_share_28d",
)
MOST_CATEGORIES = 254  # of a column, for the trees; rarer ones are then taken together
SEED = 2013


def train(training_data: pd.DataFrame, params: dict[str, Any]) -> Pipeline:
    """Fit a classifier of whether a flight arrives 15 minutes late or more.

    Args:
        training_data: The features and `is_late`; rows without a label are left out.
        params: Of scikit-learn's HistGradientBoostingClassifier, such as `max_iter`.
    """
    known = training_data[training_data[TARGET].notna()]
    # A code that training has not seen is as good as none.
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=MOST_CATEGORIES,
    )
    columns = ColumnTransformer(
        [("codes", codes, list(CODES)), ("numbers", "passthrough", list(NUMBERS))]
    )
    trees = HistGradientBoostingClassifier(
        categorical_features=list(range(len(CODES))),
        # Else validation rows would be drawn from the training data at random.
        early_stopping=False,
        random_state=SEED,
        **params,
    )
    model = Pipeline([("columns", columns), ("trees", trees)])
    return model.fit(known[[*CODES, *NUMBERS]], known[TARGET].astype(bool))


def predict(model: Pipeline, features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the probability of each flight to arrive 15 minutes late or more."""
    probabilities: np.ndarray[Any, np.dtype[np.float64]] = model.predict_proba(
        features[[*CODES, *NUMBERS]]
    )
    return probabilities[:, 1]
