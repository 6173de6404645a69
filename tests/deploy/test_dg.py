"""Dagster's own `dg` in this repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from dagster_cloud_cli.config.loader import DagsterCloudLocationsConfigLoader
from dagster_dg_cli.cli.utils import create_temp_dagster_cloud_yaml_file
from dagster_dg_core.config import discover_and_validate_config_files
from dagster_dg_core.context import DgContext

from factories.cli.checking.deployment_files import CLOUD_FILE

ROOT = Path(__file__).parents[2]
DG = (sys.executable, "-m", "dagster_dg_cli.cli")


def test_the_files_of_dg_are_valid() -> None:
    workspace = DgContext.for_workspace_environment(ROOT, {})

    for folder in (".", *(spec.path for spec in workspace.project_specs)):
        found = discover_and_validate_config_files(ROOT / folder)
        assert found.root_path == (ROOT / folder).resolve()
        assert found.root_result.message == "Configuration is valid."


def test_dg_deploys_what_dagster_cloud_yaml_says(tmp_path: Path) -> None:
    workspace = DgContext.for_workspace_environment(ROOT, {})

    written = create_temp_dagster_cloud_yaml_file(workspace, str(tmp_path))

    generated = yaml.safe_load(Path(written).read_text())["locations"]
    by_hand = DagsterCloudLocationsConfigLoader.load_from_template(str(ROOT / CLOUD_FILE), {})
    ours = [location.model_dump(exclude_none=True) for location in by_hand.locations]
    assert generated == [
        {key: one[key] for key in entry} for entry, one in zip(generated, ours, strict=True)
    ]


def test_dg_scaffolds_into_the_folder_of_the_teams_own_python() -> None:
    workspace = DgContext.for_workspace_environment(ROOT, {})

    for spec in workspace.project_specs:
        project = workspace.with_root_path(ROOT / spec.path)
        assert project.defs_path == ROOT / "code_locations" / project.code_location_name / "defs"


def test_dg_lists_the_definitions_of_a_code_location(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    # As in Dagster+, which evaluates the conditions by Dagster's own operators.
    environment = {"DAGSTER_HOME": str(tmp_path), "DP_CONDITIONS": "operators"}

    done = subprocess.run(
        [*DG, "list", "defs", "--json", "--target-path", "code_locations/ml"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    made = {asset["asset_key"]: asset for asset in listed["assets"] if asset["is_executable"]}
    assert made["ml/delay/delay_features"]["kinds"] == ["snowflake", "snowpark"]
    assert made["ml/delay/arrival_delay"]["automation_condition"]["label"].startswith("on_cron")
    assert {one["name"] for one in listed["sensors"]} >= {"automation", "automation_retries"}
