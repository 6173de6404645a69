"""A step in a process of its own that stops at an exact point of a load, to be killed there.

Nothing of it is in the tested code: dlt is wrapped, in that process only, to tell the test that the
point is reached and to stay there.
"""

# Only the process that is stopped imports dlt and Dagster, and wraps what it imports.
# ruff: noqa: PLC0415

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Protocol

WAIT_SECONDS = 180
# Forked from a process that has imported what a step imports, as Dagster's executor does it.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(
    ["factories.dlt.step_imports", "factories.definitions", "factories.preload"]
)


@dataclass(frozen=True)
class Halt:
    """How the two processes talk.

    Attributes:
        reached: Set by the step at the point where it stops.
        released: Lets the step go on.
    """

    reached: Event
    released: Event

    def __call__(self) -> None:
        self.reached.set()
        self.released.wait()


class Point(Protocol):
    """A point of a load."""

    def install(self, halt: Halt) -> None:
        """Wrap dlt so that `halt` is called there."""


@dataclass(frozen=True)
class Reading:
    """The source calls `halt_here`, which is given to it."""

    def install(self, halt: Halt) -> None:
        import builtins

        builtins.halt_here = halt  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Extracted:
    """All is read, nothing is normalized."""

    def install(self, halt: Halt) -> None:
        from dlt import Pipeline

        _after(Pipeline, "extract", halt)


@dataclass(frozen=True)
class Normalized:
    """All files are written, nothing is loaded."""

    def install(self, halt: Halt) -> None:
        from dlt import Pipeline

        _after(Pipeline, "normalize", halt)


@dataclass(frozen=True)
class Loaded:
    """So many files of these tables are loaded, and no other file is.

    Attributes:
        tables: The tables whose files may be loaded.
        files: How many.
    """

    tables: Collection[str]
    files: int = 1

    def install(self, halt: Halt) -> None:
        from dlt.destinations.impl.snowflake.snowflake import SnowflakeLoadJob

        load = SnowflakeLoadJob.run
        turn = threading.Lock()
        done: list[str] = []

        def run(job: Any) -> None:
            table = job.job_file_info().table_name
            if table not in self.tables:
                halt.released.wait()
            with turn:
                load(job)
                done.append(table)
                if len(done) == self.files:
                    halt()

        _replace(SnowflakeLoadJob, "run", run)


@dataclass(frozen=True)
class Copying:
    """A file of this table is copied, and not committed."""

    table: str

    def install(self, halt: Halt) -> None:
        from dlt.destinations.impl.snowflake.snowflake import SnowflakeLoadJob

        load = SnowflakeLoadJob.run

        def run(job: Any) -> None:
            if job.job_file_info().table_name == self.table:
                _before(job._job_client.sql_client, "commit_transaction", halt)
            load(job)

        _replace(SnowflakeLoadJob, "run", run)


@dataclass(frozen=True)
class FollowedUp:
    """So many of the statements that merge or replace this table are run.

    Attributes:
        table: The table.
        statements: How many; then they are not committed. None for all, and committed.
    """

    table: str
    statements: int | None = None

    def install(self, halt: Halt) -> None:
        from dlt.destinations.job_client_impl import SqlLoadJob

        execute, split = SqlLoadJob.run, SqlLoadJob._split_fragments

        def run(job: Any) -> None:
            if job.job_file_info().table_name != self.table:
                execute(job)
                return
            if self.statements is not None:
                _before(job._job_client.sql_client, "commit_transaction", halt)
                job._split_fragments = lambda sql: split(job, sql)[: self.statements]
            execute(job)
            halt()

        _replace(SqlLoadJob, "run", run)


@dataclass(frozen=True)
class Completing:
    """All is loaded, merged and replaced, and dlt has not entered it in `_dlt_loads`."""

    def install(self, halt: Halt) -> None:
        from dlt.destinations.impl.snowflake.snowflake import SnowflakeClient

        _before(SnowflakeClient, "complete_load", halt)


@dataclass(frozen=True)
class Completed:
    """The load is entered in `_dlt_loads`, nothing has happened since."""

    def install(self, halt: Halt) -> None:
        from dlt.destinations.impl.snowflake.snowflake import SnowflakeClient

        _after(SnowflakeClient, "complete_load", halt)


def _replace(owner: object, name: str, function: Any) -> None:
    setattr(owner, name, function)


def _after(owner: object, name: str, halt: Halt) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        halt()
        return result

    _replace(owner, name, wrapped)


def _before(owner: object, name: str, halt: Halt) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        halt()
        return original(*args, **kwargs)

    _replace(owner, name, wrapped)


@dataclass(frozen=True)
class StoppedStep:
    """A step that stands still.

    Attributes:
        pid: Its process.
        process: The same, to wait for.
    """

    pid: int
    process: Any

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait until the process has ended, and return its exit code."""
        os.kill(self.pid, number)
        self.process.join(WAIT_SECONDS)
        assert self.process.exitcode is not None, "the step did not end"
        return int(self.process.exitcode)

    def folders(self) -> list[Path]:
        """Return the temporary folders of the step."""
        return list(Path(tempfile.gettempdir()).glob(f"dp-dlt-{self.pid}-*"))


@contextmanager
def stopped_step(
    point: Point,
    *,
    release_at_shutdown: bool = False,
    full_refresh: bool = False,
    own_assets: Callable[[], Any] | None = None,
) -> Iterator[StoppedStep]:
    """Run the project's assets in another process until the point is reached.

    Args:
        point: Where to stop.
        release_at_shutdown: Whether dlt's threads go on once the step has left dlt's loop.
        full_refresh: Whether everything is loaded again.
        own_assets: Returns assets in Python, which are run in place of the pipeline files'.
    """
    halt = Halt(FORKSERVER.Event(), FORKSERVER.Event())
    options = {
        "release_at_shutdown": release_at_shutdown,
        "full_refresh": full_refresh,
        "own_assets": own_assets,
    }
    process = FORKSERVER.Process(
        target=_run, args=(dict(os.environ), point, halt), kwargs=options, daemon=True
    )
    process.start()
    try:
        while not halt.reached.wait(0.05):
            assert process.is_alive(), f"the step ended without reaching {point}"
        assert process.pid
        yield StoppedStep(process.pid, process)
    finally:
        process.kill()
        process.join(WAIT_SECONDS)


def _run(
    environment: Mapping[str, str],
    point: Point,
    halt: Halt,
    *,
    release_at_shutdown: bool,
    full_refresh: bool,
    own_assets: Callable[[], Any] | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    import dagster as dg

    from factories.core.warehouse.names import warehouse_names
    from factories.definitions import read_project
    from factories.location_defaults import default_resources

    point.install(halt)
    if release_at_shutdown:
        from dlt.common.runners.pool_runner import TimeoutThreadPoolExecutor

        end = TimeoutThreadPoolExecutor.shutdown

        def shutdown(pool: Any, **options: Any) -> None:
            halt.released.set()
            end(pool, **options)

        _replace(TimeoutThreadPoolExecutor, "shutdown", shutdown)
    config: dict[str, Any] = {}
    if own_assets is not None:
        assets = [own_assets()]
    else:
        assets = read_project(dlt="dlt_pipelines")[1]
        ops = {asset.op.name for asset in assets if isinstance(asset, dg.AssetsDefinition)}
        config = {"ops": {op: {"config": {"full_refresh": full_refresh}} for op in ops}}
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            assets,
            instance=instance,
            resources=default_resources(warehouse_names()),
            raise_on_error=False,
            run_config=config,
        )
