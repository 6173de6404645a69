"""The main job as a user runs it: real commands, real environments, the whole sample data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.cli.serving.dagster_process import find_dagster, find_free_port
from tests.factories.secret_watch import SecretWatch

ROOT = Path(__file__).parents[1]
DP = ROOT / ".venvs" / "host" / "bin" / "dp"
TIMEOUT_SECONDS = 1500
FLIGHTS = "flight_ops/raw/flights"
OBSERVATIONS = "weather_api/raw/observations"
FCT_FLIGHTS = "marts/operations/fct_flights"
PREDICTIONS = "ml/delay/arrival_delay_predictions"
# In the project's .env. No tool is to take them, and none may write them with all that it finds.
CANARIES = {
    name: f"canary{os.urandom(6).hex()}{name.lower()}"
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "DBT_ENV_SECRET_TOKEN",
        "PLATFORM_ALERTS",
        "SNOWFLAKE_PASSWORD",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
    )
}
# The warehouse and the weather API keep their own tokens there, which nobody else can read.
WITH_SECRETS = frozenset({".env", "server.json", "state.json"})

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("main job"), pytest.mark.timeout(3600)]


@dataclass(frozen=True)
class Dp:
    """The `dp` command on a project and a local folder of the test's own."""

    environment: dict[str, str]
    command_lines: set[bytes] = field(default_factory=set)  # of all processes, while Dagster runs

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
    # What other tests' processes write there meanwhile, and take away.
    passing = shutil.ignore_patterns("__pycache__", "tmp*")
    for name in ("sling", "dlt_pipelines", "dbt_project", "snowpark", "code_locations"):
        shutil.copytree(ROOT / name, project / name, ignore=passing)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copyfile(ROOT / name, project / name)
    (project / ".venvs").symlink_to(ROOT / ".venvs")
    lines = [f"{name}={value}\n" for name, value in CANARIES.items()]
    (project / ".env").write_text("".join(lines))
    return project


@pytest.fixture(scope="module")
def dp() -> Iterator[Dp]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DP_", "DAGSTER_", "SNOWFLAKE_", "FLIGHT_OPS", "WEATHER_API"))
        and name not in CANARIES
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


