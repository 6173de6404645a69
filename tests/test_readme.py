"""What the README shows is what happens."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from factories.core.yaml.problems import format_problems, sorted_problems
from factories.definitions import read_project

DLT = "dlt_pipelines/weather_api.yaml"
MODEL = "snowpark/delay.yaml"
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(pattern: str) -> str:
    """Return the one fenced block of the README that begins like this."""
    (found,) = re.findall(rf"```\w*\n({pattern}.*?)```", README, re.DOTALL)
    return str(found)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the files that the README shows."""
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    monkeypatch.delenv("DP_TARGET", raising=False)
    for name in ("sling/connections.yaml", "sling/flight_ops.yaml", DLT):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block(f"# {name}"), encoding="utf-8")
    return tmp_path


def test_the_example_of_a_model_names_the_demos_functions(project: Path) -> None:
    compiled = shutil.ignore_patterns("__pycache__")  # which other tests' processes write meanwhile
    shutil.copytree(ROOT / "snowpark" / "delay", project / "snowpark" / "delay", ignore=compiled)
    (project / MODEL).write_text(block(f"# {MODEL}"), encoding="utf-8")
    build, _ = read_project(snowpark="snowpark")

    assert build.problems == []
    assert {key.to_user_string() for key in build.produced} == {
        "ml/delay/delay_features",
        "ml/delay/arrival_delay",
        "ml/delay/arrival_delay_predictions",
    }


@pytest.mark.usefixtures("project")
def test_the_example_makes_the_assets_that_the_readme_names() -> None:
    build, _ = read_project(sling="sling", dlt="dlt_pipelines")

    assert build.problems == []
    assert {key.to_user_string() for key in build.produced} == {
        "flight_ops/raw/airlines",
        "flight_ops/raw/flights",
        "weather_api/raw/observations",
    }


def test_the_examples_two_mistakes_are_told_as_the_readme_shows(project: Path) -> None:
    path = project / "sling/flight_ops.yaml"
    right = path.read_text(encoding="utf-8")
    wrong = right.replace(": on_cron_no", ": on_corn_no").replace(" primary_key:", " primery_key:")
    path.write_text(wrong, encoding="utf-8")
    build, _ = read_project(sling="sling")
    told = re.sub(
        r"\(allowed: object.*\)", "(allowed: …)", format_problems(sorted_problems(build.problems))
    )

    shown = block(r"\$ make check").removeprefix("$ make check\ntarget: local\n")
    assert told == shown.strip("\n")
