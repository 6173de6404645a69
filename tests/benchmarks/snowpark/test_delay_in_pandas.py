"""What the benchmark computes with pandas is what the demo's features are."""

from __future__ import annotations

import pandas as pd

from benchmarks.snowpark.delay_in_pandas import COLUMNS, features
from benchmarks.snowpark.features_and_scores import differences
from factories.core.warehouse.settings import warehouse_settings
from tests.snowpark_demo.conftest import (  # noqa: F401 - fixtures
    build,
    built,
    features_module,
    inputs,
    marts,
    session,
)


def test_features_are_those_of_the_demo(marts, built, features_module):  # noqa: F811
    assert tuple(COLUMNS) == features_module.FEATURES
    expected = built.assign(
        flight_date=pd.to_datetime(built["flight_date"]), is_late=built["is_late"].astype("boolean")
    )
    found = features(marts).set_index("flight_id").sort_index()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=0, atol=1e-9)


def test_the_order_of_the_rows_changes_nothing(marts):  # noqa: F811
    shuffled = {name: rows.sample(frac=1, random_state=1) for name, rows in marts.items()}
    found, expected = (
        features(tables).set_index("flight_id").sort_index() for tables in (shuffled, marts)
    )
    pd.testing.assert_frame_equal(found, expected)


def test_differences_are_counted_by_column(warehouse, database):
    for table, rows in (
        ("a", "(1, 0.5, 'x', true), (2, null, null, true), (3, 1, 'z', null)"),
        ("b", "(1, 0.5000000001, 'x', true), (2, 0, null, false), (4, 1, 'z', null)"),
    ):
        warehouse.rows(
            f"create table {database}.public.{table} as select column1::integer as flight_id,"
            " column2::float as number, column3::varchar as text, column4::boolean as flag"
            f" from values {rows}"
        )
    found = differences(warehouse_settings(), f"{database}.public.a", f"{database}.public.b")
    # The rows 3 and 4 are in one of the tables only.
    assert found == {"FLIGHT_ID": 2, "NUMBER": 3, "TEXT": 2, "FLAG": 1}
