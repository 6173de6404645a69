"""Steps that are killed: registry and tables are as before, and a plain rerun goes through."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psutil
import pytest

from factories.snowpark.models.registry import Registry, Version
from factories.snowpark.scores.write import ScoresWriter
from tests.factories.snowpark.conftest import run_until_killed
from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject
from tests.local_snowflake.handlers import wait_until

pytestmark = pytest.mark.clients

OVERWRITE = AREA.replace("keys: [flight_id], column", "mode: overwrite, keys: [flight_id], column")
KILL = "import os; os.kill(os.getpid(), 9)"
ALL = "select flight_id, probability, model_version, scored_at from {s}.predictions order by 1"


def kill(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(
    models: ModelProject,
    name: str,
    patch: Callable[[], None] = lambda: None,
    **config: object,
) -> Callable[[], None]:
    def run() -> None:
        patch()
        with dg.DagsterInstance.ephemeral() as instance:
            models.instance = instance
            models.train(**config) if name == "delay" else models.run(name)

    return run


def test_a_training_killed_in_the_users_function_leaves_the_registry(models: ModelProject) -> None:
    models.champion()
    models.write(module=MODULE.replace("columns = params", f"{KILL}; columns = params"))
    run_until_killed(in_child(models, "delay"))
    assert models.statuses() == {1: "champion"}


def test_a_training_inside_snowflake_ends_with_its_step_and_leaves_the_registry(
    models: ModelProject, tmp_path: Path
) -> None:
    models.champion()
    before, files = models.versions(), files_of(models)
    started = tmp_path / "started"
    waits = (
        "import os, pathlib, time; pid = pathlib.Path(params['pid']); "
        "pid.with_suffix('.new').write_text(str(os.getpid())); "
        "pid.with_suffix('.new').rename(pid); time.sleep(600); columns = params"
    )
    inside = AREA.replace("runs_in: client", "runs_in: snowflake")
    models.write(
        inside.replace("columns: [hour, rain]", f"pid: {started}"),
        module=MODULE.replace("columns = params", waits),
    )
    step = multiprocessing.get_context("fork").Process(target=in_child(models, "delay"))
    step.start()
    try:
        wait_until(lambda: started.exists() or not step.is_alive())
        handler = int(started.read_text())
        assert psutil.pid_exists(handler)
    finally:
        step.kill()
        step.join(60)
    wait_until(lambda: not psutil.pid_exists(handler))
    assert models.versions() == before
    assert files_of(models) == files

    models.write(inside)
    assert models.train().success, models.failure()
    assert models.statuses() == {2: "candidate", 1: "champion"}


def files_of(models: ModelProject) -> set[str]:
    """The files of models in the stage."""
    listed = models.session.sql(f"list @{models.schema}.MODEL_FILES/delay/").collect()
    return {str(row[0]) for row in listed}


def dies_in_the_promotion() -> None:
    promote = Registry._promote

    def promote_and_die(registry: Registry, version: Version) -> Version:
        now = promote(registry, version)
        assert registry.champion(version.model) == now
        kill()
        return now

    Registry._promote = promote_and_die  # type: ignore[method-assign]


def test_a_step_killed_in_the_promotion_leaves_the_champion(models: ModelProject) -> None:
    models.champion("rain")
    before = models.versions()
    run_until_killed(in_child(models, "delay", dies_in_the_promotion))
    assert models.versions() == before
    assert models.train().success, models.failure()
    assert models.statuses() == {2: "champion", 1: "archived"}


def test_a_step_killed_in_a_promotion_by_hand_leaves_the_champion(models: ModelProject) -> None:
    models.champion("rain")
    models.champion()
    before = models.versions()
    run_until_killed(in_child(models, "delay", dies_in_the_promotion, promote_version=1))
    assert models.versions() == before
    assert models.statuses() == {2: "champion", 1: "archived"}
    assert models.train(promote_version=1).success, models.failure()
    assert models.statuses() == {2: "archived", 1: "champion"}


@pytest.mark.parametrize("text", [AREA, OVERWRITE], ids=["merge", "overwrite"])
def test_a_scoring_killed_in_its_write_leaves_the_table(models: ModelProject, text: str) -> None:
    models.write(text)
    models.champion()
    models.run("predictions")
    before = models.rows(ALL)
    models.load(flights(seed=7).head(300))

    run_until_killed(
        in_child(models, "predictions", lambda: setattr(ScoresWriter, "_rows_sql", kill))
    )
    assert models.rows(ALL) == before
    assert models.run("predictions").success, models.failure()
    assert models.rows(ALL) != before


def test_a_first_scoring_that_is_killed_leaves_no_table(models: ModelProject) -> None:
    models.champion()
    models.write(module=MODULE.replace("return model.predict", f"{KILL}; return model.predict"))
    run_until_killed(in_child(models, "predictions"))
    assert models.rows(f"show tables in schema {models.schema}")
    found = {row[1] for row in models.rows(f"show tables in schema {models.schema}")}
    assert found == {"FEATURES", "MODELS", "MODELS_LOCK"}
