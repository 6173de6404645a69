"""A step waits for an upstream table that another run is writing, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from factories.core.execution.upstream_writers import wait_for_upstream_writers

pytestmark = pytest.mark.programs  # Dagster follows the output of a run with `tail`

SECONDS = 20


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


class Two:
    """An asset that writes until it is told to end, and one that reads it."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.writes, self.may_end, self.waits = (threading.Event() for _ in range(3))
        self.order: list[str] = []

    def definitions(self, *, most_seconds: float = SECONDS) -> dg.Definitions:
        @dg.asset
        def up() -> None:

            self.writes.set()
            assert self.may_end.wait(SECONDS)
            self.order.append("up")

        @dg.asset(deps=[up])
        def d(context) -> None:
            self.waits.set()
            wait_for_upstream_writers(context, look_seconds=0.05, most_seconds=most_seconds)
            self.order.append("d")

        return dg.Definitions([up, d])

    def start(self, definitions: dg.Definitions, name: str) -> threading.Thread:
        job = definitions.resolve_implicit_global_asset_job_def()

        def run() -> None:
            job.execute_in_process(instance=self.instance, asset_selection=[dg.AssetKey(name)])

        thread = threading.Thread(target=run)
        thread.start()
        return thread


def test_step_waits_for_the_run_that_writes_its_upstream(instance: dg.DagsterInstance) -> None:
    two = Two(instance)
    definitions = two.definitions()
    writer = two.start(definitions, "up")
    assert two.writes.wait(SECONDS)
    reader = two.start(definitions, "d")
    assert two.waits.wait(SECONDS)
    reader.join(0.5)
    assert two.order == []
    two.may_end.set()
    writer.join(SECONDS)
    reader.join(SECONDS)
    assert two.order == ["up", "d"]


def test_step_goes_on_after_the_longest_wait(instance: dg.DagsterInstance) -> None:
    two = Two(instance)
    definitions = two.definitions(most_seconds=0)
    writer = two.start(definitions, "up")
    assert two.writes.wait(SECONDS)
    two.start(definitions, "d").join(SECONDS)
    assert two.order == ["d"]
    two.may_end.set()
    writer.join(SECONDS)


def test_run_that_has_not_begun_to_write_is_not_waited_for(instance: dg.DagsterInstance) -> None:
    two = Two(instance)
    definitions = two.definitions()
    instance.create_run_for_job(
        definitions.resolve_implicit_global_asset_job_def(),
        asset_selection=frozenset({dg.AssetKey("up")}),
        status=dg.DagsterRunStatus.STARTED,
    )
    two.start(definitions, "d").join(SECONDS)
    assert two.order == ["d"]
