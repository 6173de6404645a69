"""`dp run` beside a Dagster: what it tells of assets, by real runs of plain assets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from factories.cli.serving.dagster_process import find_dagster, find_free_port
from factories.cli.serving.served_instance import STATE_FILE, clear_left_over
from tests.factories.cli.served_project import WAIT_SECONDS, Project, make_project, wait_for

pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("plain runs")]

LOCATION = """
    import os
    import time
    from pathlib import Path

    import dagster as dg
    from factories.core.execution.failures import build_step_failure

    @dg.asset(key=["errors", "one"])
    def first():
        raise ValueError("the first has no table")

    @dg.asset(key=["errors", "two"])
    def second():
        raise dg.Failure("the second has no table")

    @dg.asset(key=["errors", "below"], deps=[dg.AssetKey(["errors", "two"])])
    def below(): ...

    @dg.multi_asset(
        specs=[dg.AssetSpec(["group", name]) for name in ("good", "bad", "worse")], can_subset=True
    )
    def streams(context):
        yield dg.MaterializeResult(asset_key=["group", "good"])
        reasons = {dg.AssetKey(["group", name]): f"{name}: no rows" for name in ("bad", "worse")}
        raise build_step_failure("2 of 3 streams failed", reasons)

    @dg.asset(key=["group", "after_good"], deps=[dg.AssetKey(["group", "good"])])
    def after_good(): ...

    @dg.op
    def read():
        raise ValueError("the graph reads nothing")

    @dg.op
    def write(rows):
        return rows

    @dg.graph_asset(key=["graph", "table"])
    def table():
        return write(read())

    @dg.op(out=dg.DynamicOut())
    def parts():
        yield dg.DynamicOutput(1, "a")
        yield dg.DynamicOutput(2, "b")

    @dg.op
    def load_part(part):
        raise ValueError(f"part {part} is broken")

    @dg.op
    def join(parts):
        return len(parts)

    @dg.graph_asset(key=["graph", "parts"])
    def of_parts():
        return join(parts().map(load_part).collect())

    @dg.asset(key=["tries", "in_vain"], retry_policy=dg.RetryPolicy(max_retries=1))
    def in_vain(context):
        raise ValueError(f"attempt {context.retry_number + 1} failed")

    @dg.asset(key=["tries", "at_last"], retry_policy=dg.RetryPolicy(max_retries=1))
    def at_last(context):
        if not context.retry_number:
            raise ValueError("only the first attempt")

    @dg.asset(key=["checks", "raises"])
    def raises(): ...

    @dg.asset_check(asset=raises)
    def broken():
        raise ValueError("the check itself is broken")

    @dg.asset(key=["checks", "refused"])
    def refused(): ...

    @dg.asset_check(asset=refused)
    def rows():
        return dg.AssetCheckResult(passed=False, description="no rows")

    @dg.multi_asset(specs=[dg.AssetSpec(["late", "table"])])
    def late():
        yield dg.MaterializeResult(asset_key=["late", "table"])
        raise ValueError("after the table was written")

    @dg.asset(key=["good", "table"])
    def good():
        assert os.environ["SHOP_PASSWORD"] == "s3cret"  # of the .env alone
        assert os.environ["SHOP_ROLE"] == "of the environment"

    @dg.asset(key=["slow", "table"], pool="slow")
    def slow():
        folder = Path(os.environ["DP_PROJECT_DIR"])
        (folder / "begun").touch()
        while (folder / "wait").exists():
            time.sleep(0.05)

    defs = dg.Definitions(
        assets=[
            first, second, below, streams, after_good, table, of_parts, in_vain, at_last, raises,
            refused, late, good, slow,
        ],
        asset_checks=[broken, rows],
        executor=dg.in_process_executor,
    )
