"""The specs and checks of a dbt project's assets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)

from factories.cli.location_report import LocationReport, ReadReport, report_location
from tests.factories.dbt.written_project import Loaded, WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_shop")  # they share what dbt has parsed

SOURCES = "models/staging/shop/_shop.yml"


def references(spec: dg.AssetSpec) -> list[tuple[str, int]]:
    """The file and line of each place that the UI links to."""
    found = spec.metadata["dagster/code_references"].code_references
    return [(ref.file_path.split("dbt_project/")[-1], ref.line_number) for ref in found]


def line_of(shop: WrittenProject, name: str, text: str) -> int:
    lines = (shop.folder / name).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


# --- what dbt says of a node ---


def test_descriptions_are_dbts_unless_the_block_has_one(shop_loaded: Loaded) -> None:
    assert shop_loaded.specs["shop/stg/orders"].description == "One row per order."
    assert shop_loaded.specs["reports/sales/daily"].description == "Ours, not dbt's."
    assert shop_loaded.specs["shop/stg/items"].description is None
    assert shop_loaded.specs["exchange_rates/src/daily"].description == "From the bank."


@pytest.mark.parametrize(
    ("asset", "group"),
    [
        ("shop/stg/orders", "shop"),
        ("marts/sales/totals_v2", "sales"),
        ("marts/sales/totals_v1", "retired"),
        ("marts/sales/forecast", "ml"),
        ("seeds/finance/rates", "finance"),
        ("snapshots/rates_history", "snapshots"),
        ("snapshots/items_history", "history"),
        ("tools/calendar", "tools"),
        ("reports/sales/daily", "sales"),
        ("exchange_rates/src/daily", "exchange_rates"),
    ],
)
def test_groups_are_the_folders_unless_a_block_says_another(
    shop_loaded: Loaded, asset: str, group: str
) -> None:
    assert shop_loaded.specs[asset].group_name == group


def test_owners_are_those_of_the_dbt_group(shop_loaded: Loaded) -> None:
    specs = shop_loaded.specs
    assert specs["ledger/balances"].owners == ["books@example.com"]  # `x` is not an address
    assert specs["ledger/accounts"].owners == ["team:Sales People"]
    assert specs["marts/sales/totals_v1"].owners == ["team:sales"]  # the block's
    assert specs["tools/calendar"].owners == ["team:tools"]  # a package's, from dbt_project.yml


def test_tags_and_kinds(shop_loaded: Loaded) -> None:
    kinds = {key: set(spec.kinds) for key, spec in shop_loaded.specs.items()}
    assert kinds["shop/stg/orders"] == {"dbt", "snowflake", "view"}
    assert kinds["seeds/finance/rates"] == {"dbt", "snowflake", "seed"}
    assert kinds["reports/sales/daily"] == {"excel"}
    tags = shop_loaded.specs["reports/sales/daily"].tags
    assert (tags["nightly"], tags["team_a"]) == ("no", "")


def test_columns_and_contracts(shop_loaded: Loaded) -> None:
    orders = shop_loaded.specs["shop/stg/orders"].metadata
    (column,) = orders["dagster/column_schema"].columns
    assert (column.name, column.description) == ("id", "The key.")
    assert "dbt/contract" not in orders
    balances = shop_loaded.specs["ledger/balances"].metadata
    assert balances["dbt/contract"] == "enforced"
    day, total = balances["dagster/column_schema"].columns
    assert (day.type, day.description, day.constraints.nullable) == ("date", "Its day.", False)
    assert (total.type, total.constraints.nullable) == ("number", True)
    assert total.constraints.other == ["check a > 0"]


def test_code_references_lead_to_the_properties_and_to_the_sql(
    shop: WrittenProject, shop_loaded: Loaded
) -> None:
    def places(asset: str) -> list[tuple[str, int]]:
        return references(shop_loaded.specs[asset])

    line = line_of(shop, SOURCES, "name: stg_shop__orders")
    sql = "models/staging/shop/stg_shop__orders.sql"
    assert places("shop/stg/orders") == [(SOURCES, line), (sql, 1)]
    assert places("shop/stg/items") == [("models/staging/shop/stg_items.sql", 1)]
    assert places("exchange_rates/src/daily") == [(SOURCES, line_of(shop, SOURCES, "Daily"))]
    sales = "models/marts/sales/_sales.yml"
    first = (sales, line_of(shop, sales, "v: 1"))
    assert places("marts/sales/totals_v1")[0] == first
    assert places("tools/calendar")[0] == ("dbt_packages/tools/models/calendar.yml", 2)
    assert (shop.folder / "dbt_packages/tools/models/calendar.yml").is_file()
    assert places("snapshots/rates_history")[0] == ("snapshots/_snapshots.yml", 2)


def test_condition_freshness_and_table(shop_loaded: Loaded) -> None:
    report = shop_loaded.specs["reports/sales/daily"]
    assert report.automation_condition is not None
    assert report.automation_condition.get_label() == "on_upstream_change"
    assert report.freshness_policy == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=36)
    )
    assert report.metadata["dagster/table_name"] == "ANALYTICS.MARTS.REPORT"
    assert shop_loaded.specs["shop/stg/orders"].automation_condition is None


# --- checks ---


def test_tests_are_checks_of_what_they_are_about(shop_loaded: Loaded) -> None:
    blocking = {name: check.blocking for name, check in shop_loaded.checks.items()}
    # dbt's names end in a digest where they would be too long, or are taken.
    (taken,) = (name for name in blocking if name.startswith("reports/sales/daily:unique_day_"))
    assert blocking == {
        "shop/stg/orders:unique_stg_shop__orders_id": True,
        "shop/stg/orders:not_null_stg_shop__orders_id": False,  # severity: warn
        "shop/stg/items:not_null_lines_id": True,  # an ephemeral model's: about what it reads
        "seeds/finance/rates:unique_rates_currency": True,
        "tools/calendar:unique_calendar_day": True,
        "marts/sales/totals_v1:unique_totals_v1_id": True,
        "marts/sales/totals_v2:unique_totals_v2_id": True,
        "marts/sales/totals_v2:totals_add_up": True,  # a unit test
        "marts/sales/totals_v2:orders_have_items": True,  # singular: the last that it reads
        "reports/sales/daily:not_null_report_day": True,
        "reports/sales/daily:row_count": False,  # meta.dagster.checks
        "reports/sales/daily:unique_day": False,
        taken: True,
        # also where it compares with a model that is built later
        "shop/raw/orders:source_relationships_shop_orders_id__id__ref_totals_": False,
        "shop/raw/orders:source_not_null_shop_orders_id": False,
        "shop/raw/orders:source_freshness": False,
    }


def test_sources_have_an_op_of_their_own(shop_loaded: Loaded) -> None:
    assert set(shop_loaded.ops) == {"dbt__shop", "dbt__shop__sources"}
    assert shop_loaded.ops["dbt__shop__sources"] == {
        name.partition(":")[2] for name in shop_loaded.checks if name.startswith("shop/raw/")
    }


def test_source_freshness_is_a_check_of_the_raw_asset(shop_loaded: Loaded) -> None:
    check = shop_loaded.checks["shop/raw/orders:source_freshness"]
    assert check.description == "Warns when older than 12 hours. Fails when older than 1 day."
    assert "shop/raw/items:source_freshness" not in shop_loaded.checks  # no criteria


# --- steps ---


@pytest.fixture
def in_a_step() -> Iterator[None]:
    """Definitions are read as a step's process reads them."""
    before = DefinitionsLoadContext.get()
    DefinitionsLoadContext.set(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION))
    yield
    DefinitionsLoadContext.set(before)


