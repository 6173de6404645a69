"""The warehouse's process is killed, or stands still, while a step works with it.

The step fails with a sentence, and a plain rerun, which starts the warehouse again, ends with the
right rows.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import snowflake.connector

from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.core.warehouse.watchdog import interrupt_when_warehouse_is_lost
from factories.core.yaml.problems import format_problems
from factories.dbt.prepare import prepare
from factories.definitions import read_project
from factories.location_defaults import default_resources
from local_snowflake.process import control
from local_snowflake.target import connection_settings
from tests.conftest import QUIET
from tests.factories.conftest import Source
from tests.factories.dbt.conftest import PROFILE, PROJECT
from tests.factories.dbt.forked_dbt import forked_dbt

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("lost warehouse")]

WAIT_SECONDS = 120
TIMEOUTS = {"login_timeout": 20, "network_timeout": 20, "socket_timeout": 20}
FILES = {
    "sling/connections.yaml": 'connections:\n  shop: {type: postgres, url: "${SHOP_URL}"}\n',
    "sling/shop.yaml": """
        source: shop
        target: SNOWFLAKE
        defaults: {object: "shop.{stream_table}", mode: full-refresh}
        streams:
          {s}.numbers: {target_options: {file_max_rows: 5000}}
          {s}.letters:
    """,
    "dlt_pipelines/api.py": """
        import os

        import dlt

        @dlt.source
        def api():
            rows = [{"id": n} for n in range(int(os.environ["EVENTS"]))]
            return dlt.resource(rows, name="events"), dlt.resource(rows, name="people")
    """,
    "dlt_pipelines/api.yaml": """
        pipeline: api
        dataset: api
        source: {python: "api:api"}
        resources:
          events: {write_disposition: append, incremental: {cursor_path: id}}
          people: {write_disposition: merge, primary_key: id}
    """,
    "dbt/dbt_project.yml": PROJECT,
    "dbt/profiles.yml": PROFILE.replace("{s}", "MARTS"),
    "dbt/models/first.sql": """
        {{ config(materialized='table', pre_hook="update RAW.PUBLIC.LATCH set n = n + 1") }}
        select 1 as id
    """,
    "dbt/models/second.sql": "{{ config(materialized='table') }} select * from {{ ref('first') }}",
    "snowpark/area.yaml": """
        features:
          - name: features
            function: functions:numbers
            inputs: {}
            output: {table: ML.AREA.FEATURES, mode: overwrite}
    """,
    "snowpark/functions.py": """
        def numbers(session, inputs):
            session.sql("update RAW.PUBLIC.LATCH set n = n + 1").collect()
            return session.sql("select column1 as id from values (1), (2)")
    """,
}


UPDATE = "update RAW.PUBLIC.LATCH set n = n + 1"
SLOW_SLING = """
source: shop
target: SNOWFLAKE
defaults: {object: "slow.{stream_table}", mode: full-refresh}
streams:
  lost.letters: {target_options: {pre_sql: "{sql}"}}
"""


@dataclass(frozen=True)
class Project:
    """A project with something of each tool, and a warehouse of its own.

    Attributes:
        root: The project folder.
        instance: Dagster's.
    """

    root: Path
    instance: dg.DagsterInstance

    def run(self, **folders: str) -> dg.ExecuteInProcessResult:
        """Materialize the assets of a tool."""
        load_context, assets = read_project(**folders)
        assert not load_context.problems, format_problems(load_context.problems)
        folder = self.root / "dbt"
        return dg.materialize(
            assets,
            instance=self.instance,
            resources=default_resources(warehouse_names(), sling="sling", dbt_folders=[folder]),
            raise_on_error=False,
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Query the warehouse; it starts where it does not run."""
        connection = snowflake.connector.connect(**connection_settings(), **TIMEOUTS, **QUIET)
        with connection:
            return connection.cursor().execute(sql).fetchall()

    def count(self, table: str) -> object:
        return self.rows(f"select count(*) from {table}")[0][0]

    @contextmanager
    def locked_latch(self, seconds: float | None = None) -> Iterator[None]:
        """Let whatever updates the table LATCH wait, for some time or until the warehouse ends."""
        self.rows("create or replace table RAW.PUBLIC.LATCH as select 1 as n")
        with self.locked("update RAW.PUBLIC.LATCH set n = 0", seconds):
            yield

    @contextmanager
    def locked(self, change: str, seconds: float | None = None) -> Iterator[None]:
        """Let whatever changes a table wait for a change of it."""
        holder = snowflake.connector.connect(**connection_settings(), **TIMEOUTS, **QUIET)
        holder.cursor().execute("begin")
        holder.cursor().execute(change)
        release = threading.Timer(seconds or 0, lambda: holder.cursor().execute("commit"))
        if seconds:
            release.start()
        yield
        if seconds:
            release.join()
            holder.close()
        else:
            abandon_connection(holder)

    def when_staging(self) -> Callable[[], bool]:
        """Return what tells whether a client has loaded a file from now on."""
        stages = self.root / "local" / "snowflake" / "stages"
        before = set(stages.rglob("*"))
        return lambda: any(path.is_file() for path in set(stages.rglob("*")) - before)

    def is_waiting(self) -> bool:
        """Whether somebody works beside the one who holds the latch."""
        return (control.status().sessions or 0) > 1


