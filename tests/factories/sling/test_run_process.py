"""The Sling process: stopped with its run, and its death is not a success."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import psutil
import pytest

from factories.sling.program import SlingNotFoundError, call_sling, find_binary, run_sling
from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

WAIT_SECONDS = 180
READING = "reading from source database"
SLOW_VIEW = "create view {s}.slow as select id, pg_sleep(60)::text as nap from {s}.customers"


def sling_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if is_sling(child)]


def is_sling(process: psutil.Process) -> bool:
    try:
        return "sling" in process.name()
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return False


def test_process_and_its_folder_end_with_the_run(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "step"
    folder.mkdir()
    source.execute(SLOW_VIEW)
    replication = {
        "source": "SHOP",
        "target": "LOCAL",
        "streams": {f"{source.schema}.slow": {"object": f"file://{tmp_path}/slow.csv"}},
    }
    connections = {"SHOP": source.url, "LOCAL": "file://"}
    lines = run_sling(find_binary(), json.dumps(replication), connections, folder)
    for line in lines:
        if READING in line.text:
            break
    [process] = sling_children()
    assert list(folder.iterdir()) != []

    lines.close()

    assert not process.is_running()
    assert list(folder.iterdir()) == []


def test_killed_sling_fails_its_streams_and_keeps_what_was_done(
    project: Project, source: Source
) -> None:
    source.execute(SLOW_VIEW)
    project.replication("""
        source: shop
        target: SNOWFLAKE
        defaults: {object: "{s}.{stream_table}"}
        streams:
          {s}.customers:
          {s}.slow:
    """)

    def is_reading_slowly() -> bool:
        for run in project.instance.get_runs(limit=1):
            log = [event.user_message for event in project.instance.all_logs(run.run_id)]
            begun = [n for n, line in enumerate(log) if f"stream {source.schema}.slow" in line]
            # `customers` is loaded, and what came before `slow` does not count.
            return bool(begun) and any(READING in line for line in log[begun[0] :])
        return False

    def kill_when_reading_slowly() -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_reading_slowly():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        [sling] = sling_children()
        sling.kill()

    killer = threading.Thread(target=kill_when_reading_slowly)
    killer.start()
    result = project.run()
    killer.join()

    assert not result.success
    assert set(materialized(result)) == {"customers"}
    failure = result.failure_data_for_node("sling__shop")
    assert failure is not None
    assert f"{source.schema}.slow: Sling was ended by SIGKILL; the end of" in failure.error.message


def test_binary_that_does_not_exist_is_named() -> None:
    with pytest.raises(SlingNotFoundError, match="no-such-sling"):
        find_binary({"SLING_BINARY": "no-such-sling"})


@pytest.mark.programs
def test_a_url_that_is_for_another_program_is_no_connection(monkeypatch) -> None:
    monkeypatch.setenv("ANOTHERS_URL", "postgres://somebody@127.0.0.1/db")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    connections = {"SHOP": "postgres://somebody@127.0.0.1/shop"}

    listed = call_sling(find_binary(), ["conns", "list"], connections, as_json=False)

    assert "SHOP" in listed
    assert "ANOTHERS_URL" not in listed
