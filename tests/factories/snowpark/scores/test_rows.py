"""What is scored: rows that their keys tell apart, of features that the version knows."""

from __future__ import annotations

import pytest

from factories.snowpark.scores.write import ScoresWriter
from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject

pytestmark = pytest.mark.clients

INSIDE = AREA.replace("runs_in: client", "runs_in: snowflake")
WHERE = pytest.mark.parametrize("area", [AREA, INSIDE], ids=["client", "snowflake"])
ALL = "select flight_id, probability, model_version, scored_at from {s}.predictions order by 1"


@WHERE
def test_rows_without_a_key_of_their_own_are_not_scored(models: ModelProject, area: str) -> None:
    models.write(area)
    models.champion()
    for key, reported in (
        (None, "1 of 600 rows to score have no flight_id"),
        (2, "1 of 600 rows to score share their flight_id"),
    ):
        frame = flights()
        frame["flight_id"] = frame["flight_id"].astype("Int64")
        frame.loc[0, "flight_id"] = key
        models.load(frame)
        assert not models.run("predictions").success
        assert reported in models.failure()
    assert models.rows(f"show tables like 'PREDICTIONS' in schema {models.schema}") == []


def test_the_keys_are_checked_of_the_rows_that_were_scored(
    models: ModelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.champion()
    begin = ScoresWriter.begin

    def begin_late(writer: ScoresWriter, query: str) -> None:
        models.rows("insert into {s}.features select * from {s}.features where flight_id = 7")
        begin(writer, query)

    monkeypatch.setattr(ScoresWriter, "begin", begin_late)
    assert not models.run("predictions").success
    assert models.sentence() == (
        "1 of 601 rows to score share their flight_id with another: nothing was written"
    )
    assert models.rows(f"show tables like 'PREDICTIONS' in schema {models.schema}") == []


@WHERE
@pytest.mark.parametrize("value", ["float('nan')", "None", "float('inf')"])
def test_a_value_that_is_not_a_number_fails_in_a_sentence(
    models: ModelProject, area: str, value: str
) -> None:
    models.write(
        area,
        module=MODULE.replace("return model.pred", "values = model.pred").replace(
            "[:, 1]", f"[:, 1].tolist()\n        return [{value}, *values[1:]]"
        ),
    )
    models.champion()
    assert not models.run("predictions").success
    assert models.sentence() == "predict returns no finite number for 1 of 600 rows"
    assert models.rows(f"show tables like 'PREDICTIONS' in schema {models.schema}") == []


@WHERE
def test_no_rows_make_an_empty_table(models: ModelProject, area: str) -> None:
    models.write(area)
    models.champion()
    models.rows("delete from {s}.features")
    assert models.run("predictions").success, models.failure()
    assert models.rows(ALL) == []
    assert models.metadata()["rows_scored"] == 0
    (drift,) = models.results[-1].get_asset_check_evaluations()
    assert drift.passed
    assert "0 rows are too few to judge" in str(drift.description)


@WHERE
def test_features_may_get_columns_that_the_version_does_not_know(
    models: ModelProject, area: str
) -> None:
    models.write(area)
    models.champion()
    models.run("predictions")
    before = models.rows(ALL)
    models.load(flights().assign(wind=1.5, gusts=None))
    assert models.run("predictions").success, models.failure()
    assert models.rows(ALL) == before


@WHERE
def test_features_that_lack_what_the_version_needs_fail_in_a_sentence(
    models: ModelProject, area: str
) -> None:
    models.write(area)
    models.champion()
    models.load(flights().drop(columns=["rain", "hour"]))
    assert not models.run("predictions").success
    assert models.sentence() == (
        f"version 1 of delay was trained with hour, rain, which {models.schema}.FEATURES no longer"
        f" has: materialize ml/{models.area}/delay"
    )
    models.rows("alter table {s}.features drop column flight_id")
    assert not models.run("predictions").success
    assert models.sentence() == f"{models.schema}.FEATURES has no column flight_id, which is a key"
    models.rows("drop table {s}.features")
    assert not models.run("predictions").success
    assert models.sentence() == (
        f"there is no table {models.schema}.FEATURES, or none that the role may read:"
        f" materialize ml/{models.area}/features first"
    )


@WHERE
def test_keys_of_any_type_come_back_as_they_were(models: ModelProject, area: str) -> None:
    keys = {
        "d": "'2013-01-01'::date",
        "n": "1.25::number(10, 2)",
        "big": "9007199254740993",
        "t": "'2013-01-01 10:00:00.123456'::timestamp_ntz",
        "z": "'2013-01-01 10:00:00 +02:00'::timestamp_tz",
        "b": "true",
        "v": "'it''s'",
    }
    names = ", ".join(keys)
    made = ", ".join(f"{value} as {name}" for name, value in keys.items())
    models.write(area, **{"PREDICTIONS, keys: [flight_id]": f"PREDICTIONS, keys: [{names}]"})
    rows = f"select 5 as hour, 1.5 as rain, {made}"
    models.rows(f"create or replace table {{s}}.features as {rows}")
    models.champion()
    for _ in range(2):
        assert models.run("predictions").success, models.failure()
    assert models.rows(f"select {names} from {{s}}.predictions") == models.rows(
        f"select {names} from {{s}}.features"
    )
    assert (models.metadata()["rows_inserted"], models.metadata()["rows_updated"]) == (0, 0)
