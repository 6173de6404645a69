"""A pool without a limit takes every step at once."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from factories.cli.checking.pools import pool_problems
from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.repository_facts import RepositoryFacts

REPORTS = {
    "ingestion": LocationReport(
        [AssetReport("shop/raw/orders", "sling/shop.yaml", 5, True, [])],
        file="ingestion.py",
        needs=RepositoryFacts(pools={"sling_shop": "shop/raw/orders", "ops": ""}),
    ),
    "ml": LocationReport(needs=RepositoryFacts(pools={"sling_shop": ""})),
}
REMEDY = "set concurrency.pools.default_limit in dagster.yaml, or `dagster instance concurrency set"
OF_SLING = f"sling/shop.yaml:5:1: the pool sling_shop has no limit: {REMEDY} sling_shop 1`"
OF_OPS = f"ingestion.py: the pool ops has no limit: {REMEDY} ops 1`"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / ".local"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in pool_problems(root, REPORTS)]


@pytest.mark.parametrize(
    "settings", [None, "telemetry: {enabled: false}", "concurrency: {pools: {granularity: op}}"]
)
def test_each_pool_is_told_once_where_an_asset_takes_it(root: Path, settings: str | None) -> None:
    if settings is not None:
        (root / "dagster.yaml").write_text(settings)
    assert problems(root) == [OF_SLING, OF_OPS]


@pytest.mark.parametrize(
    "settings",
    [
        "concurrency: {pools: {default_limit: 0}}",
        "concurrency: {pools: {default_limit: {env: LIMIT}}}",
        "concurrency: {default_op_concurrency_limit: 4}",
    ],
)
def test_a_default_limit_is_one_of_every_pool(root: Path, settings: str) -> None:
    (root / "dagster.yaml").write_text(settings)
    assert problems(root) == []


def test_settings_that_cannot_be_read_are_the_one_problem(root: Path) -> None:
    (root / "dagster.yaml").write_text("concurrency: [\n")
    (problem,) = problems(root)
    assert problem.startswith("dagster.yaml:2:1: not valid YAML")


def test_a_limit_that_the_instance_keeps_counts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.event_log_storage.set_concurrency_slots("sling_shop", 1)
    assert problems(root) == [OF_OPS]
