"""What `dp doctor` says of the Python environments."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from factories.cli.doctor.environments import different_packages, look_at_environments
from factories.cli.doctor.findings import Finding
from factories.cli.workspace import CodeLocation

pytestmark = pytest.mark.programs

PINS = """\
alembic==1.20.1 \\
    --hash=sha256:83490
    # via dagster
Sling_Mac.arm64==1.4.10 ; sys_platform == 'nowhere' \\
    --hash=sha256:83491
pandas==3.1.1 \\
    --hash=sha256:83492
psycopg[binary]==3.2.0
"""
OWN = Path(sys.prefix).name


def look(root: Path, *pythons: Path) -> dict[str, Finding]:
    locations = [CodeLocation(path.parts[-3], "module", path) for path in pythons]
    return {each.what: each for each in look_at_environments(root, locations)}


def write_python(root: Path, name: str, script: str) -> Path:
    path = root / ".venvs" / name / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("installed", "different"),
    [
        ({"alembic": "1.20.1", "pandas": "3.1.1", "psycopg": "3.2.0", "own": "1"}, []),
        (
            {"alembic": "1.20.0", "psycopg": "3.2.0"},
            ["alembic 1.20.0 (1.20.1)", "pandas is missing"],
        ),
    ],
)
def test_what_differs_from_a_compiled_file_is_named(
    installed: dict[str, str], different: list[str]
) -> None:
    assert different_packages(PINS, installed) == different


def test_an_environment_as_the_constraints_say_is_fine_and_another_is_not(tmp_path: Path) -> None:
    (tmp_path / "constraints").mkdir()
    constraints = tmp_path / "constraints" / f"{OWN}.txt"
    constraints.write_text(f"dagster=={version('dagster')}\n")
    good = look(tmp_path)
    constraints.write_text("dagster==0.1\nnothing-such==1\n")
    bad = look(tmp_path)[OWN]

    assert good[OWN].state == good["dagster"].state == "ok"
    assert good[OWN].said.startswith(f"Python {platform.python_version()}, ")
    assert bad.state == "problem"
    assert f"dagster {version('dagster')} (0.1), nothing-such is missing" in bad.said
    assert "make setup" in bad.fix


def test_an_environment_that_is_missing_broken_or_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.11"\n')
    old = '{"python": "3.9.1", "packages": {"dagster": "1.0"}}'

    found = look(
        tmp_path,
        tmp_path / ".venvs" / "gone" / "bin" / "python",
        write_python(tmp_path, "broken", "echo no module named encodings >&2; exit 1"),
        write_python(tmp_path, "old", f"echo '{old}'"),
    )

    assert found["gone"].said == "is missing"
    assert found["gone"].fix == "make it anew: `rm -rf .venvs/gone && make setup`"
    assert found["broken"].said == "does not work: no module named encodings"
    assert found["old"].said == "Python 3.9.1, and the project needs >=3.11"
    assert found["dagster"].said == f"{version('dagster')} in {OWN}, 1.0 in old"
    assert {found[name].state for name in ("gone", "broken", "old", "dagster")} == {"problem"}
