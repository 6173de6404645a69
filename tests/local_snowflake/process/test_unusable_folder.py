"""A folder that the system refuses: one sentence, in every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factories.cli.serving.dagster_process import DagsterProcessError, dagster_home
from factories.core.local_systems import LocalSystemError
from factories.core.warehouse.settings import warehouse_settings
from local_snowflake.cli import app
from local_snowflake.process import control


@pytest.fixture(params=["below a file", "a file", "read-only"])
def unusable(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What DP_LOCAL_DIR names."""
    folder = tmp_path / "f"
    if request.param == "below a file":
        folder.write_text("")
        folder = folder / "local"
    elif request.param == "a file":
        folder.write_text("")
    else:
        folder.mkdir(mode=0o500)
        if os.access(folder, os.W_OK):
            folder = Path("/proc/no-such-folder")  # read-only to whoever runs as root too
    monkeypatch.setenv("DP_LOCAL_DIR", str(folder))
    monkeypatch.setenv("DP_TARGET", "local")
    return folder


def test_local_up_and_sql_say_it_in_a_sentence(unusable: Path) -> None:
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert f"The embedded warehouse cannot use the folder {unusable}/snowflake:" in said
    assert "DP_LOCAL_DIR names another one." in said
    with pytest.raises(LocalSystemError, match="cannot use the folder"):
        warehouse_settings()


@pytest.mark.parametrize("arguments", [["status"], ["down"], ["reset", "--yes"]], ids=str)
def test_what_needs_no_server_goes_on(unusable: Path, arguments: list[str]) -> None:
    assert unusable
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output


def test_home_of_dagster_is_named(
    unusable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "dagster.yaml").write_text("")
    with pytest.raises(DagsterProcessError, match=rf"{unusable}/dagster cannot be used: .*;"):
        dagster_home(tmp_path)


def test_server_says_which_file_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "databases" / "RAW.db").mkdir(parents=True)
    command = [sys.executable, "-m", "local_snowflake.process.server", "--folder", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"{tmp_path} cannot be used: IO Error:" in ended.stderr.splitlines()[-1]
    assert control.status(tmp_path).running is False
