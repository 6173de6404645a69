"""Training in a step: versions, the champion, rolling back, and what is told."""

from __future__ import annotations

import base64
from typing import Any

import dagster as dg
import pytest
from sklearn.metrics import roc_auc_score

from factories.snowpark.in_snowflake.training import put_file, train
from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import BEST, GOOD, MODULE, WORSE, ModelProject

pytestmark = pytest.mark.clients

SCORES = "select model_version, probability from {s}.predictions order by flight_id"


def test_a_first_model_is_trained_measured_and_promoted(models: ModelProject) -> None:
    assert models.train().success, models.failure()
    (version,) = models.versions()
    assert (version.status, version.run_id) == ("champion", models.results[-1].run_id)
    assert set(version.metrics) == {"validation", "test"}
    assert version.metrics["validation"]["roc_auc"] > 0.8
    assert version.splits["train"]["first"].startswith("2013-01-01")
    assert version.splits["train"]["last"].startswith("2013-02-28")
    assert version.splits["validation"]["first"].startswith("2013-03-01")
    assert version.splits["test"]["first"].startswith("2013-03-20")
    assert sum(span["rows"] for span in version.splits.values()) == 600
    assert models.checks() == {
        "split_is_disjoint": True,
        "compared_with_champion": True,
        "metric_threshold": True,
        "calibration": True,
    }
    metadata = models.metadata()
    assert metadata["version"] == 1
    assert metadata["status"] == "champion"
    assert "first champion" in str(metadata["decision"])
    assert metadata["features"] == ["hour", "rain"]
    assert float(str(metadata["validation/roc_auc"])) > 0.8
    for plot in ("roc", "calibration", "importance"):
        text = str(metadata[f"plots/{plot}"])
        picture = base64.b64decode(text.partition("base64,")[2].rstrip(")"))
        assert picture.startswith(b"\x89PNG"), plot


def test_the_same_data_and_code_give_the_same_model(models: ModelProject) -> None:
    module = MODULE.replace(
        "from sklearn.linear_model import LogisticRegression",
        "from sklearn.ensemble import RandomForestClassifier",
    ).replace("LogisticRegression()", "RandomForestClassifier(n_estimators=5)")
    models.write(module=module)
    assert models.train().success, models.failure()
    models.load(flights().sample(frac=1, random_state=9))  # the warehouse promises no order
    assert models.train().success, models.failure()
    second, first = models.versions()
    assert second.metrics == first.metrics
    assert second.sha256 == first.sha256
    assert models.statuses() == {2: "candidate", 1: "champion"}


def test_a_worse_model_is_registered_and_not_promoted(models: ModelProject) -> None:
    models.champion()
    models.columns(WORSE, **{"at_least: 0.6": "at_least: 0.1"})
    models.train()
    assert models.statuses() == {2: "candidate", 1: "champion"}
    metadata = models.metadata()
    assert metadata["champion/version"] == 1
    assert float(str(metadata["champion/roc_auc"])) > float(str(metadata["validation/roc_auc"]))
    assert "the champion, version 1, has" in str(metadata["decision"])


def test_the_champion_is_measured_on_the_candidates_own_validation_rows(
    models: ModelProject,
) -> None:
    champion = models.registry.load(models.champion("rain"))
    models.train()
    frame = flights()
    days = frame["flight_date"].astype(str)
    rows = frame[(days >= "2013-03-01") & (days < "2013-03-20")]
    expected = roc_auc_score(rows["is_late"], champion.predict_proba(rows[["rain"]])[:, 1])
    assert models.metadata()["champion/roc_auc"] == pytest.approx(expected)


def test_a_champion_that_has_seen_the_rows_is_reported(models: ModelProject) -> None:
    models.train()
    models.write(**{"2013-03-01": "2013-02-01", "2013-03-20": "2013-03-01"})
    models.train()
    (reported,) = (
        check.description
        for check in models.results[-1].get_asset_check_evaluations()
        if check.check_name == "compared_with_champion"
    )
    assert "was trained on rows until 2013-02-28" in str(reported)


def test_a_champion_that_does_not_know_the_new_features_is_reported_and_stays(
    models: ModelProject,
) -> None:
    models.champion()
    models.load(flights().rename(columns={"rain": "wet"}))
    models.columns("[hour, wet]")
    models.train()
    assert models.statuses() == {2: "candidate", 1: "champion"}
    assert models.checks()["compared_with_champion"] is False
    assert "no column rain" in str(models.metadata()["decision"])


def test_a_better_model_is_promoted_and_a_run_can_bring_the_older_one_back(
    models: ModelProject,
) -> None:
    models.columns(GOOD)
    models.train()
    models.columns(BEST)
    models.train()
    assert models.statuses() == {2: "champion", 1: "archived"}
    assert models.train(promote_version=1).success, models.failure()
    assert models.statuses() == {2: "archived", 1: "champion"}
    metadata = models.metadata()
    assert metadata["version"] == 1
    assert metadata["decision"] == "the run's config names it"
    assert models.checks()["split_is_disjoint"]


