"""Which project and local folder a command works on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from factories.cli.serving.dagster_process import dagster_home
from factories.core.project import project_root, set_project_folders
from local_snowflake.process.state import default_folder
from sample_sources.folders import local_dir


def test_all_systems_work_in_the_checkout_that_the_command_is_given_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DP_PROJECT_DIR", "DP_LOCAL_DIR", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # so that it is restored
    clone = tmp_path / "clone"
    (clone / "sling").mkdir(parents=True)
    (clone / "workspace.yaml").touch()
    (clone / "dagster.yaml").touch()
    monkeypatch.chdir(clone / "sling")

    set_project_folders()

    local = clone / ".local"
    assert project_root() == clone
    assert local_dir() == local
    assert default_folder() == local / "snowflake"
    assert dagster_home(clone) == local / "dagster"


def test_folders_that_are_chosen_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path / "project"))
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "data"))

    set_project_folders()

    assert os.environ["DP_PROJECT_DIR"] == str(tmp_path / "project")
    assert local_dir() == tmp_path / "data"