@pytest.fixture(scope="module")
def served(dp: Dp) -> Iterator[Dp]:
    """The command while `dp dev` serves the project, with every automation off."""
    port = find_free_port()
    home = Path(dp.environment["DP_LOCAL_DIR"]) / "dagster"
    environment = {**dp.environment, "DP_AUTOMATION": "off"}
    with subprocess.Popen(
        [str(DP), "dev", "--port", str(port)],
        env=environment,
        cwd=dp.environment["DP_PROJECT_DIR"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_for_dagster(home, process)
            with noted_command_lines(dp.command_lines):
                yield dp
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
    assert not (home / "webserver.json").exists()


@contextmanager
def noted_command_lines(noted: set[bytes]) -> Iterator[None]:
    """Note the arguments of all processes of this machine, again and again."""
    ended = threading.Event()

    def note() -> None:
        while not ended.wait(0.5):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it has ended
                    noted.add(path.read_bytes())

    thread = threading.Thread(target=note, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def wait_for_dagster(home: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        if find_dagster(home):
            return
        time.sleep(0.2)
    pytest.fail("dp dev serves nothing")


LOADED = {
    "calendar/raw/days": 1095,
    "flight_ops/raw/airlines": 16,
    "flight_ops/raw/airports": 1458,
    "flight_ops/raw/cancellations": 8255,
    FLIGHTS: 336776,
    "flight_ops/raw/planes": 3322,
    OBSERVATIONS: 26115,
    "weather_api/raw/stations": 3,
}
BUILT = {
    "marts/common/dim_aircraft": 3322,
    "marts/common/dim_airport": 1462,
    "marts/common/dim_carrier": 16,
    "marts/common/dim_date": 1095,
    "marts/operations/carrier_monthly": 185,
    FCT_FLIGHTS: 336776,
    "marts/operations/origin_daily": 1095,
    "ml/delay/delay_features": 336776 - 8255,  # what was cancelled has none
    PREDICTIONS: 336776 - 8255,
    "ml/reports/delay_by_hour": 19,  # from 5 to 23
    "seeds/additional_airports": 4,
    "seeds/carrier_profiles": 16,
    "snapshots/snap_flight_ops__planes": 3322,
}
UNCOUNTED = (  # views, whose rows nobody counts, and a model
    "calendar/stg/days",
    "flight_ops/stg/airlines",
    "flight_ops/stg/airports",
    "flight_ops/stg/cancellations",
    "flight_ops/stg/flights",
    "flight_ops/stg/planes",
    "intermediate/operations/int_flights__origin_weather",
    "intermediate/operations/int_flights__outcome",
    "ml/delay/arrival_delay",
    "weather_api/stg/observations",
    "weather_api/stg/stations",
)


def test_main_job_goes_from_the_sources_to_predictions(served: Dp) -> None:
    done = served.run()

    assert {row["status"] for row in done.values()} == {"materialized"}
    rows = {asset: row["rows"] for asset, row in done.items()}
    assert rows == LOADED | BUILT | dict.fromkeys(UNCOUNTED)
    assert served.count() == 336776


def test_second_run_loads_nothing_and_one_after_new_data_what_is_new(served: Dp) -> None:
    some = {FLIGHTS, "flight_ops/raw/airlines", OBSERVATIONS, FCT_FLIGHTS, PREDICTIONS}
    again = served.run(*some)

    assert set(again) == some
    for asset in (FLIGHTS, OBSERVATIONS, FCT_FLIGHTS, PREDICTIONS):
        assert (again[asset]["rows_loaded"], again[asset]["rows"]) == (0, (LOADED | BUILT)[asset])
    assert served.count() == 336776

    advanced = served.data("sample", "advance", "--days", "7")
    later = served.run(FLIGHTS, OBSERVATIONS, FCT_FLIGHTS)

    for asset in (FLIGHTS, FCT_FLIGHTS):
        assert later[asset]["rows"] == 336776 + 6156
        assert later[asset]["rows_loaded"] == 6156 + 330
    assert served.count("updated_at >= '2014-01-01'") == 6156 + 330
    assert later[OBSERVATIONS]["rows_loaded"] == advanced["observations"] > 0
    assert later[OBSERVATIONS]["rows"] == 26115 + advanced["observations"]


def test_broken_yaml_is_reported_alike_by_check_and_run_and_nothing_runs(served: Dp) -> None:
    project = Path(served.environment["DP_PROJECT_DIR"])
    sling = project / "sling" / "flight_ops.yaml"
    dbt = project / "dbt_project" / "models" / "marts" / "operations" / "_operations__models.yml"
    good = {path: path.read_text() for path in (sling, dbt)}
    sling.write_text(
        good[sling].replace("primary_key:", "primery_key:").replace("on_cron", "on_corn")
    )
    dbt.write_text(good[dbt].replace("backfill:", "backfil:"))
    line = good[dbt][: good[dbt].index("backfill:")].count("\n") + 1
    try:
        checked = served("check")
        run = served("run")
    finally:
        for path, text in good.items():
            path.write_text(text)

    assert checked.returncode == run.returncode == 1
    for done in (checked, run):
        text = done.stdout + done.stderr
        assert "did you mean 'primary_key'?" in text
        assert "did you mean 'on_cron_no_deps'?" in text
        assert f"{dbt.relative_to(project)}:{line}:" in text
        assert "unknown key 'backfil'; did you mean 'backfill'?" in text
        assert "Traceback" not in text
        assert "Stack Trace" not in text


def test_failed_load_fails_the_command_and_names_the_stream(served: Dp) -> None:
    path = Path(served.environment["DP_PROJECT_DIR"]) / "sling" / "flight_ops.yaml"
    good = path.read_text()
    path.write_text(good.replace("ops.planes:", "ops.plains:").replace("max: 2", "max: 0"))
    try:
        done = served("run", "flight_ops/raw/plains", "flight_ops/raw/airlines", "--json")
    finally:
        path.write_text(good)

    rows = {row["asset"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows["flight_ops/raw/airlines"]["status"] == "materialized"
    assert rows["flight_ops/raw/plains"]["status"] == "failed"
    assert rows["flight_ops/raw/plains"]["error"].startswith("ops.plains: ")


def test_no_secret_is_left_behind(served: Dp) -> None:
    """Neither by the runs that succeeded nor by those that failed."""
    local = Path(served.environment["DP_LOCAL_DIR"])
    tokens = {
        str(path): json.loads(path.read_text())["token"]
        for path in (local / "snowflake" / "server.json", local / "weather_api" / "state.json")
    }
    watch = SecretWatch({**CANARIES, **tokens})
    for line in served.command_lines:
        watch.read_text("the arguments of a process", line)
    assert len(served.command_lines) > 10
    for folder in (
        Path(served.environment["DP_PROJECT_DIR"]),
        local / "dagster",
        local / "weather_api",
        *(each for each in Path(tempfile.gettempdir()).iterdir() if not local.is_relative_to(each)),
    ):
        watch.read_folder(folder, passing_over=WITH_SECRETS)
    watch.read_text("the warehouse's log", (local / "snowflake" / "server.log").read_bytes())
    assert watch.found == {}
