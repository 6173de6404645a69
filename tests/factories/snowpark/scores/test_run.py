"""Scoring in a step: by the champion, merged by key, and drift."""

from __future__ import annotations

import numpy as np
import pytest

from factories.snowpark.in_snowflake.training import put_file
from tests.factories.data_versions import data_versions
from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject

pytestmark = pytest.mark.clients

ALL = "select flight_id, probability, model_version, scored_at from {s}.predictions order by 1"


def test_the_champion_scores_every_row_by_its_key(models: ModelProject) -> None:
    models.champion()
    assert models.run("predictions").success, models.failure()
    rows = models.rows(ALL)
    frame = flights()
    expected = models.registry.load(models.versions()[0]).predict_proba(frame[["hour", "rain"]])
    assert [row[0] for row in rows] == frame["flight_id"].tolist()
    assert np.allclose([float(str(row[1])) for row in rows], expected[:, 1])
    assert {row[2] for row in rows} == {1}
    metadata = models.metadata()
    assert (metadata["model_version"], metadata["rows_inserted"]) == (1, 600)
    assert metadata["dagster/row_count"] == 600
    assert models.checks() == {"feature_drift": True}

    models.run("predictions")
    assert models.rows(ALL) == rows, "scoring again changes nothing"
    metadata = models.metadata()
    assert (metadata["rows_inserted"], metadata["rows_updated"]) == (0, 0)
    scored, again = models.results[-2:]
    assert data_versions(again) == data_versions(scored) == {"predictions": scored.run_id}


def test_a_new_champion_takes_over_and_a_version_can_be_named(models: ModelProject) -> None:
    models.champion("rain")
    models.run("predictions")
    of_first = models.rows(ALL)
    models.champion("hour", "rain")
    models.run("predictions")
    assert {row[2] for row in models.rows(ALL)} == {2}
    assert models.metadata()["rows_updated"] == 600
    models.write(**{"model: delay": "model: {name: delay, version: 1}"})
    models.run("predictions")
    assert [row[:3] for row in models.rows(ALL)] == [row[:3] for row in of_first]


def test_new_and_changed_rows_are_merged(models: ModelProject) -> None:
    models.load(flights().head(500))
    models.champion()
    models.run("predictions")
    frame = flights()
    models.load(frame.assign(rain=frame["rain"].where(frame.index >= 10, 5.0)).tail(599))
    models.run("predictions")
    metadata = models.metadata()
    assert (metadata["rows_inserted"], metadata["rows_updated"]) == (100, 9)
    assert metadata["dagster/row_count"] == 600  # what is gone from the features stays


def test_overwrite_leaves_the_scored_rows_alone(models: ModelProject) -> None:
    text = AREA.replace("keys: [flight_id], column", "mode: overwrite, keys: [flight_id], column")
    models.write(text)
    models.champion()
    models.run("predictions")
    models.load(flights().tail(590))
    models.run("predictions")
    assert models.rows("select count(*), min(flight_id) from {s}.predictions") == [(590, 11)]


def test_overwrite_makes_the_table_again_with_other_columns(models: ModelProject) -> None:
    text = AREA.replace("keys: [flight_id], column", "mode: overwrite, keys: [flight_id], column")
    models.write(text)
    models.champion()
    models.run("predictions")
    models.write(text, **{"column: probability": "column: chance"})
    assert models.run("predictions").success, models.failure()
    assert models.rows("select count(chance) from {s}.predictions") == [(600,)]


def test_a_table_of_other_columns_is_not_merged_into(models: ModelProject) -> None:
    models.champion()
    models.run("predictions")
    before = models.rows(ALL)
    models.write(**{"column: probability": "column: chance"})
    assert not models.run("predictions").success
    assert models.sentence() == (
        f"{models.schema}.PREDICTIONS has no column chance: it was made for other keys or another"
        " column; drop the table, or name another"
    )
    assert models.rows(ALL) == before


def test_a_partition_scores_its_days_alone(models: ModelProject) -> None:
    partition = "{type: daily, start: '2013-01-01', end: '2013-05-01', column: flight_date}"
    models.write(f"{AREA.rstrip()}\n        meta: {{dagster: {{partition: {partition}}}}}\n")
    models.champion()
    assert models.run("predictions", partition_key="2013-01-02").success, models.failure()
    scored = models.rows("select flight_id from {s}.predictions order by 1")
    frame = flights()
    day = frame[frame["flight_date"].astype(str) == "2013-01-02"]["flight_id"]
    assert [row[0] for row in scored] == day.tolist()
    assert not models.run("predictions").success
    assert "names no partition" in models.failure()


def test_without_a_champion_nothing_is_scored(models: ModelProject) -> None:
    assert not models.run("predictions").success
    assert f"delay has no champion: materialize ml/{models.area}/delay" in models.failure()


def test_a_failed_scoring_writes_nothing(models: ModelProject) -> None:
    models.champion()
    models.run("predictions")
    before = models.rows(ALL)
    models.load(flights(seed=5))
    for replaced, by, reported in (
        ("[:, 1]", "", "must return one value per row"),
        ("return model", "raise ValueError('odd rows') #", "ValueError: odd rows"),
    ):
        models.write(module=MODULE.replace(replaced, by))
        assert not models.run("predictions").success
        assert reported in models.failure()
    assert models.rows(ALL) == before


def test_a_tampered_model_scores_nothing(models: ModelProject) -> None:
    models.champion()
    (version,) = models.versions()
    put_file(models.session, f"{models.schema}.MODEL_FILES", version.file, b"cos\nsystem\n.")
    assert not models.run("predictions").success
    assert "is not the one that was registered" in models.failure()
