"""Sling YAML becomes assets: what each stream is, exactly, for a target."""

from __future__ import annotations

import shutil
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.factories.conftest import YamlProject

HEAD = """
defaults:
  mode: full-refresh
  object: sales.{stream_table}
  meta:
    dagster:
      automation_condition: on_cron_no_deps
      automation_condition_config: {cron_schedule: "0 5 * * *"}
      owners: ["team:sales"]
      tags: {domain: sales}
"""
STREAMS = """
public.orders:
  description: One row per order.
  mode: incremental
  primary_key: [id]
  update_key: updated_at
  meta:
    dagster:
      group: orders
      owners: [ana@example.com]
      tags: {pii: "true"}
      kinds: [postgres]
      deps: [erp/raw/customers]
      freshness: {fail_after: 36h, warn_after: 26h}
      automation_condition: on_upstream_change
      checks: {rows: {min: 1}}
public.items:
"""


@pytest.fixture
def sales(yaml_project: YamlProject) -> YamlProject:
    yaml_project.replication(STREAMS, head=HEAD)
    return yaml_project


def reference(project: YamlProject, line: int) -> dg.CodeReferencesMetadataValue:
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(
                file_path=str(project.root / "sling" / "shop.yaml"),
                line_number=line,
                label=f"shop.yaml:{line}",
            )
        ]
    )


@pytest.mark.parametrize(
    ("environ", "relation"),
    [
        ({"DP_TARGET": "local"}, "RAW.SALES"),
        ({"DP_TARGET": "prod"}, "RAW.SALES"),
        ({"DP_TARGET": "dev", "DP_SCHEMA_SUFFIX": "ana"}, "RAW.SALES__ANA"),
        ({"DP_TARGET": "pr-7"}, "RAW__PR_7.SALES"),
    ],
)
def test_the_exact_specs_of_a_small_project(
    sales: YamlProject,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    relation: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    specs = sales.specs()
    versions = {key: spec.code_version for key, spec in specs.items()}
    orders, items = specs["shop/raw/orders"], specs["shop/raw/items"]
    assert orders == dg.AssetSpec(
        dg.AssetKey(["shop", "raw", "orders"]),
        deps=[
            dg.AssetKey(["shop", "src", "orders"]),
            dg.AssetKey(["erp", "raw", "customers"]),
        ],
        description="One row per order.",
        metadata={
            "dagster/code_references": reference(sales, 13),
            "dagster/table_name": f"{relation}.ORDERS",
            "sling/stream": "public.orders",
            "sling/mode": "incremental",
        },
        skippable=True,
        group_name="orders",
        code_version=versions["shop/raw/orders"],
        automation_condition=orders.automation_condition,
        owners=["ana@example.com"],
        tags={"domain": "sales", "pii": "true"},
        kinds={"postgres"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=36), warn_window=timedelta(hours=26)
        ),
    )
    assert items == dg.AssetSpec(
        dg.AssetKey(["shop", "raw", "items"]),
        deps=[dg.AssetKey(["shop", "src", "items"])],
        metadata={
            "dagster/code_references": reference(sales, 28),
            "dagster/table_name": f"{relation}.ITEMS",
            "sling/stream": "public.items",
            "sling/mode": "full-refresh",
        },
        skippable=True,
        group_name="shop",
        code_version=versions["shop/raw/items"],
        automation_condition=items.automation_condition,
        owners=["team:sales"],
        tags={"domain": "sales"},
        kinds={"sling", "snowflake"},
    )
    labels = {
        key: spec.automation_condition.get_label() if spec.automation_condition else None
        for key, spec in specs.items()
    }
    assert labels == {
        "shop/raw/orders": "on_upstream_change",
        "shop/raw/items": "on_cron_no_deps(0 5 * * *, UTC)",
        "shop/src/orders": None,
        "shop/src/items": None,
        "erp/raw/customers": None,
    }


def test_a_sources_tables_are_external_assets(sales: YamlProject) -> None:
    specs = sales.specs()
    assert specs["shop/src/orders"] == dg.AssetSpec(
        dg.AssetKey(["shop", "src", "orders"]), group_name="orders", kinds={"postgres"}
    )
    graph = sales.definitions().resolve_asset_graph()
    assert graph.materializable_asset_keys == {
        dg.AssetKey(["shop", "raw", "orders"]),
        dg.AssetKey(["shop", "raw", "items"]),
    }


