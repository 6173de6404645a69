"""Drift: what the query counts, and the index that is made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import Session

from factories.snowpark.in_snowflake.assessment import profile_features
from factories.snowpark.scores.drift import (
    Drift,
    build_drift_query,
    compute_stability,
    measure_drift,
)


def measure_drift_between(
    session: Session, database: str, before: pd.DataFrame, now: pd.DataFrame
) -> Drift:
    """What the warehouse counts of rows now, against those before."""
    session.write_pandas(
        now.rename(columns=str.upper), "NOW", database=database, schema="PUBLIC",
        auto_create_table=True, overwrite=True,
    )  # fmt: skip
    found = profile_features(before, list(before.columns))
    query = build_drift_query(found, f"select * from {database}.PUBLIC.NOW")
    (row,) = session.sql(query).collect()
    return measure_drift(found, list(row))


def frame(seed: int, **changes: object) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = 4000
    made = pd.DataFrame(
        {
            "hour": rng.integers(0, 24, rows),
            "rain": np.where(rng.random(rows) < 0.1, np.nan, rng.exponential(1, rows)),
            "order": rng.choice(["it's", "b\\c", "d"], rows),
            "cold": rng.random(rows) < 0.3,
        }
    )
    return made.assign(**changes)


def test_the_same_rows_have_not_moved(session: Session, database: str) -> None:
    found = measure_drift_between(session, database, frame(1), frame(1))
    assert found.rows == 4000
    assert max(found.index.values()) == pytest.approx(0)


def test_other_rows_of_the_same_kind_have_hardly_moved(session: Session, database: str) -> None:
    assert max(measure_drift_between(session, database, frame(1), frame(2)).index.values()) < 0.02


def test_each_feature_that_has_moved_is_found(session: Session, database: str) -> None:
    before, now = frame(1), frame(2)
    now["hour"] = (now["hour"] + 12).clip(0, 23)
    now["rain"] = now["rain"].where(now.index % 2 == 0)
    now["order"] = "new"
    now["cold"] = ~now["cold"]
    found = measure_drift_between(session, database, before, now)
    assert set(found.moved) == {"hour", "rain", "order", "cold"}


def test_a_feature_without_values_can_be_compared(session: Session, database: str) -> None:
    nothing = frame(1, rain=np.nan)
    assert measure_drift_between(session, database, nothing, nothing).index[
        "rain"
    ] == pytest.approx(0)
    assert measure_drift_between(session, database, nothing, frame(1)).moved == ["rain"]


def test_what_is_not_a_number_is_null_as_in_training(session: Session, database: str) -> None:
    before = frame(1)
    session.write_pandas(
        before.rename(columns=str.upper), "NANS", database=database, schema="PUBLIC",
        auto_create_table=True, overwrite=True,
    )  # fmt: skip
    found = profile_features(before, ["rain"])
    nans = f"select coalesce(rain, 'NaN'::float) as rain from {database}.PUBLIC.NANS"
    (row,) = session.sql(build_drift_query(found, nans)).collect()
    assert measure_drift(found, list(row)).index["rain"] == pytest.approx(0)


def test_the_index_is_that_of_the_textbook() -> None:
    assert compute_stability([50, 50], [0.5, 0.5]) == 0
    assert compute_stability([30, 70], [0.5, 0.5]) == pytest.approx(0.1695, abs=1e-4)
    assert compute_stability([0, 0], [0.5, 0.5]) == 0


def test_few_rows_are_not_judged() -> None:
    assert not Drift(10, {"a": 3.0}).is_known
