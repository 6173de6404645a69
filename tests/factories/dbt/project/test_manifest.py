"""Reading dbt's manifest: code versions, what a test is about, a manifest that is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from factories.dbt.prepare import target_folder
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.manifest_file import ManifestError, manifest_of, read_content
from tests.factories.dbt.written_project import WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_shop")  # they share what dbt has parsed

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def text(shop: WrittenProject) -> str:
    """dbt's manifest of the project."""
    return (target_folder(shop.folder) / "manifest.json").read_text()


def read_changed(text: str, shop: WrittenProject, folder: Path, change: Change) -> Manifest:
    """The manifest after a change of the project."""
    data = json.loads(text)
    change(data)
    path = folder / "manifest.json"
    path.write_text(json.dumps(data))
    return manifest_of(read_content(path), shop.folder)


def node(data: dict[str, Any], name: str) -> dict[str, Any]:
    return data["nodes"][f"model.shop.{name}"]


def macro(data: dict[str, Any], name: str) -> dict[str, Any]:
    return data["macros"][f"macro.shop.{name}"]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("ANALYTICS.marts.report", ("ANALYTICS", "MARTS", "REPORT")),
        ('ANALYTICS.MARTS."Report"', ("ANALYTICS", "MARTS", "Report")),
        ('"Data".MARTS."a.b ""c"""', ("Data", "MARTS", 'a.b "c"')),
    ],
)
def test_table_is_the_one_that_dbt_names(
    text: str, shop: WrittenProject, tmp_path: Path, said: str, stored: tuple[str, str, str]
) -> None:
    # By the project's own macros for names, and its `quoting`.
    changed = read_changed(
        text, shop, tmp_path, lambda d: node(d, "report").update(relation_name=said, alias="other")
    )

    assert changed.nodes["model.shop.report"].relation == stored


# --- code versions ---

CODE: dict[str, tuple[Change, set[str]]] = {
    "SQL": (lambda d: node(d, "report")["checksum"].update(checksum="x"), {"model.shop.report"}),
    "config": (
        lambda d: node(d, "report")["unrendered_config"].update(materialized="incremental"),
        {"model.shop.report"},
    ),
    "other meta": (
        lambda d: node(d, "report")["unrendered_config"]["meta"].update(window_column="day"),
        {"model.shop.report"},
    ),
    "a contract's columns": (
        lambda d: node(d, "balances")["contract"].update(checksum="x"),
        {"model.shop.balances"},
    ),
    "a macro": (lambda d: macro(d, "cents").update(macro_sql="x"), {"model.shop.totals.v2"}),
    "a macro's macro": (lambda d: macro(d, "half").update(macro_sql="x"), {"model.shop.totals.v2"}),
    "an ephemeral model": (
        lambda d: node(d, "lines")["checksum"].update(checksum="x"),
        {"model.shop.totals.v1", "model.shop.totals.v2"},
    ),
    "one snapshot of a file": (
        lambda d: d["nodes"]["snapshot.shop.items_history"].update(raw_code="select 2"),
        {"snapshot.shop.items_history"},
    ),
    "how tables are made": (
        lambda d: d["macros"].update(
            {
                "macro.shop.materialization_table_snowflake": {
                    "name": "materialization_table_snowflake",
                    "package_name": "shop",
                    "macro_sql": "x",
                    "depends_on": {"macros": []},
                }
            }
        ),
        {f"model.shop.{name}" for name in ("forecast", "report", "totals.v1", "totals.v2")},
    ),
    # What says something of a model and computes nothing.
    "dbt's own macros": (
        lambda d: [
            m.update(macro_sql="x") for m in d["macros"].values() if m["package_name"] == "dbt"
        ],
        set(),
    ),
    "the dagster block": (
        lambda d: node(d, "report")["unrendered_config"]["meta"]["dagster"].update(group="x"),
        set(),
    ),
    "a description": (lambda d: node(d, "report").update(description="x"), set()),
    "tags, group": (
        lambda d: node(d, "report")["unrendered_config"].update(tags=["x"], group="sales"),
        set(),
    ),
    "a test": (
        lambda d: [
            n["checksum"].update(checksum="x")
            for n in d["nodes"].values()
            if "test" in n["resource_type"]
        ],
        set(),
    ),
}


@pytest.mark.parametrize("what", CODE)
def test_a_code_version_changes_with_what_is_computed(
    text: str, shop: WrittenProject, tmp_path: Path, what: str
) -> None:
    change, expected = CODE[what]
    before = read_changed(text, shop, tmp_path, lambda _: None).nodes
    after = read_changed(text, shop, tmp_path, change).nodes
    assert {
        uid for uid in before if before[uid].code_version != after[uid].code_version
    } == expected


def test_a_seed_that_is_too_large_for_dbt_is_read_here(
    text: str, shop: WrittenProject, tmp_path: Path
) -> None:
    """dbt's checksum of a seed of more than 1 MiB is its path."""
    path = "seeds/finance/large.csv"

    def large(data: dict[str, Any]) -> None:
        seed = data["nodes"]["seed.shop.rates"]
        seed.update(checksum={"name": "path", "checksum": path}, original_file_path=path)

    def version() -> str:
        return read_changed(text, shop, tmp_path, large).nodes["seed.shop.rates"].code_version

    file = shop.folder / path
    file.write_text("a\n1\n")
    first = version()
    assert version() == first
    file.write_text("a\n2\n")
    second = version()
    file.unlink()
    assert second != first


# --- tests ---


@pytest.mark.parametrize(
    ("test", "subject"),
    [
        ("orders_have_items", "model.shop.totals.v2"),
        ("not_null_lines_id", "model.shop.stg_items"),
        ("totals_add_up", "model.shop.totals.v2"),
        ("source_relationships_shop_orders_id__id__ref_totals_", "source.shop.shop.orders"),
    ],
)
def test_what_a_test_is_about(
    text: str, shop: WrittenProject, tmp_path: Path, test: str, subject: str
) -> None:
    tests = read_changed(text, shop, tmp_path, lambda _: None).tests.values()
    assert [t.subject for t in tests if t.name == test] == [subject]


def test_a_test_of_a_disabled_model_is_none(
    text: str, shop: WrittenProject, tmp_path: Path
) -> None:
    assert "unique_resting_id" in text
    tests = read_changed(text, shop, tmp_path, lambda _: None).tests.values()
    assert "unique_resting_id" not in {test.name for test in tests}


def test_the_order_is_not_that_of_the_file(text: str, shop: WrittenProject, tmp_path: Path) -> None:
    """dbt's own depends on what it had parsed before."""

    def reverse(data: dict[str, Any]) -> None:
        for kind in ("nodes", "sources", "unit_tests", "macros"):
            data[kind] = dict(reversed(data[kind].items()))

    same, other = (read_changed(text, shop, tmp_path, c) for c in (lambda _: None, reverse))
    assert list(same.nodes) == list(other.nodes)
    assert list(same.tests) == list(other.tests)
    assert list(same.sources) == list(other.sources)
    assert same == other


@pytest.mark.parametrize("content", ["", "{", "[]", '{"metadata": {}}', '{"metadata": null}'])
def test_a_broken_manifest(tmp_path: Path, content: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ManifestError):
        manifest_of(read_content(path), tmp_path)
