"""Many files, two pipelines, and pipelines that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local_snowflake.clients.conftest import Ads

pytestmark = pytest.mark.clients

ROWS = 1000
FILE_ROWS = "50"
# Arguments: the dataset, the table, the file format, a value for all rows, and of which statement
# the process dies once it was run, and how many rows.
PIPELINE = """
import contextlib, os, signal, sys
import dlt
from dlt.destinations.impl.snowflake.sql_client import SnowflakeSqlClient

dataset, table, file_format, value, deadly, count = sys.argv[1:]
execute_query = SnowflakeSqlClient.execute_query

@contextlib.contextmanager
def deadly_query(self, query, *args, **kwargs):
    with execute_query(self, query, *args, **kwargs) as cursor:
        if deadly and deadly in query:
            os.kill(os.getpid(), signal.SIGKILL)
        yield cursor

SnowflakeSqlClient.execute_query = deadly_query
pipeline = dlt.pipeline(dataset, destination="snowflake", dataset_name=dataset)
rows = [{"id": n, "v": int(value), "kids": [{"k": n}]} for n in range(int(count))]
resource = dlt.resource(rows, name=table, primary_key="id", write_disposition="merge")
pipeline.run(resource, loader_file_format=file_format).raise_on_failed_jobs()
"""


def run(ads: Ads, *arguments: str, folder: str) -> tuple[int, str]:
    """Run the pipeline in a process and with a local folder of its own."""
    environment = {
        **os.environ,
        "DLT_DATA_DIR": str(ads.root / folder),
        "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "500",
    }
    done = subprocess.run(
        [sys.executable, "-c", PIPELINE, *arguments, str(ROWS)],
        env=environment, text=True, capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout[-1000:] + done.stderr[-1000:]


def totals(ads: Ads, schema: str, table: str = "things") -> tuple[object, ...]:
    (row,) = ads.rows(
        f"select count(*), count(distinct id), sum(v), (select count(*) from {table}__kids), "
        f"(select sum(k) from {table}__kids) from {table}",
        schema=schema,
    )
    return row


def expected(value: int) -> tuple[int, ...]:
    return ROWS, ROWS, ROWS * value, ROWS, sum(range(ROWS))


@pytest.mark.parametrize(("file_format", "keep"), [("parquet", "true"), ("jsonl", "false")])
def test_many_files_at_once_lose_and_double_nothing(
    ads: Ads, monkeypatch: pytest.MonkeyPatch, file_format: str, keep: str
):
    monkeypatch.setenv("NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS", FILE_ROWS)
    monkeypatch.setenv("DESTINATION__SNOWFLAKE__KEEP_STAGED_FILES", keep)
    rows = [{"id": n, "v": 1, "kids": [{"k": n}]} for n in range(ROWS)]
    ads.load(rows, file_format)
    assert totals(ads, "ADS") == expected(1)
    assert bool(ads.rows('list @"%THINGS"')) is (keep == "true")


def test_pipelines_side_by_side(ads: Ads):
    """Two into one dataset and one into another."""
    # dlt creates a schema without IF NOT EXISTS: the first run into a dataset is alone.
    ads.load([{"id": 1}], "jsonl", primary_key="id", write_disposition="merge")
    loads = [("ads", "first", "parquet"), ("ads", "second", "jsonl"), ("other", "things", "csv")]
    with ThreadPoolExecutor(len(loads)) as pool:
        ends = [pool.submit(run, ads, *load, "2", "", folder="-".join(load)) for load in loads]
        assert [end.result() for end in ends] == [(0, "")] * len(loads)
    for dataset, table, _ in loads:
        assert totals(ads, dataset.upper(), table) == expected(2)
    assert ads.rows("select count(*) from _dlt_loads") == [(3,)]


def test_run_after_a_killed_one_succeeds(ads: Ads):
    arguments = ("ads", "things", "parquet")
    rows = [{"id": 1, "v": 1, "kids": [{"k": 1}]}]
    ads.load(rows, "jsonl", primary_key="id", write_disposition="merge")
    status, output = run(ads, *arguments, "2", "DELETE FROM", folder="2")
    assert status == -signal.SIGKILL, output
    assert run(ads, *arguments, "3", "", folder="3") == (0, "")
    assert totals(ads, "ADS") == expected(3)


def test_killed_clients_transaction_is_rolled_back(warehouse, database, tmp_path: Path):
    warehouse.rows("create table t as select 1 as k", database=database)
    settings = {**warehouse.settings, "database": database, "network_timeout": 30}
    code = (
        "import snowflake.connector, sys\n"
        f"cursor = snowflake.connector.connect(**{settings!r}).cursor()\n"
        "cursor.execute('begin')\n"
        "cursor.execute('update t set k = 2')\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    try:
        assert client.stdout.readline() == b"written\n"
    finally:
        client.kill()
        client.communicate()
    # Waits for the lock until it is given back.
    warehouse.rows("update t set k = k + 10", database=database)
    assert warehouse.rows("select k from t", database=database) == [(11,)]