def test_one_step_loads_a_replication_and_any_part_of_it(sales: YamlProject) -> None:
    ops = sales.ops()
    assert list(ops) == ["sling__shop"]
    made = ops["sling__shop"]
    assert made.can_subset
    assert made.op.pool == "sling_shop"
    assert [check.name for check in made.check_specs] == ["row_count"]


def test_building_twice_gives_the_same(sales: YamlProject) -> None:
    assert sales.specs() == sales.specs()


def test_no_stream_changes_what_another_inherits(yaml_project: YamlProject) -> None:
    head = HEAD.replace("object:", "source_options: {empty_as_null: true}\n  object:")
    for order in (STREAMS, "\n".join(["public.items:", STREAMS.replace("public.items:", "")])):
        yaml_project.replication(order, head=head)
        items = yaml_project.specs()["shop/raw/items"]
        assert items.tags["domain"] == "sales"
        assert "pii" not in items.tags
        assert list(items.owners) == ["team:sales"]
        assert items.freshness_policy is None


def test_the_code_version_changes_only_with_the_streams_own_config(
    yaml_project: YamlProject,
) -> None:
    def versions(streams: str, head: str = HEAD) -> dict[str, Any]:
        yaml_project.replication(streams, head=head)
        return {key.split("/")[-1]: s.code_version for key, s in yaml_project.specs().items()
                if "/raw/" in key and s.code_version}  # fmt: skip

    # Only what Sling does counts, and no other stream.
    before = versions(STREAMS)
    one_changed = versions(STREAMS.replace("[id]", "[id, line]"))
    assert one_changed["items"] == before["items"]
    assert one_changed["orders"] != before["orders"]
    assert versions("# a comment\npublic.more:\n" + STREAMS).items() >= before.items()
    assert versions(STREAMS.replace("26h", "20h")) == before
    default_changed = versions(STREAMS, HEAD.replace("full-refresh", "truncate"))
    assert default_changed["orders"] == before["orders"]
    assert default_changed["items"] != before["items"]


def test_results_do_not_depend_on_the_order_of_the_directory(
    tmp_path: Path, yaml_project: YamlProject
) -> None:
    names = ["b", "a", "c", "ab"]
    for name in names:
        yaml_project.replication(f"{name}.t: {{object: {name}.{name}_t}}", name)
    first = yaml_project.specs()
    order = [asset.key.to_user_string() for asset in yaml_project.definitions().assets or []
             if isinstance(asset, dg.AssetSpec)]  # fmt: skip
    for name in names:  # written again in the opposite order
        text = (yaml_project.root / f"sling/{name}.yaml").read_text()
        (yaml_project.root / f"sling/{name}.yaml").unlink()
        (tmp_path / f"{name}.copy").write_text(text)
    for name in reversed(names):
        shutil.move(tmp_path / f"{name}.copy", yaml_project.root / f"sling/{name}.yaml")
    assert yaml_project.specs() == first
    assert order == [asset.key.to_user_string() for asset in yaml_project.definitions().assets or []
                     if isinstance(asset, dg.AssetSpec)]  # fmt: skip


