"""The main job as a user runs it: real commands, real environments, the whole sample data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DP = ROOT / ".venvs" / "host" / "bin" / "dp"
TIMEOUT_SECONDS = 280

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("main job"), pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Dp:
    """The `dp` command on a project and a local folder of the test's own."""

    environment: dict[str, str]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(DP), *arguments],
            env=self.environment,
            cwd=self.environment["DP_PROJECT_DIR"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def data(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def run(self, *selection: str) -> dict[str, dict[str, Any]]:
        done = self("run", *selection, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return {row["asset"]: row for row in json.loads(done.stdout)}

    def count(self, where: str = "true") -> int:
        sql = f"select count(*) as n from RAW.FLIGHT_OPS.FLIGHTS where {where}"
        return int(self.data("sql", sql)[0]["N"])


def _copy_of_project(folder: Path) -> Path:
    """A project that a test may break: the same YAML, the same environments."""
    project = folder / "project"
    project.mkdir()
    for name in ("sling", "code_locations"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copyfile(ROOT / name, project / name)
    (project / ".venvs").symlink_to(ROOT / ".venvs")
    return project


@pytest.fixture(scope="module")
def dp() -> Iterator[Dp]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DP_", "DAGSTER_", "SNOWFLAKE_", "FLIGHT_OPS"))
    }
    # Short, and not below pytest's folder: PostgreSQL's socket lies in it, and as root its server
    # is another user.
    with tempfile.TemporaryDirectory(prefix="dp-", ignore_cleanup_errors=True) as folder:
        project = _copy_of_project(Path(folder))
        command = Dp(
            {
                **inherited,
                "DP_LOCAL_DIR": str(Path(folder) / "local"),
                "DP_PROJECT_DIR": str(project),
                "NO_COLOR": "1",
            }
        )
        yield command
        command("local", "down")
        command("sample", "reset", "--yes")


def test_main_job_loads_every_flight_once_and_then_what_changed(dp: Dp) -> None:
    first = dp.run()

    assert {asset: row["status"] for asset, row in first.items()} == {
        f"flight_ops/raw/{table}": "materialized"
        for table in ("airlines", "airports", "cancellations", "flights", "planes")
    }
    assert {asset.rsplit("/")[-1]: row["rows"] for asset, row in first.items()} == {
        "airlines": 16,
        "airports": 1458,
        "cancellations": 8255,
        "flights": 336776,
        "planes": 3322,
    }
    assert dp.count() == 336776

    again = dp.run("flight_ops/raw/flights", "flight_ops/raw/airlines")

    assert set(again) == {"flight_ops/raw/flights", "flight_ops/raw/airlines"}
    assert again["flight_ops/raw/flights"]["rows_inserted"] == 0
    assert dp.count() == 336776

    advanced = dp.data("sample", "advance", "--days", "7")
    later = dp.run("flight_ops/raw/flights")["flight_ops/raw/flights"]

    assert later["rows"] == 336776 + 6156
    assert later["rows_inserted"] == 6156 + 330
    assert dp.count("updated_at >= '2014-01-01'") == 6156 + 330
    assert advanced


def test_broken_yaml_is_reported_alike_by_check_and_run_and_nothing_runs(dp: Dp) -> None:
    path = Path(dp.environment["DP_PROJECT_DIR"]) / "sling" / "flight_ops.yaml"
    good = path.read_text()
    path.write_text(good.replace("primary_key:", "primery_key:").replace("on_cron", "on_corn"))
    try:
        checked = dp("check")
        run = dp("run")
    finally:
        path.write_text(good)

    assert checked.returncode == run.returncode == 1
    for done in (checked, run):
        text = done.stdout + done.stderr
        assert "did you mean 'primary_key'?" in text
        assert "did you mean 'on_cron_no_deps'?" in text
        assert "Traceback" not in text
        assert "Stack Trace" not in text


def test_failed_load_fails_the_command_and_names_the_stream(dp: Dp) -> None:
    path = Path(dp.environment["DP_PROJECT_DIR"]) / "sling" / "flight_ops.yaml"
    good = path.read_text()
    path.write_text(good.replace("ops.planes:", "ops.plains:").replace("max: 2", "max: 0"))
    try:
        done = dp("run", "flight_ops/raw/plains", "flight_ops/raw/airlines", "--json")
    finally:
        path.write_text(good)

    rows = {row["asset"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows["flight_ops/raw/airlines"]["status"] == "materialized"
    assert rows["flight_ops/raw/plains"]["status"] == "failed"
    assert "1 of 2 streams failed" in rows["flight_ops/raw/plains"]["error"]
