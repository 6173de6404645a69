"""Resolving a merged `meta.dagster` block: its model, with Dagster's automation condition."""

from __future__ import annotations

from pathlib import Path

from factories.core.assets.blocks import resolve_block
from factories.core.meta.built_in_conditions import on_cron_no_deps
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

NIGHTLY = """
automation_condition: on_cron_no_deps
automation_condition_config: {cron_schedule: "0 2 * * *"}
"""


def resolve(tmp_path: Path, text: str) -> tuple[DagsterMeta | None, list[str]]:
    path = tmp_path / "meta.yaml"
    path.write_text(text.strip())
    problems: list[Problem] = []
    file = read_yaml(path, root=tmp_path, problems=problems)
    assert file is not None
    meta = resolve_block(file.data, SourceMap(file, []), AutomationConditions(), problems)
    return meta, [str(problem) for problem in problems]


def test_a_block_has_its_condition_also_as_a_copy_with_other_values(tmp_path: Path) -> None:
    meta, problems = resolve(tmp_path, NIGHTLY)
    assert meta is not None
    assert problems == []
    expected = on_cron_no_deps(cron_schedule="0 2 * * *")
    assert meta.condition == expected
    assert meta.model_copy(update={"group": "flights"}).condition == expected


def test_manual_only_and_no_name_are_never(tmp_path: Path) -> None:
    for text in ("automation_condition: manual_only", "group: flights"):
        meta, problems = resolve(tmp_path, text)
        assert meta is not None
        assert (meta.condition, problems) == (None, [])


def test_an_unknown_condition_is_reported_beside_other_mistakes(tmp_path: Path) -> None:
    meta, problems = resolve(tmp_path, "automation_condition: on_corn_no_deps\ngruop: x")
    assert meta is None
    assert [problem.partition(" (allowed")[0] for problem in problems] == [
        "meta.yaml:2:1: unknown key 'gruop'; did you mean 'group'?",
        (
            "meta.yaml:1:23: 'on_corn_no_deps' is not an automation condition;"
            " did you mean 'on_cron_no_deps'?"
        ),
    ]
