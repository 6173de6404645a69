"""Checks of scores: of the table that was written, and of drift; also without scoring."""

from __future__ import annotations

import dagster as dg
import pytest

from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject

pytestmark = pytest.mark.clients

DAILY = "{type: daily, start: '2013-01-01', end: '2013-05-01', column: flight_date}"
PARTITIONED = f"{AREA.rstrip()}\n        meta: {{dagster: {{partition: {DAILY}, CHECKS}}}}\n"


def checks_alone(models: ModelProject) -> dict[str, dg.AssetCheckEvaluation]:
    """Run the score's checks without scoring, and return them by name."""
    key = dg.AssetKey(["ml", models.area, "predictions"])
    assert models.run("predictions", selection=dg.AssetSelection.checks_for_assets(key)).success
    assert models.results[-1].get_asset_materialization_events() == []
    return {c.check_name: c for c in models.results[-1].get_asset_check_evaluations()}


def test_checks_run_without_scoring_on_the_whole_table(models: ModelProject) -> None:
    rows = "rows: {min: 6, max: 12, change: {max: 0%, severity: warn}}"
    sql = "sql: {shares: probability between 0 and 1}"
    models.write(PARTITIONED, CHECKS=f"checks: {{{rows}, {sql}}}")
    models.champion()
    models.run("predictions", partition_key="2013-01-02")
    first = {"row_count": True, "row_count_change": True, "shares": True, "feature_drift": True}
    assert models.checks() == first
    # The rows of the whole table, whose partition the run before has written too.
    models.run("predictions", partition_key="2013-01-03")
    assert models.checks() == first | {"row_count_change": False}
    found = checks_alone(models)
    assert {name: check.passed for name, check in found.items()} == models.checks()
    assert found["feature_drift"].metadata["rows"].value == 600
    assert found["feature_drift"].metadata["model_version"].value == 1


def test_checks_run_without_a_champion_but_that_of_drift(models: ModelProject) -> None:
    models.write(PARTITIONED, CHECKS="checks: {rows: {min: 1}}")
    models.rows("create table {s}.predictions as select 1 as flight_id")
    found = checks_alone(models)
    assert found["row_count"].passed
    assert not found["feature_drift"].passed
    assert "delay has no champion" in str(found["feature_drift"].description)


def test_features_that_have_moved_are_reported(models: ModelProject) -> None:
    models.champion()
    frame = flights(seed=3)
    models.load(frame.assign(rain=frame["rain"] + 2))
    models.run("predictions")
    assert models.checks() == {"feature_drift": False}
    (check,) = models.results[-1].get_asset_check_evaluations()
    index = check.metadata["index"].value
    assert index["rain"] > 0.25 > index["hour"]
    assert "rain" in str(check.description)
    assert str(check.metadata["plot"].value).startswith("![Drift")


def test_features_that_cannot_be_compared_fail_the_check_alone(models: ModelProject) -> None:
    models.champion("hour", "rain")
    models.load(flights().assign(hour="late"))
    models.write(module=MODULE.replace("return model", "return features['rain'] / 100 #"))
    assert models.run("predictions").success, models.failure()
    assert models.checks() == {"feature_drift": False}
    assert models.metadata()["rows_scored"] == 600


def test_a_password_in_what_the_warehouse_says_is_not_shown_by_a_check(
    models: ModelProject,
) -> None:
    password = str(models.warehouse.settings["password"])
    models.champion()
    models.rows("alter table {s}.features rename to {s}.read")
    models.rows(
        f"create view {{s}}.features as select hour, iff(hour > 0, '{password}', '')::int as rain"
        " from {s}.read"
    )
    reported = str(checks_alone(models)["feature_drift"].description)
    assert "***" in reported
    assert password not in reported