@pytest.fixture(scope="module")
def project(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    importlib.import_module("factories.dbt.execution.process")  # so that dbt is forked there too
    root = tmp_path_factory.mktemp("lost")
    source = Source(postgres, "lost")
    source.execute(
        "create schema {s}",
        "create table {s}.numbers as select i as id from generate_series(1, 20000) i",
        "create table {s}.letters as select 'a' as letter",
    )
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(textwrap.dedent(text).lstrip("\n").replace("{s}", "lost"))
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral() as instance,
        forked_dbt(),
    ):
        patch.setenv("DP_PROJECT_DIR", str(root))
        patch.setenv("DP_LOCAL_DIR", str(root / "local"))
        patch.setenv("DP_TARGET", "local")
        patch.setenv("DP_PREPARE_DBT", "1")
        patch.setenv("SHOP_URL", source.url)
        patch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
        patch.setenv("SNOWFLAKE_NETWORK_TIMEOUT", "4")
        patch.setenv("SNOWFLAKE_LOGIN_TIMEOUT", "6")
        patch.setenv("DP_LOCAL_ANSWER_SECONDS", "1")
        yield Project(root, instance)
        control.stop()


@contextmanager
def signalled(number: signal.Signals, ready: Callable[[], bool]) -> Iterator[None]:
    """Send the warehouse a signal while the block runs, as soon as the block has come so far."""
    pid = control.ensure_running().pid
    sent = threading.Event()
    done = threading.Event()

    def send() -> None:
        while not ready() and not done.is_set():
            time.sleep(0.02)
        if not done.wait(0.3):
            os.kill(pid, number)
            sent.set()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        done.set()
        sender.join()
        if number == signal.SIGSTOP:
            os.kill(pid, signal.SIGKILL)
    assert sent.is_set()


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why the only failed step failed."""
    (event,) = (e for e in result.all_events if e.is_step_failure)
    error = event.step_failure_data.error
    return error.cause.message if error.cause else error.message


def dlt_workers() -> list[threading.Thread]:
    """The threads in which dlt loads files."""
    return [each for each in threading.enumerate() if each.name.startswith("dlt-pool")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_sling_load(project: Project, number: signal.Signals) -> None:
    with signalled(number, project.when_staging()):
        lost = project.run(sling="sling")

    assert "no longer answers" in failure(lost)
    assert project.run(sling="sling").success
    assert project.count("RAW.SHOP.NUMBERS") == 20000
    assert project.count("RAW.SHOP.LETTERS") == 1


def test_slow_statements_on_a_living_server(project: Project) -> None:
    """They take longer than the server may take to answer a request, and are no loss."""
    folder = project.root / "slow"
    folder.mkdir()
    (folder / "shop.yaml").write_text(SLOW_SLING.replace("{sql}", UPDATE))
    (folder / "connections.yaml").write_text(FILES["sling/connections.yaml"])
    with (
        project.locked_latch(seconds=6),
        interrupt_when_warehouse_is_lost(warehouse_settings()),
        closing(warehouse_settings().connect("RAW")) as connection,
        ThreadPoolExecutor(1) as pool,
    ):
        update = pool.submit(connection.cursor().execute, UPDATE)
        assert project.run(sling="slow").success
        assert update.result(WAIT_SECONDS)

    assert project.rows("select n from RAW.PUBLIC.LATCH") == [(2,)]


@pytest.mark.parametrize(("number", "events"), [(signal.SIGKILL, 20), (signal.SIGSTOP, 40)])
def test_dlt_load(
    project: Project, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, events: int
) -> None:
    monkeypatch.setenv("EVENTS", str(events - 15))
    assert project.run(dlt="dlt_pipelines").success
    monkeypatch.setenv("EVENTS", str(events))
    with (
        project.locked("update RAW.API.PEOPLE set id = id"),
        signalled(number, lambda: bool(dlt_workers())),
    ):
        lost = project.run(dlt="dlt_pipelines")

    assert "no longer answers" in failure(lost)
    for worker in dlt_workers():  # what would keep the step's process from ending
        worker.join(WAIT_SECONDS)
        assert not worker.is_alive()
    assert project.run(dlt="dlt_pipelines").success
    assert project.count("RAW.API.EVENTS") == events
    assert project.count("RAW.API.PEOPLE") == events


def test_dbt_build(project: Project) -> None:
    prepare(project.root / "dbt", warehouse_names())
    with project.locked_latch(), signalled(signal.SIGKILL, project.is_waiting):
        lost = project.run(dbt="dbt")

    assert "no longer answers" in failure(lost)
    assert project.run(dbt="dbt").success
    assert project.rows("select * from ANALYTICS.MARTS.SECOND") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_snowpark_step(project: Project, number: signal.Signals) -> None:
    with project.locked_latch(), signalled(number, project.is_waiting):
        lost = project.run(snowpark="snowpark")

    assert "no longer answers" in failure(lost)
    assert project.run(snowpark="snowpark").success
    assert project.rows("select id from ML.AREA.FEATURES order by id") == [(1,), (2,)]


def test_statement_of_the_command_line(project: Project) -> None:
    command = [str(Path(sys.executable).with_name("dp")), "sql", UPDATE]
    with project.locked_latch(), signalled(signal.SIGSTOP, project.is_waiting):
        lost = subprocess.run(
            command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )

    assert lost.returncode == 1
    assert "no longer answers" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert project.rows(UPDATE) == [(1, 0)]