@pytest.mark.usefixtures("in_a_step")
def test_a_step_reads_the_same_assets_without_what_only_the_catalog_shows(
    shop: WrittenProject, shop_loaded: Loaded
) -> None:
    in_step = Loaded.of(shop.definitions())
    assert in_step.ops == shop_loaded.ops
    assert in_step.deps == shop_loaded.deps
    assert set(in_step.checks) == set(shop_loaded.checks)
    for key, spec in in_step.specs.items():
        known = shop_loaded.specs[key]
        assert (spec.group_name, spec.code_version, spec.owners, spec.tags) == (
            known.group_name, known.code_version, known.owners, known.tags,
        )  # fmt: skip
    assert "dagster/code_references" not in in_step.specs["shop/stg/orders"].metadata


@pytest.mark.usefixtures("in_a_step")
def test_a_step_reads_only_the_files_that_have_blocks(shop: WrittenProject, tmp_path: Path) -> None:
    copy = WrittenProject(shutil.copytree(shop.root, tmp_path / "copy", symlinks=True))
    for name in ("seeds/_seeds.yml", "snapshots/_snapshots.yml", "models/ledger/_ledger.yml"):
        (copy.folder / name).unlink()
    assert copy.problems() == []
    (copy.folder / "models/marts/sales/_sales.yml").unlink()
    assert copy.problems() == [
        "dbt_project/models/marts/sales/_sales.yml: cannot be read: No such file or directory"
    ]


def test_every_source_that_ingestion_loads_is_reported_with_its_place(
    shop: WrittenProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also those that no model reads: with a typo in its name, a source's checks see no table."""
    (tmp_path / "shop_location.py").write_text(
        "from factories.definitions import build_definitions\n"
        "defs = build_definitions(dbt='dbt_project')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with shop.environ():
        report = LocationReport.from_json(report_location("shop_location").to_json())
    file = f"dbt_project/{SOURCES}"
    assert sorted(report.reads, key=lambda read: read.key) == [
        ReadReport("ml/shop/scores", file, line_of(shop, SOURCES, "name: scores")),
        ReadReport("shop/raw/items", file, line_of(shop, SOURCES, "name: items")),
        ReadReport("shop/raw/orders", file, line_of(shop, SOURCES, "name: orders")),
    ]
