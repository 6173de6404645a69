"""Which dbt projects are compiled for a change, and what is told when that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.cli.changes.git_changes import FileChange
from factories.cli.changes.traced_columns import find_touched_projects, trace_columns
from tests.factories.cli.changes.test_lost_columns import STG, graph

WORKSPACE = """
load_from:
  - python_module:
      module_name: defs
      location_name: transformation
      executable_path: .venvs/none/bin/python
"""
Graph = dict[str, dict[str, Any]]


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """Two checkouts of a project with a dbt project, into which a package is installed."""
    for name in ("before", "after"):
        for folder in ("air", "air/dbt_packages/tools"):
            project = tmp_path / name / folder
            project.mkdir(parents=True)
            (project / "dbt_project.yml").touch()
        (tmp_path / name / "workspace.yaml").write_text(WORKSPACE)
    return tmp_path / "before", tmp_path / "after"


def graphs(roots: tuple[Path, Path]) -> tuple[Graph, Graph]:
    found = (graph(), graph())
    for root, one in zip(roots, found, strict=True):
        assets = one["transformation"]["assets"]
        assets["ops/stg/flights"]["file"] = str(root / "air/models/stg_flights.sql")
        assets["marts/fleet"]["file"] = str(root / "air/dbt_packages/tools/models/fleet.sql")
    return found


def changed(
    roots: tuple[Path, Path], found: tuple[Graph, Graph], *files: str
) -> dict[tuple[str, str], set[str]]:
    changes = [FileChange(file, "changed") for file in files]
    projects = find_touched_projects(roots, found, changes)
    return {place: project.changed for place, project in projects.items()}


def test_a_change_of_other_files_compiles_nothing(roots: tuple[Path, Path]) -> None:
    found = graphs(roots)
    found[1]["ingestion"]["assets"]["ops/raw/flights"].update(code="2", group="other")
    assert changed(roots, found, "sling/flights.yaml", "air/README.md", "airs/a.sql") == {}
    assert trace_columns(roots, found, [FileChange("sling/flights.yaml", "changed")]) == ({}, {})


def test_code_and_files_of_a_project_count(roots: tuple[Path, Path]) -> None:
    found = graphs(roots)
    found[1]["transformation"]["assets"]["marts/fleet"]["code"] = "2"
    assert changed(roots, found, "air/models/_sources.yml") == {
        ("transformation", "air"): {"model.a.fleet", "models/_sources.yml"}
    }


def test_added_and_removed_nodes_count(roots: tuple[Path, Path]) -> None:
    found = graphs(roots)
    del found[0]["transformation"]["assets"]["marts/fleet"]
    del found[1]["transformation"]["assets"]["ops/stg/flights"]
    assert changed(roots, found) == {("transformation", "air"): {"model.a.stg", "model.a.fleet"}}


def test_what_reads_a_table_that_loses_a_column_by_its_yaml_counts(
    roots: tuple[Path, Path],
) -> None:
    found = graphs(roots)
    found[1]["ingestion"]["assets"]["ops/raw/flights"]["columns"] = ["at"]
    assert changed(roots, found) == {("transformation", "air"): {"model.a.stg"}}


def test_nothing_is_compiled_of_a_location_that_cannot_be_built(roots: tuple[Path, Path]) -> None:
    found = graphs(roots)
    found[1]["transformation"] = {"error": "SyntaxError"}
    assert changed(roots, found, "air/models/_sources.yml") == {}


def test_why_a_project_cannot_be_compiled_is_told_of_what_has_changed(
    roots: tuple[Path, Path],
) -> None:
    found = graphs(roots)
    found[1]["transformation"]["assets"]["ops/stg/flights"]["code"] = "2"
    _, after = trace_columns(roots, found, [])
    why = "dbt cannot compile their project: its environment is missing, run `make setup`"
    assert {table: facts["why"] for table, facts in after.items()} == {STG: why}
