"""`dagster_cloud.yaml`: what Dagster+ deploys is what `workspace.yaml` serves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster_cloud_cli.config.loader import DagsterCloudLocationsConfigLoader
from dagster_cloud_cli.config.models import Location, load_dagster_cloud_yaml

from factories.cli.checking import deployment_files
from factories.cli.workspace import read_workspace
from factories.core.project import MARKER

ROOT = Path(__file__).parents[2]
FILE = ROOT / deployment_files.CLOUD_FILE
VARIABLE = re.compile(r"\$\{(\w+)\}")
YAML_FOLDERS = ("code_locations", "dlt_pipelines", "sling", "snowpark")


@pytest.fixture(scope="module")
def rendered() -> dict[str, Location]:
    """Each location as `dagster-cloud ci template` writes it for a pull request."""
    values = {"target": "pr_12", "registry": "images/data-platform"}
    config = DagsterCloudLocationsConfigLoader.load_from_template(str(FILE), values)
    return {location.location_name: location for location in config.locations}


def k8s(location: Location) -> dict[str, Any]:
    assert location.container_context is not None
    return location.container_context["k8s"]


def test_dagster_plus_deploys_the_code_locations_of_the_workspace() -> None:
    file = load_dagster_cloud_yaml(FILE.read_text())

    entries = [
        one["python_module"] for one in yaml.safe_load((ROOT / MARKER).read_text())["load_from"]
    ]
    assert [
        {
            "location_name": location.location_name,
            "module_name": location.code_source and location.code_source.module_name,
            "attribute": location.attribute,
            "executable_path": (location.executable_path or "").removeprefix("/app/"),
            "working_directory": ".",
        }
        for location in file.locations
    ] == entries
    assert file.defaults is not None
    assert file.defaults.working_directory == "/app"


def test_each_location_has_what_stands_in_the_defaults(rendered: dict[str, Location]) -> None:
    assert list(rendered) == [location.name for location in read_workspace(ROOT, [])]
    for location in rendered.values():
        assert location.build is not None
        assert (ROOT / (location.build.directory or "")).samefile(ROOT)
        assert location.build.registry == "images/data-platform"
        context = k8s(location)
        assert {"DP_TARGET=pr_12", "DP_CONDITIONS=operators"} < set(context["env_vars"])
        for process in ("server", "run"):
            resources = context[f"{process}_k8s_config"]["container_config"]["resources"]
            assert resources["requests"]["memory"]
            assert resources["limits"]["memory"]


def test_each_location_works_in_snowflake_as_a_role_of_its_own(
    rendered: dict[str, Location],
) -> None:
    variables = {
        name: dict(one.split("=", 1) for one in k8s(location)["env_vars"])
        for name, location in rendered.items()
    }

    own = {"SNOWFLAKE_USER", "SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE"}
    for name in own:
        assert len({of[name] for of in variables.values()}) == len(rendered)
    # Any other value belongs into a secret of the cluster.
    plain = {"DP_CONDITIONS", "DP_TARGET", "SNOWFLAKE_PRIVATE_KEY_PATH"}
    for of in variables.values():
        assert set(of) == plain | own


def test_the_key_is_a_file_of_a_secret_that_is_mounted_where_its_variable_says(
    rendered: dict[str, Location],
) -> None:
    for name, location in rendered.items():
        context = k8s(location)
        (volume,), (mount,) = context["volumes"], context["volume_mounts"]
        (path,) = (
            one for one in context["env_vars"] if one.startswith("SNOWFLAKE_PRIVATE_KEY_PATH")
        )
        assert volume["name"] == mount["name"]
        assert volume["secret"]["secret_name"] == f"snowflake-{name}"
        assert context["env_secrets"] == ["platform", name]
        assert Path(path.partition("=")[2]).parent == Path(mount["mount_path"])


def test_every_variable_of_the_yaml_is_said_to_be_in_a_secret() -> None:
    files = [file for name in YAML_FOLDERS for file in (ROOT / name).rglob("*.yaml")]
    variables = {name for file in files for name in VARIABLE.findall(file.read_text())}

    assert variables
    assert variables <= set(re.findall(r"\w+", FILE.read_text()))


def test_keys_that_dp_check_knows_are_those_of_dagster_plus() -> None:
    models = load_dagster_cloud_yaml(FILE.read_text())
    (location, *_) = models.locations

    assert set(deployment_files.FILE_KEYS) == set(type(models).model_fields)
    assert set(deployment_files.DEFAULTS_KEYS) == set(type(models.defaults).model_fields)
    assert set(deployment_files.LOCATION_KEYS) == set(type(location).model_fields)
    assert set(deployment_files.SOURCE_KEYS) == set(type(location.code_source).model_fields)
