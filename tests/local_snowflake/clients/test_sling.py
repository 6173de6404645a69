"""The Sling binary, from a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sling_linux_amd64
import snowflake.connector

from local_snowflake.process import control
from local_snowflake.process.state import default_folder
from local_snowflake.target import connection_settings
from sample_sources.flight_ops.postgres import EmbeddedPostgres
from tests.conftest import TIMEOUTS

pytestmark = pytest.mark.clients

BINARY = Path(sling_linux_amd64.__file__).parent / "bin" / "sling-linux-amd64"


@pytest.fixture(scope="module")
def postgres() -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty server.

    Not below pytest's own folder: as root, the server is another user, which may not enter it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        server.create()
        url = f"postgresql://postgres:@/postgres?host={server.start()}"
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            yield connection
        server.remove()


@dataclass
class Sling:
    """Runs streams of a replication whose defaults load into the schema SHOP.

    Attributes:
        source: The PostgreSQL it reads.
        folder: For its files.
        database: Where it loads.
    """

    source: psycopg.Connection[Any]
    folder: Path
    database: str

    def start(self, streams: str, settings: Mapping[str, str | int]) -> subprocess.Popen[str]:
        head = "source: PG\ntarget: WH\ndefaults: {object: 'shop.{stream_table}'}\nstreams:\n"
        path = self.folder / "replication.yaml"
        path.write_text(head + textwrap.indent(textwrap.dedent(streams), "  "))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "SLING_HOME_DIR": str(self.folder / "home"),
            "SLING_TEMP_DIR": str(self.folder / "temp"),
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "PG": f"postgresql://postgres:@/postgres?host={self.source.info.host}",
            "WH": f"snowflake://dp:{settings['password']}@127.0.0.1:{settings['port']}/"
            f"{self.database}?account=fakesnow&protocol=http&validateDefaultParameters=false",
        }
        return subprocess.Popen(
            [BINARY, "run", "-r", path], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, streams: str, settings: Mapping[str, str | int]) -> tuple[bool, str]:
        """Whether it succeeded, and what it printed."""
        with self.start(streams, settings) as process:
            try:
                output, _ = process.communicate(timeout=120)
            finally:
                process.kill()
        return process.returncode == 0, output


@pytest.fixture
def sling(postgres: psycopg.Connection[Any], database: str, tmp_path: Path) -> Sling:
    postgres.execute("drop schema public cascade; create schema public")
    return Sling(postgres, tmp_path, database)


@pytest.fixture
def load(sling: Sling, warehouse: Any) -> Callable[[str], None]:
    """Runs streams that have to succeed."""

    def run(streams: str) -> None:
        succeeded, output = sling.run(streams, warehouse.settings)
        assert succeeded, output

    return run


@pytest.fixture
def rows(warehouse: Any, database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    return lambda sql: warehouse.rows(sql, database=database, schema="SHOP")


TEXT = "a\n\"b\", 'c' \\ \\N é\ttab"
TREE = {"a": [1, None], "b": 'x"\ny'}


def test_values_arrive_as_they_were(postgres, load, rows):
    postgres.execute(
        "create table kinds (i int, b bigint, n numeric(12,2), f float8, t text, ok boolean, "
        "d date, ts timestamp, tz timestamptz, j jsonb, u uuid)"
    )
    postgres.execute(
        "insert into kinds values (1, 9007199254740993, 1234567890.12, 0.1, %s, true, "
        "'2020-02-29', '2020-01-01 01:02:03.123456', '2020-01-01 01:02:03.5+02', %s, "
        "'00000000-0000-0000-0000-000000000001')",
        [TEXT, json.dumps(TREE)],
    )
    postgres.execute("insert into kinds (i, t) values (2, ''), (3, 'NULL'), (4, null)")
    load("public.kinds: {mode: full-refresh}")
    first, *others = rows("select * exclude j from kinds order by i")
    assert first == (
        1, 9007199254740993, Decimal("1234567890.12"), 0.1, TEXT, True, dt.date(2020, 2, 29),
        dt.datetime.fromisoformat("2020-01-01T01:02:03.123456"),
        dt.datetime(2019, 12, 31, 23, 2, 3, 500000, tzinfo=dt.UTC),
        "00000000-0000-0000-0000-000000000001",
    )  # fmt: skip
    assert [row[4] for row in others] == ["", "NULL", None]
    assert others[0] == (2, None, None, None, "", *[None] * 5)
    assert rows("select j:b::string, j:a[0]::int from kinds where i = 1") == [(TREE["b"], 1)]


def test_incremental(postgres, load, rows):
    for table in ("newer", "every", "added"):
        postgres.execute(f"create table {table} (id int, name text, seen timestamp)")
        postgres.execute(
            f"insert into {table} values (1, 'a', '2020-01-01'), (2, 'b', '2020-01-02')"
        )
    streams = """
        public.newer: {mode: incremental, primary_key: [id], update_key: seen}
        public.every: {mode: incremental, primary_key: [id]}
        public.added: {mode: incremental, update_key: seen}
    """
    load(streams)
    for table in ("newer", "every", "added"):
        postgres.execute(f"update {table} set name = 'B', seen = '2020-01-03' where id = 2")
        postgres.execute(f"insert into {table} values (3, 'c', '2020-01-03')")
    for _ in range(2):
        load(streams)
    # A primary key replaces; with an update key alone, what is newer is added.
    assert rows("select id, name from newer order by 1, 2") == [(1, "a"), (2, "B"), (3, "c")]
    assert rows("select id, name from every order by 1, 2") == [(1, "a"), (2, "B"), (3, "c")]
    assert rows("select id, name from added order by 1, 2") == [
        (1, "a"), (2, "B"), (2, "b"), (3, "c"),
    ]  # fmt: skip


def test_truncate_snapshot_and_backfill(postgres, load, rows):
    postgres.execute("create table t (id int, day date)")
    postgres.execute("insert into t select i, date '2020-01-01' + i from generate_series(0, 9) i")
    for _ in range(2):
        load(
            """
            public.t: {mode: truncate}
            snapshot: {sql: select * from public.t, object: shop.snapshots, mode: snapshot}
            backfill:
              {sql: "select * from public.t where {incremental_where_cond}", object: shop.some,
              mode: backfill, primary_key: [id], update_key: day,
              source_options: {range: "2020-01-03,2020-01-05"}}
            """
        )
    assert rows("select count(*) from t") == [(10,)]
    assert rows("select count(*) from snapshots") == [(20,)]
    assert rows("select id from some order by id") == [(2,), (3,), (4,)]


def test_bad_value_in_the_last_file_leaves_the_table_as_it_was(
    postgres, load, sling, rows, warehouse
):
    postgres.execute("create table t (v text); insert into t values ('1')")
    stream = (
        "public.t: {mode: full-refresh, columns: {v: integer}, target_options: {file_max_rows: 2}}"
    )
    load(stream)
    postgres.execute("insert into t values ('2'), ('3'), ('4'), ('x')")
    succeeded, output = sling.run(stream, warehouse.settings)
    assert not succeeded
    assert "'x'" in output
    assert rows("select * from t") == [(1,)]
    assert rows("show tables like 'T%TMP'") == []


def test_streams_of_several_processes_at_once(postgres, sling, rows, warehouse, tmp_path):
    # Sling creates a missing schema without IF NOT EXISTS.
    warehouse.rows("create schema shop", database=sling.database)
    for name in "abc":
        postgres.execute(f"create table {name} (i int)")
        postgres.execute(f"insert into {name} select generate_series(1, 1000)")

    def run(name: str) -> tuple[bool, str]:
        folder = tmp_path / name
        folder.mkdir()
        one = replace(sling, folder=folder)
        return one.run(f"public.{name}: {{mode: full-refresh}}", warehouse.settings)

    with ThreadPoolExecutor(3) as pool:
        for succeeded, output in pool.map(run, "abc"):
            assert succeeded, output
    assert rows("select (select count(*) from a) + (select count(*) from c)") == [(2000,)]


def test_server_killed_in_a_load_keeps_what_was_committed(postgres, sling, tmp_path, monkeypatch):
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "local"))
    sling = replace(sling, database="RAW")
    stream = "public.t: {mode: full-refresh, target_options: {file_max_rows: 20000}}"
    postgres.execute("create table t (i int, t text)")
    postgres.execute("insert into t select i, repeat('x', 100) from generate_series(1, 10) i")
    try:
        settings = connection_settings()
        assert sling.run(stream, settings)[0]
        postgres.execute(
            "insert into t select i, repeat('x', 100) from generate_series(11, 100000) i"
        )
        staged = list((tmp_path / "local" / "snowflake" / "stages").rglob("*.csv"))
        with sling.start(stream, settings) as process:
            # Killed as soon as the first of five files has arrived.
            while list((tmp_path / "local" / "snowflake" / "stages").rglob("*.csv")) == staged:
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.01)
            os.kill(control.status(default_folder()).pid, signal.SIGKILL)
            process.kill()
            process.communicate(timeout=30)
        settings = connection_settings()
        with snowflake.connector.connect(**settings, **TIMEOUTS) as connection:
            cursor = connection.cursor()
            assert cursor.execute("select count(*) from shop.t").fetchone() == (10,)
            assert sling.run(stream, settings)[0]
            assert cursor.execute("select count(*) from shop.t").fetchone() == (100000,)
    finally:
        control.stop(default_folder())
