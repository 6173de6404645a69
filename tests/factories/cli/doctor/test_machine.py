"""What `dp doctor` says of disk, clock and the Dagster instance."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factories.cli.doctor.findings import Finding
from factories.cli.doctor.machine import compare_clocks, look_at_disk, look_at_instance
from factories.cli.serving.fingerprint import Fingerprint
from factories.cli.serving.served_instance import Served, held_instance, note_served
from factories.core.process_identity import ProcessIdentity

pytestmark = pytest.mark.programs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path / "local"


def test_a_full_disk_is_a_problem_of_each_folder_on_it(tmp_path: Path, local: Path) -> None:
    enough, full = ([*look_at_disk(tmp_path, least)] for least in (0.0, 1e9))

    assert [each.state for each in enough] == ["ok", "ok"]
    assert [each.state for each in full] == ["problem", "problem"]
    assert str(local) in full[0].said
    assert "1e+09 are needed" in full[0].said
    assert "DP_LOCAL_DIR" in full[0].fix
    assert "TMPDIR" in full[1].fix
    assert not local.exists()


@pytest.mark.parametrize(
    ("seconds", "state", "said"),
    [
        (30, "ok", "less than 30 s"),
        (-30, "ok", "less than 30 s"),
        (31, "problem", "this machine's is 31 s fast"),
        (-3600, "problem", "this machine's is 3600 s slow"),
    ],
)
def test_a_clock_may_differ_by_half_a_minute(seconds: int, state: str, said: str) -> None:
    found = compare_clocks("theirs", NOON, NOON + timedelta(seconds=seconds))

    assert found.state == state
    assert said in found.said


def test_who_has_the_instance_is_told(tmp_path: Path, local: Path) -> None:
    home = local / "dagster"
    nobody = look(tmp_path)
    assert not local.exists()
    home.mkdir(parents=True)
    with held_instance(home):
        unknown = look(tmp_path)
        note(home, os.getpid())
        alive = look(tmp_path)
        with subprocess.Popen(["true"]) as process:
            note(home, process.pid)
        ending = look(tmp_path)
    killed = look(tmp_path)

    assert (nobody.state, nobody.said) == ("ok", f"nothing runs on {home}")
    assert (unknown.state, unknown.said) == ("problem", "held by a process that noted nothing")
    assert (alive.state, alive.said) == ("ok", f"`dp dev` (process {os.getpid()}) serves it")
    assert ending.state == "problem"
    assert "its Dagster still ends" in ending.said
    assert (killed.state, killed.fix) == ("note", "the next `dp run` or `dp dev` clears them")


def look(root: Path) -> Finding:
    (found,) = look_at_instance(root)
    return found


def note(home: Path, pid: int) -> None:
    made_for = Fingerprint("project", "local", {}, {})
    note_served(home, Served("http://x", "dp dev", ProcessIdentity.of(pid), pid, made_for))
