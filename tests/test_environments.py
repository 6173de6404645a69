"""Each code location has an environment of its own, and all of them one Dagster."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ("host", "ingestion", "transformation", "ml")
IN_A_STEP = (
    "from dagster._core.definitions import definitions_load_context as load\n"
    "kind = load.DefinitionsLoadType.RECONSTRUCTION\n"
    "load.DefinitionsLoadContext.set(load.DefinitionsLoadContext(kind))\n"
)


def python(environment: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in one of the environments that `make setup` makes."""
    interpreter = ROOT / ".venvs" / environment / "bin" / "python"
    return subprocess.run(
        [str(interpreter), "-c", code], capture_output=True, text=True, timeout=400, check=False
    )


@pytest.mark.parametrize(
    ("environment", "module"),
    [
        ("ingestion", "dbt"),
        ("ingestion", "snowflake.snowpark"),
        ("ingestion", "dagster_snowflake"),
        ("ingestion", "fakesnow"),
        ("ingestion", "dagster_webserver"),
        ("transformation", "dlt"),
        ("transformation", "sling_linux_amd64"),
        ("transformation", "snowflake.snowpark"),
        ("transformation", "dagster_snowflake"),
        ("transformation", "fakesnow"),
        ("ml", "dbt"),
        ("ml", "dlt"),
        ("ml", "sling_linux_amd64"),
        ("ml", "fakesnow"),
        ("ml", "dagster_webserver"),
        ("host", "dlt"),
        ("host", "sling_linux_amd64"),
        ("host", "dbt"),
        ("host", "snowflake.snowpark"),
    ],
)
def test_environment_does_not_hold_what_is_anothers(environment: str, module: str) -> None:
    done = python(environment, f"import {module}")

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_all_environments_hold_the_same_dagster() -> None:
    code = "import importlib.metadata as m; print(m.version('dagster'))"

    versions = {environment: python(environment, code).stdout for environment in ENVIRONMENTS}

    assert len(set(versions.values())) == 1, versions
    assert all(versions.values())


def test_constraints_pin_every_package_by_hash_and_name_no_index() -> None:
    for path in sorted((ROOT / "constraints").glob("*.txt")):
        text = path.read_text()
        packages = re.findall(r"^([a-zA-Z0-9_.-]+)(?:\[.*\])?==", text, re.MULTILINE)
        assert packages, path
        assert "://" not in text
        for block in re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in block, block


def _imported(code: str, *modules: str, environment: str = "ingestion") -> list[str]:
    """Which modules an environment has imported after running code."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}\n"
        f"print(*(name for name in {modules!r} if name in sys.modules))"
    )
    done = python(environment, program)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_loading_a_code_location_imports_no_driver() -> None:
    code = "import code_locations.ingestion.definitions"

    drivers = ("snowflake.connector", "sling", "pandas", "psycopg2", "s3fs", "holidays")
    assert _imported(code, *drivers) == []


def test_a_step_imports_dlt_only_when_it_runs_it() -> None:
    code = f"{IN_A_STEP}import code_locations.ingestion.definitions"

    assert _imported(code, "dlt", "snowflake.connector") == []


def test_loading_the_location_of_models_imports_nothing_that_they_are_made_with() -> None:
    code = "import code_locations.ml.definitions"

    heavy = (
        "dagster_snowflake",
        "snowflake.connector",
        "snowflake.snowpark",
        "pandas",
        "sklearn",
        "matplotlib",
    )
    assert _imported(code, *heavy, environment="ml") == []


def test_a_step_of_another_location_imports_no_snowpark() -> None:
    code = "import factories.preload"

    assert _imported(code, "snowflake.snowpark", "sklearn", environment="ml") == []


@pytest.mark.parametrize("where", ["", IN_A_STEP])
def test_the_transformation_loads_without_dbt_and_without_a_driver(where: str) -> None:
    """dbt is a process of its own: parsing, if need be, and in a step."""
    made = (
        "import factories.dbt.prepare as made, factories.core.project as p\n"
        "import factories.core.warehouse.names as w\n"
        "made.prepare(p.project_root() / 'dbt_project', w.warehouse_names())\n"
    )
    location = "import code_locations.transformation.definitions"
    code = f"import os; os.chdir({str(ROOT)!r})\n{made}{where}{location}"
    modules = ("dbt", "dagster_dbt", "snowflake.connector", "sqlglot", "pandas")

    assert _imported(code, *modules, environment="transformation") == []
