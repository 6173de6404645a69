"""Each code location has an environment of its own, and all of them one Dagster."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCATIONS = ("host", "ingestion")


def python(environment: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in one of the environments that `make setup` makes."""
    interpreter = ROOT / ".venvs" / environment / "bin" / "python"
    return subprocess.run(
        [str(interpreter), "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("environment", "module"),
    [
        ("ingestion", "dbt"),
        ("ingestion", "snowflake.snowpark"),
        ("ingestion", "fakesnow"),
        ("ingestion", "dagster_webserver"),
        ("host", "dlt"),
        ("host", "sling_linux_amd64"),
        ("host", "dbt"),
    ],
)
def test_environment_does_not_hold_what_is_anothers(environment: str, module: str) -> None:
    done = python(environment, f"import {module}")

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_all_environments_hold_the_same_dagster() -> None:
    code = "import importlib.metadata as m; print(m.version('dagster'))"

    versions = {environment: python(environment, code).stdout for environment in LOCATIONS}

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


def test_loading_a_code_location_imports_no_warehouse_driver() -> None:
    code = (
        "import sys, code_locations.ingestion.definitions;"
        "print([m for m in ('snowflake.connector', 'dlt', 'sling', 'pandas') if m in sys.modules])"
    )

    done = python("ingestion", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}")

    assert done.stdout.strip() == "[]", done.stderr