"""
ENV_FILE = "SHOP_PASSWORD=s3cret\nSHOP_ROLE=of the file\n"


@dataclass(frozen=True)
class Served:
    """A project that `dp dev` serves."""

    project: Project
    dp_dev: subprocess.Popen[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = make_project(tmp_path_factory.mktemp("runs"), LOCATION)
    (made.root / ".env").write_text(ENV_FILE)
    made = replace(made, environment={**made.environment, "SHOP_ROLE": "of the environment"})
    with made.served(DP_AUTOMATION="off") as process:
        yield Served(made, process)


@pytest.fixture
def project(served: Served) -> Project:
    return served.project


def test_each_asset_has_the_error_of_its_own_step(project: Project) -> None:
    status, rows = project.run()

    assert status == 1
    assert {key: row["status"] for key, row in rows.items()} == {
        "checks/raises": "materialized",
        "checks/refused": "materialized",
        "errors/below": "skipped",
        "errors/one": "failed",
        "errors/two": "failed",
        "good/table": "materialized",
        "graph/parts": "failed",
        "graph/table": "failed",
        "group/after_good": "skipped",
        "group/bad": "failed",
        "group/good": "materialized",
        "group/worse": "failed",
        "late/table": "failed",
        "slow/table": "materialized",
        "tries/at_last": "materialized",
        "tries/in_vain": "failed",
    }
    errors = {key: row["error"].split("\n") for key, row in rows.items() if row["error"]}
    assert {key: said[-1] for key, said in errors.items()} == {
        "checks/raises": "ValueError: the check itself is broken",
        "checks/refused": "check rows: no rows",
        "errors/below": "skipped for errors/two, which it depends on",
        "errors/one": "ValueError: the first has no table",
        "errors/two": "the second has no table",
        "graph/parts": "ValueError: part 2 is broken",
        "graph/table": "ValueError: the graph reads nothing",
        "group/after_good": "skipped, because the step of group/good failed",
        "group/bad": "bad: no rows",
        "group/worse": "worse: no rows",
        "late/table": "ValueError: after the table was written",
        "tries/in_vain": "ValueError: attempt 2 failed (the last of 2 attempts)",
    }
    assert "ValueError: part 1 is broken" in errors["graph/parts"]
    assert rows["checks/raises"]["failed_checks"] == ["broken"]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"DP_TARGET": "prod"}, "works on the target local, and this command on prod:"),
        ({"SHOP_PASSWORD": "0ther"}, "was started with other values of SHOP_PASSWORD:"),
        ({"SHOP_PASSWORD": "0ther", "SHOP_URL": "x"}, "other values of SHOP_PASSWORD, SHOP_URL:"),
    ],
)
def test_dagster_that_works_on_something_else_is_refused(
    project: Project, changes: dict[str, str], difference: str
) -> None:
    done = project.dp("run", "good/table", "--json", **changes)

    assert done.returncode == 1
    assert done.stdout == ""
    target, said = done.stderr.splitlines()
    assert target.startswith(f"target: {changes.get('DP_TARGET', 'local')}")
    assert difference in said
    assert "which `dp dev` (process " in said
    for path in (project.home / "webserver.json", project.home / "fingerprint.key"):
        assert path.stat().st_mode & 0o077 == 0
    for secret in ("s3cret", "0ther"):
        assert secret not in said + (project.home / "webserver.json").read_text()


def test_dagster_that_was_started_with_another_env_file_is_refused(project: Project) -> None:
    path = project.root / ".env"
    path.write_text(ENV_FILE.replace("s3cret", "0ther"))
    try:
        done = project.dp("run", "good/table", "--json")
    finally:
        path.write_text(ENV_FILE)

    assert done.returncode == 1
    assert "was started with other values of SHOP_PASSWORD:" in done.stderr
    assert "0ther" not in done.stderr


def test_an_env_file_that_cannot_be_read_refuses_every_command(project: Project) -> None:
    path = project.root / ".env"
    path.write_text("s3cret\n")
    try:
        done = [project.dp(*words) for words in (("ls",), ("local", "status"))]
    finally:
        path.write_text(ENV_FILE)

    for each in done:
        assert (each.returncode, each.stdout) == (1, "")
        assert each.stderr == (
            "1 problem in the configuration:\n  .env:1:1: has no =, a line is NAME=value\n"
        )


def test_second_dagster_on_one_instance_is_refused(project: Project) -> None:
    done = project.dp("dev", "--port", str(find_free_port()))

    assert done.returncode == 1
    assert "(process " in done.stderr
    assert "has this instance: stop it first" in done.stderr


def test_running_dagster_is_found_by_its_instance_alone(project: Project, tmp_path: Path) -> None:
    found = find_dagster(project.home)

    assert found is not None
    assert found.instance_folder() == project.home
    shutil.copyfile(project.home / STATE_FILE, tmp_path / STATE_FILE)
    assert find_dagster(tmp_path) is None


def test_dp_run_that_is_told_to_end_ends_its_run_and_not_dp_dev(served: Served) -> None:
    project = served.project
    before = project.run_statuses()
    (project.root / "begun").unlink(missing_ok=True)
    (project.root / "wait").touch()
    command = project.start("run", "slow/table", "--json")
    wait_for((project.root / "begun").exists, until="the step has begun")
    assert project.slots_taken() == 1

    command.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=WAIT_SECONDS)
    (project.root / "wait").unlink()

    assert command.returncode == 1
    assert "Stopped; the runs have ended too." in said
    assert project.run_statuses() == [*before, "CANCELED"]
    assert project.slots_taken() == 0
    assert served.dp_dev.poll() is None
    assert find_dagster(project.home) is not None


def test_what_a_killed_dp_dev_leaves_is_ended(served: Served) -> None:
    """The last of the module: after it nobody serves the project."""
    project, process = served.project, served.dp_dev
    before = project.run_statuses()
    note = (project.home / STATE_FILE).read_text()
    (project.root / "begun").unlink(missing_ok=True)
    (project.root / "wait").touch()
    api = find_dagster(project.home)
    assert api is not None
    (asset,) = (asset for asset in api.assets() if asset.key == "slow/table")
    api.launch([asset], {})  # as the UI does
    wait_for((project.root / "begun").exists, until="the step has begun")
    assert project.slots_taken() == 1

    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not project.processes(), until="all of it has ended")
    assert project.run_statuses() == [*before, "STARTED"]
    (project.home / STATE_FILE).write_text(note)  # as after a crash
    assert find_dagster(project.home) is None
    (said,) = clear_left_over(project.home)

    assert f"which was STARTED: the dp that ran it (process {process.pid} on " in said
    assert project.run_statuses() == [*before, "CANCELED"]
    assert project.slots_taken() == 0
