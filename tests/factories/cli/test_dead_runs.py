"""Which runs of an instance are ended because nobody runs them any longer."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from factories.cli.serving.dead_runs import end_dead_runs
from factories.core.process_identity import LAUNCHED_BY, SERVED_BY, ProcessIdentity


@dg.job
def load() -> None: ...


def test_only_runs_of_dead_processes_of_this_machine_are_ended(tmp_path: Path) -> None:
    this = ProcessIdentity.of_this()
    dead = ProcessIdentity(this.host, this.pid, this.created - 100)  # the number is another's now
    elsewhere = ProcessIdentity("another.machine", dead.pid, dead.created)
    started, waiting = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED
    canceling, failed = dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.FAILURE
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:

        def add(status: dg.DagsterRunStatus, **tags: object) -> str:
            named = {name.replace("__", "/"): str(value) for name, value in tags.items()}
            return instance.create_run_for_job(load, status=status, tags=named).run_id

        ended = {
            add(started, dp__served_by=dead),
            add(canceling, dp__served_by=dead),
            add(waiting, dp__launched_by=dead),
            add(started, dp__served_by=dead, dp__launched_by=this),
        }
        left = {
            add(started, dp__served_by=this): started,
            add(started, dp__served_by=this, dp__launched_by=dead): started,
            add(started, dp__served_by=elsewhere): started,
            add(started): started,
            add(started, dp__served_by="unreadable"): started,
            add(failed, dp__served_by=dead): failed,
        }
        to_repeat = add(failed, dp__served_by=dead, dagster__will_retry="true")

        said = end_dead_runs(tmp_path)

        assert len(said) == len(ended)
        for run_id in ended:
            assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED
        for run_id, status in left.items():
            assert instance.get_run_by_id(run_id).status is status
        assert instance.get_run_by_id(to_repeat).tags["dagster/will_retry"] == "false"
        assert end_dead_runs(tmp_path) == []


def test_this_process_counts_as_gone_once_its_dagster_has_ended(tmp_path: Path) -> None:
    this = ProcessIdentity.of_this()
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        tags = {LAUNCHED_BY: str(this), SERVED_BY: str(this)}
        instance.create_run_for_job(load, status=dg.DagsterRunStatus.STARTED, tags=tags)

    assert end_dead_runs(tmp_path) == []
    assert len(end_dead_runs(tmp_path, gone=ProcessIdentity.parse(str(this)))) == 1