def test_scores_are_those_of_the_version_that_was_brought_back_and_then_of_the_newer_one(
    models: ModelProject,
) -> None:
    def scored() -> tuple[set[object], list[float]]:
        assert models.run("predictions").success, models.failure()
        rows = models.rows(SCORES)
        return {row[0] for row in rows}, [float(str(row[1])) for row in rows]

    models.columns(GOOD)
    models.train()
    models.columns(BEST)
    models.train()
    newer = scored()
    assert newer[0] == {2}

    assert models.train(promote_version=1).success, models.failure()
    versions, values = scored()
    older = models.registry.load(models.registry.version("delay", 1))
    assert versions == {1}
    assert values == pytest.approx(older.predict_proba(flights()[["rain"]])[:, 1])

    assert models.train(promote_version=2).success, models.failure()
    assert scored() == newer


def test_a_tampered_version_is_not_brought_back(models: ModelProject) -> None:
    tampered = models.champion("rain")
    models.champion()
    put_file(models.session, f"{models.schema}.MODEL_FILES", tampered.file, b"cos\nsystem\n.")
    assert not models.train(promote_version=1).success
    assert "the file of version 1 of delay is not the one that was registered" in models.failure()
    assert models.statuses() == {2: "champion", 1: "archived"}


def test_an_unknown_version_cannot_be_brought_back(models: ModelProject) -> None:
    models.champion()
    assert not models.train(promote_version=4).success
    assert "delay has no version 4" in models.failure()
    assert models.statuses() == {1: "champion"}


def test_a_tampered_champion_is_neither_read_nor_beaten(models: ModelProject) -> None:
    champion = models.champion("rain")
    put_file(models.session, f"{models.schema}.MODEL_FILES", champion.file, b"other")
    models.columns(BEST)
    models.train()
    assert models.statuses() == {2: "candidate", 1: "champion"}
    assert "not the one that was registered" in str(models.metadata()["decision"])


def test_rows_without_a_target_are_for_scoring_only(models: ModelProject) -> None:
    frame = flights()
    models.load(frame.assign(is_late=frame["is_late"].where(frame.index >= 50)))
    assert models.train().success, models.failure()
    assert models.metadata()["rows_without_target"] == 50


def test_checks_alone_judge_the_newest_version(models: ModelProject) -> None:
    models.train()
    result = dg.materialize(
        models.assets(),
        selection=dg.AssetSelection.checks(
            dg.AssetCheckKey(dg.AssetKey(["ml", models.area, "delay"]), "calibration")
        ),
        instance=models.instance,
    )
    models.results.append(result)
    assert models.checks() == {"calibration": True}
    assert models.statuses() == {1: "champion"}


def test_a_key_in_two_parts_of_the_split_fails_its_check(models: ModelProject) -> None:
    frame = flights()
    day = frame["flight_date"].astype(str)
    trained, tested = frame.index[day < "2013-03-01"][0], frame.index[day >= "2013-03-20"][0]
    frame.loc[tested, "flight_id"] = frame.loc[trained, "flight_id"]
    models.load(frame)
    assert models.train().success, models.failure()
    assert models.checks()["split_is_disjoint"] is False
    (version,) = models.versions()
    assert version.details["overlaps"] == ["1 values of the keys (flight_id) are in train and test"]


def test_a_split_that_was_not_looked_at_does_not_pass(models: ModelProject) -> None:
    models.champion("rain")  # as an older training has registered it, or a person
    assert models.train(promote_version=1).success, models.failure()
    assert models.checks()["split_is_disjoint"] is False


def test_a_failed_training_registers_nothing(models: ModelProject) -> None:
    models.write(
        module=MODULE.replace("columns = params", "raise OSError('no room'); columns = params")
    )
    assert not models.train().success
    assert "OSError: no room" in models.failure()
    assert models.statuses() == {}


def test_a_training_whose_run_was_given_up_meanwhile_registers_nothing(
    models: ModelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*arguments: Any) -> Any:
        (run,) = models.instance.get_runs(limit=1)
        models.instance.report_run_failed(run)
        return train(*arguments)

    monkeypatch.setattr("factories.snowpark.models.run.train", give_up)
    models.train()

    assert "the run has ended meanwhile: nothing is registered" in models.failure()
    assert models.statuses() == {}


def test_training_sees_neither_validation_nor_test_rows(models: ModelProject) -> None:
    asserts = "assert str(max(training_data['flight_date'])) == '2013-02-28'; columns = params"
    models.write(module=MODULE.replace("columns = params", asserts))
    assert models.train().success, models.failure()