def test_nothing_is_contacted_while_loading(
    sales: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(sales.specs()) == 5


# --- names ---


def test_tables_of_one_name_in_two_schemas_have_sources_of_their_own(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication("eu.orders: {object: 'eu.eu_orders'}", "a")
    yaml_project.replication("us.orders: {object: 'us.us_orders'}\nus.items:", "b")
    specs = yaml_project.specs()
    assert set(specs) == {
        "shop/src/eu_orders", "shop/raw/eu_orders",
        "shop/src/us_orders", "shop/raw/us_orders",
        "shop/src/items", "shop/raw/items",
    }  # fmt: skip
    (dep,) = specs["shop/raw/eu_orders"].deps
    assert dep.asset_key == dg.AssetKey(["shop", "src", "eu_orders"])


def test_tables_of_one_name_in_two_databases_have_sources_of_their_own(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication(
        "one.public.orders: {object: s.orders_1}\ntwo.public.orders: {object: s.orders_2}"
    )
    sources = {key for key in yaml_project.specs() if "/src/" in key}
    assert sources == {"shop/src/one_orders", "shop/src/two_orders"}


def test_one_source_table_read_twice_is_one_source(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:\npublic.ORDERS: {object: s.big, where: amount > 100}")
    assert set(yaml_project.specs()) == {"shop/src/orders", "shop/raw/orders", "shop/raw/big"}


def test_three_part_quoted_query_and_file_streams(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        """
        erp.public.customers:
        'public."Order Lines"': {object: shop.order_lines}
        delays: {sql: "select 1 as x", object: shop.delays}
        "s3://bucket/in/prices/*.csv": {object: shop.prices}
        """
    )
    specs = yaml_project.specs()
    assert {key: specs[key].metadata.get("dagster/table_name") for key in specs} == {
        "shop/src/customers": None,
        "shop/raw/customers": "RAW.SHOP.CUSTOMERS",
        "shop/src/order_lines": None,
        "shop/raw/order_lines": "RAW.SHOP.ORDER_LINES",
        "shop/src/delays": None,
        "shop/raw/delays": "RAW.SHOP.DELAYS",
        "shop/src/prices": None,
        "shop/raw/prices": "RAW.SHOP.PRICES",
    }


def test_an_object_may_name_its_database(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_TARGET", "pr-7")
    yaml_project.replication("public.orders: {object: landing.shop.orders}")
    spec = yaml_project.specs()["shop/raw/orders"]
    assert spec.metadata["dagster/table_name"] == "LANDING__PR_7.SHOP.ORDERS"


def test_asset_key_overrides_the_convention_also_from_defaults(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        "public.orders:",
        head="defaults: {object: 's.{stream_table}', meta: {dagster: {asset_key: mart/x/orders}}}",
    )
    assert set(yaml_project.specs()) == {"shop/src/orders", "mart/x/orders"}


def test_a_disabled_stream_is_left_out(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:\npublic.items: {disabled: true}")
    assert set(yaml_project.specs()) == {"shop/src/orders", "shop/raw/orders"}


def test_a_replication_of_disabled_streams_makes_nothing(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:", head="defaults: {object: s.t, disabled: true}")
    assert yaml_project.specs() == {}


# --- partitions and pools ---

PARTITIONED = """
public.orders:
  mode: incremental
  primary_key: id
  meta: {dagster: {partition: {type: daily, start: 2013-01-01, column: placed}}}
public.items:
  mode: incremental
  primary_key: id
  meta: {dagster: {partition: {type: daily, start: 2013-01-01, column: added}}}
public.visits:
  mode: incremental
  primary_key: id
  meta: {dagster: {partition: {type: daily, start: 2013-01-01, timezone: Europe/Berlin, column: t}}}
public.customers:
"""


def test_streams_with_the_same_partitions_share_a_step(yaml_project: YamlProject) -> None:
    yaml_project.replication(PARTITIONED)
    ops = yaml_project.ops()
    tables = {
        frozenset(key.path[-1] for key in made.keys): made.partitions_def for made in ops.values()
    }
    assert tables == {
        frozenset({"orders", "items"}): dg.DailyPartitionsDefinition("2013-01-01"),
        frozenset({"visits"}): dg.DailyPartitionsDefinition("2013-01-01", timezone="Europe/Berlin"),
        frozenset({"customers"}): None,
    }
    for made in ops.values():
        single = dg.BackfillPolicy.single_run() if made.partitions_def else None
        assert made.backfill_policy == single
        assert made.op.pool == "sling_shop"
    assert yaml_project.specs()["shop/raw/visits"].partitions_def is not None


def test_op_names_stay_when_other_streams_come(yaml_project: YamlProject) -> None:
    yaml_project.replication(PARTITIONED)
    before = set(yaml_project.ops())
    yaml_project.replication(
        "public.more:\n  mode: incremental\n  primary_key: id\n  update_key: t\n"
        "  meta: {dagster: {partition: {type: monthly, start: 2013-01-01}}}\n" + PARTITIONED
    )
    assert before < set(yaml_project.ops())


def test_a_pool_of_its_own_makes_a_step_of_its_own(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        "public.orders: {meta: {dagster: {pool: shop/slow}}}\npublic.items:\npublic.visits:"
    )
    pools = {made.op.pool: len(list(made.keys)) for made in yaml_project.ops().values()}
    assert pools == {"shop/slow": 1, "sling_shop": 2}


def test_everything_loads_in_dagster(yaml_project: YamlProject) -> None:
    yaml_project.replication(PARTITIONED)
    yaml_project.replication(STREAMS.replace("public.", "eu."), "other", head=HEAD.replace(
        "object: sales.", "object: eu.eu_"))  # fmt: skip
    dg.Definitions.validate_loadable(yaml_project.definitions())
