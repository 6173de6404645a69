from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import sling_linux_amd64
from typer.testing import CliRunner

from sample_sources.cli import app
from sample_sources.flight_ops.address import current_url
from sample_sources.weather_api import url as weather_url

pytestmark = pytest.mark.xdist_group("sample_sources")

SECONDS = 60
SYSTEMS = ["flight_ops", "weather_api"]
SLING = Path(sling_linux_amd64.__path__[0]) / "bin" / "sling-linux-amd64"


def run(*arguments: str, answer: str | None = None) -> str:
    done = CliRunner().invoke(app, arguments, input=answer)
    assert done.exit_code == 0, done.output
    return done.stdout


def read(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def query(text: str) -> list[tuple[Any, ...]]:
    address = current_url()
    assert address
    with psycopg.connect(address, connect_timeout=10) as connection:
        return connection.execute(text.encode()).fetchall()


def observations(address: str) -> int:
    """How many observations the service gives."""
    rows, parameters = 0, {"page_size": "5000"}
    while True:
        page = requests.get(f"{address}/observations", parameters, timeout=SECONDS).json()
        rows += len(page["data"])
        if page["next_cursor"] is None:
            return rows
        parameters["cursor"] = page["next_cursor"]


def test_the_systems_live_through_their_commands(
    own_dir: Path, sample: Callable[..., subprocess.Popen[str]]
) -> None:
    """One story, so that the database is filled once."""
    assert read("status") == [
        {"name": name, "running": False, "url": None, "clock": None, "rows": {}, "faults": []}
        for name in SYSTEMS
    ]
    assert read("down") == [{"name": name, "was_running": False} for name in SYSTEMS]
    weather = weather_url()  # before flight_ops, which it does not need
    assert observations(weather) == 26_115

    # Advancing starts the system; two at once take turns.
    both = [sample("advance", "--days", "1", "--json") for _ in range(2)]
    done = [json.loads(each.communicate(timeout=SECONDS)[0]) for each in both]
    assert sorted(each["clock"] for each in done) == ["2014-01-02T00:00:00", "2014-01-03T00:00:00"]
    rows = 336_776 + sum(each["added"] for each in done)
    assert read("status")[0]["rows"] == {
        "ops.flights": rows,
        "ops.planes": 3_322,
        "ops.airports": 1_458,
        "ops.airlines": 16,
    }
    assert [each["observations"] for each in done] == [72, 72]
    assert observations(weather) == 26_115 + 144

    # An advance that is killed never happened.
    killed = sample("advance", "--days", "300")
    give_up = time.monotonic() + SECONDS
    while not query(
        "select from pg_locks "
        "where relation = 'ops.flights'::regclass and mode = 'RowExclusiveLock'"
    ):
        assert time.monotonic() < give_up
    killed.kill()
    killed.communicate()
    assert query("select count(*), (select now::text from sample.clock) from ops.flights") == [
        (rows, "2014-01-03 00:00:00")
    ]
    assert observations(weather) == 26_115 + 144

    # The data survive a stop.
    assert "stopped" in run("down")
    assert current_url() is None
    weather = weather_url()
    assert observations(weather) == 26_115 + 144
    assert read("up") == [
        {"name": "flight_ops", "url": current_url()},
        {"name": "weather_api", "url": weather},
    ]
    assert "2014-01-03 00:00:00" in run("status")
    advanced = run("advance", "--days", "1")
    assert "72 weather observations; the clock shows 2014-01-04 00:00:00" in advanced
    assert observations(weather) == 26_115 + 216

    # A reset asks first.
    refused = CliRunner().invoke(app, ["reset"], input="n\n")
    assert refused.exit_code == 1
    assert current_url()
    run("reset", "flight_ops", answer="y\n")
    assert current_url() is None
    assert observations(weather) == 26_115
    assert not (own_dir / "flight_ops" / "postgres").exists()


def test_an_unknown_system_is_refused_by_name(own_dir: Path) -> None:
    done = CliRunner().invoke(app, ["up", "flight_op"])
    assert done.exit_code == 1
    assert "There is no sample system 'flight_op'; there is flight_ops, weather_api." in done.stderr


@pytest.mark.clients
def test_sling_reads_all_types_and_exactly_what_changed(own_dir: Path) -> None:
    address = read("up", "flight_ops")[0]["url"]
    replication = own_dir / "replication.yaml"
    replication.write_text("""
source: SRC
target: TGT
streams:
  ops.flights:
    object: copy.flights
    mode: incremental
    primary_key: [flight_id]
    update_key: updated_at
  ops.planes: {object: copy.planes}
  ops.airports: {object: copy.airports}
  ops.airlines: {object: copy.airlines}
""")

    # An earlier load, by the quickest way.
    with psycopg.connect(address, connect_timeout=10) as connection:
        connection.execute("create schema copy")
        connection.execute("create table copy.flights as table ops.flights")
    done = read("advance", "--days", "7")

    sling = subprocess.run(
        [SLING, "run", "-r", replication],
        env={
            "HOME": str(own_dir),
            "PATH": os.environ["PATH"],
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "SRC": address,
            "TGT": address,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = sling.stdout + sling.stderr
    assert sling.returncode == 0, said
    assert f"inserted {done['added'] + done['corrected']} rows" in said
    for table, rows in (
        ("flights", 336_776 + done["added"]),
        ("planes", 3_322),
        ("airports", 1_458),
        ("airlines", 16),
    ):
        same = f"(table copy.{table} intersect table ops.{table}) as same"
        assert query(f"select count(*) from {same}") == [(rows,)], table
