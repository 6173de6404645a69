"""What steps that train and steps that score have in common: their session, retries, failures."""

from __future__ import annotations

import pytest

from tests.factories.snowpark.conftest import open_sessions
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject

pytestmark = pytest.mark.clients

BOTH = pytest.mark.parametrize("name", ["delay", "predictions"])
RETRIED = AREA.replace(
    "defaults: {runs_in: client}",
    "defaults: {runs_in: client, meta: {dagster: {retries: {max: 1, delay: 0s}}}}",
)
NO_WAREHOUSE = AREA.replace("runs_in: client}", "runs_in: client, warehouse: no such name}")


def module(body: str) -> str:
    """The module, both of whose functions begin with a statement."""
    text = MODULE.replace("columns = params", f"{body}; columns = params")
    return text.replace("return model.predict_proba", f"{body}; return model.predict_proba")


def retries(models: ModelProject) -> int:
    """How often Dagster has begun the last run's step again."""
    events = models.results[-1].all_events
    return sum(event.event_type_value == "STEP_RESTARTED" for event in events)


@BOTH
def test_the_warehouse_knows_for_which_run_and_asset_it_works(
    models: ModelProject, tags: list[str], name: str
) -> None:
    models.champion()
    assert models.run(name).success, models.failure()
    assert tags == [f"{models.results[-1].run_id} ml/{models.area}/{name}"]


@BOTH
@pytest.mark.parametrize("raised", ["ValueError()", "SystemExit(3)"])
def test_a_step_whose_function_fails_closes_its_session(
    models: ModelProject, name: str, raised: str
) -> None:
    models.champion()
    models.write(module=module(f"raise {raised}"))
    before = open_sessions()
    assert not models.run(name).success
    assert open_sessions() == before


@BOTH
def test_a_step_that_fails_while_it_opens_closes_its_session(
    models: ModelProject, name: str
) -> None:
    models.champion()
    models.write(NO_WAREHOUSE)
    before = open_sessions()
    assert not models.run(name).success
    assert "no such name" in models.failure()
    assert open_sessions() == before


def test_a_step_that_cannot_write_closes_its_session(models: ModelProject) -> None:
    models.champion()
    models.session.sql(f"create table {models.schema}.PREDICTIONS (other number)").collect()
    before = open_sessions()
    assert not models.run("predictions").success
    assert not models.train(promote_version=7).success
    assert open_sessions() == before


@BOTH
def test_what_the_warehouse_refuses_is_tried_again(models: ModelProject, name: str) -> None:
    models.champion()
    models.write(RETRIED)
    features = f"{models.schema}.FEATURES"
    models.session.sql(f"alter table {features} rename to {models.schema}.OLD").collect()
    wrong = "to_number(carrier) as hour"
    models.session.sql(
        f"create view {features} as select * exclude (hour), {wrong} from {models.schema}.OLD"
    ).collect()
    assert not models.run(name).success
    assert retries(models) == 1


@BOTH
@pytest.mark.parametrize("inside", [False, True])
def test_what_a_function_raises_is_not_tried_again(
    models: ModelProject, name: str, inside: bool
) -> None:
    models.champion()
    text = RETRIED.replace("client", "snowflake") if inside else RETRIED
    models.write(text, module=module("raise SystemExit('enough')"))
    assert not models.run(name).success
    assert "enough" in models.failure()
    assert retries(models) == 0


@BOTH
def test_a_function_that_fails_is_reported_by_its_own_lines(
    models: ModelProject, name: str
) -> None:
    models.champion()
    models.write(module=module("raise SystemExit(3)"))
    assert not models.run(name).success
    function = {"delay": "delay:train", "predictions": "delay:predict"}[name]
    assert f"{function} failed:\nTraceback (most recent call last):" in models.failure()
    assert models.failure().strip().endswith("SystemExit: 3")
    assert "model_step.py" not in models.failure()


@BOTH
@pytest.mark.parametrize("inside", [False, True])
def test_a_function_that_returns_nothing_is_reported(
    models: ModelProject, name: str, inside: bool
) -> None:
    models.champion()
    text = AREA.replace("client", "snowflake") if inside else AREA
    models.write(text, module=module("return None"))
    assert not models.run(name).success
    reported = {
        "delay": "train must return a fitted estimator",
        "predictions": "predict must return",
    }
    assert reported[name] in models.failure()


@BOTH
@pytest.mark.parametrize("inside", [False, True])
def test_features_that_were_never_made_are_reported_by_their_asset(
    models: ModelProject, name: str, inside: bool
) -> None:
    models.champion()
    text = RETRIED.replace("client", "snowflake") if inside else RETRIED
    models.write(text)
    models.session.sql(f"drop table {models.schema}.FEATURES").collect()
    assert not models.run(name).success
    assert (
        models.failure()
        .strip()
        .endswith(
            f"there is no table {models.schema}.FEATURES, or none that the role may read:"
            f" materialize ml/{models.area}/features first"
        )
    )
    assert retries(models) == 0


@BOTH
def test_a_password_that_a_function_prints_or_raises_never_shows(
    models: ModelProject, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models.champion()
    password = str(models.warehouse.settings["password"])
    models.write(module=module(f"print('{password}'); raise ValueError('{password}')"))
    assert not models.run(name).success
    assert "ValueError: ***" in models.failure()
    assert password not in models.failure()
    out, err = capsys.readouterr()
    assert "***\n" in out
    assert password not in out + err
