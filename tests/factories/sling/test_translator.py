"""A company's own translator changes what the asset of a stream is like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_sling import DagsterSlingTranslator

from factories.definitions import build_definitions, read_project
from factories.sling.translator import ReplicationTranslator, StreamDefinition
from tests.factories.conftest import YamlProject

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "sling.md"
HEAD = """
defaults:
  object: shop.{stream_table}
  source_options: {empty_as_null: true}
  meta: {steward: ana, dagster: {tags: {domain: sales}, owners: ["team:sales"]}}
"""
STREAMS = """
public.orders:
  mode: incremental
  primary_key: id
  meta: {sensitive: true, dagster: {tags: {tier: a}, checks: {rows: {min: 1}}}}
public.items:
"""


class CompanyTranslator(ReplicationTranslator):
    """Tags by what the company keeps below `meta`, and keys of its own."""

    def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
        spec = super().get_asset_spec(stream_definition)
        meta = stream_definition["config"]["meta"]
        return spec.replace_attributes(
            key=spec.key.with_prefix("lake"),
            group_name="lake",
            description=f"{stream_definition['name']} of {meta['steward']}",
            owners=["team:lake"],
            tags={**spec.tags, "sensitive": str(meta.get("sensitive", False)).lower()},
        )


def problems(translator: Any) -> list[str]:
    load_context, assets = read_project(sling="sling", sling_translator=translator)
    assert assets == []
    return [str(problem) for problem in load_context.problems]


def test_the_spec_that_it_returns_is_the_assets(yaml_project: YamlProject) -> None:
    yaml_project.replication(STREAMS, head=HEAD)

    defs = build_definitions(sling="sling", sling_translator=CompanyTranslator())

    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert set(specs) == {"lake/shop/raw/orders", "lake/shop/raw/items"} | {
        "shop/src/orders",
        "shop/src/items",
    }
    orders = specs["lake/shop/raw/orders"]
    assert {"domain": "sales", "tier": "a", "sensitive": "true"}.items() <= orders.tags.items()
    assert specs["lake/shop/raw/items"].tags["sensitive"] == "false"
    assert orders.group_name == specs["shop/src/orders"].group_name == "lake"
    assert orders.description == "public.orders of ana"
    assert list(orders.owners) == ["team:lake"]
    assert [dep.asset_key.to_user_string() for dep in orders.deps] == ["shop/src/orders"]
    assert orders.metadata["dagster/table_name"] == "RAW.SHOP.ORDERS"


def test_a_changed_key_is_the_one_that_checks_and_other_files_meet(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication(STREAMS, head=HEAD)

    load_context, assets = read_project(sling="sling", sling_translator=CompanyTranslator())

    [made] = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)]
    key = dg.AssetKey(["lake", "shop", "raw", "orders"])
    assert [check.asset_key for check in made.check_specs] == [key]
    assert load_context.produced[key].line == 8
    assert dg.AssetKey(["shop", "raw", "orders"]) not in load_context.produced


def test_it_is_given_the_stream_as_dagster_sling_gives_it(yaml_project: YamlProject) -> None:
    seen: list[Mapping[str, Any]] = []

    class Watching(ReplicationTranslator):
        def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
            seen.append(stream_definition)
            return super().get_asset_spec(stream_definition)

    yaml_project.replication(STREAMS, head=HEAD)
    read_project(sling="sling", sling_translator=Watching())

    orders, items = seen
    assert isinstance(orders, StreamDefinition)
    assert orders == {
        "name": "public.orders",
        "config": {
            "object": "shop.{stream_table}",
            "source_options": {"empty_as_null": True},
            "mode": "incremental",
            "primary_key": "id",
            "meta": {
                "steward": "ana",
                "sensitive": True,
                "dagster": {
                    "tags": {"domain": "sales", "tier": "a"},
                    "owners": ["team:sales"],
                    "checks": {"rows": {"min": 1}},
                },
            },
        },
    }
    assert items["config"]["meta"] == {
        "steward": "ana",
        "dagster": {"tags": {"domain": "sales"}, "owners": ["team:sales"]},
    }


def test_a_stream_that_is_not_of_yaml_is_mapped_as_dagster_sling_does() -> None:
    definition = {"name": "public.orders", "config": {"object": "shop.orders"}}

    spec = ReplicationTranslator().get_asset_spec(definition)

    assert spec == DagsterSlingTranslator().get_asset_spec(definition)


# --- what it must not do ---


def test_one_key_for_two_streams_is_reported_with_both_places(yaml_project: YamlProject) -> None:
    class OneKey(ReplicationTranslator):
        def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
            spec = super().get_asset_spec(stream_definition)
            return spec.replace_attributes(key=dg.AssetKey(["lake", "all"]))

    yaml_project.replication("public.orders:\npublic.items:")

    assert problems(OneKey()) == [
        (
            "sling/shop.yaml:6:1: the asset key lake/all is produced here and at"
            " sling/shop.yaml:5: set asset_key on one of them"
        )
    ]


def test_what_it_raises_is_reported_at_the_stream(yaml_project: YamlProject) -> None:
    class Raising(ReplicationTranslator):
        def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
            return super().get_asset_spec(stream_definition["config"]["meta"]["steward"])

    yaml_project.replication("public.orders:")

    [found] = problems(Raising())
    assert found.startswith(
        "sling/shop.yaml:5:1: Raising: KeyError: 'steward' (test_translator.py:"
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"partitions_def": dg.DailyPartitionsDefinition("2024-01-01")},
            "'public.orders': partitions are set by meta.dagster.partition, not by a translator",
        ),
        (
            {"key": dg.AssetKey(["shop", "src", "orders"])},
            "'public.orders': shop/src/orders cannot depend on itself",
        ),
    ],
)
def test_a_spec_that_cannot_hold_is_reported_at_the_stream(
    yaml_project: YamlProject, change: dict[str, Any], expected: str
) -> None:
    class Changing(ReplicationTranslator):
        def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
            return super().get_asset_spec(stream_definition).replace_attributes(**change)

    yaml_project.replication("public.orders:")

    assert problems(Changing()) == [f"sling/shop.yaml:5:1: Changing: {expected}"]


def test_what_is_not_a_spec_is_reported_at_the_stream(yaml_project: YamlProject) -> None:
    class Forgetful(ReplicationTranslator):
        def get_asset_spec(self, stream_definition: Mapping[str, Any]) -> dg.AssetSpec:
            super().get_asset_spec(stream_definition)
            return None  # type: ignore[return-value]

    yaml_project.replication("public.orders:")

    assert problems(Forgetful()) == [
        (
            "sling/shop.yaml:5:1: Forgetful: get_asset_spec returned NoneType for 'public.orders',"
            " not an AssetSpec"
        )
    ]


def test_dagster_slings_own_translator_is_refused(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:")

    assert problems(DagsterSlingTranslator()) == [
        (
            "sling_translator: must be a ReplicationTranslator, not DagsterSlingTranslator:"
            " derive the class from factories.sling.translator.ReplicationTranslator"
        )
    ]


def test_a_class_in_place_of_an_instance_is_refused(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders:")

    assert problems(CompanyTranslator) == [
        (
            "sling_translator: must be an instance, CompanyTranslator(), not the class"
            " CompanyTranslator"
        )
    ]


def test_a_superseded_method_is_refused_for_it_would_be_ignored(yaml_project: YamlProject) -> None:
    class Old(ReplicationTranslator):
        def get_group_name(self, stream_definition: Mapping[str, Any]) -> str | None:
            return "lake"

    yaml_project.replication("public.orders:")

    assert problems(Old()) == [
        (
            "sling_translator: Old.get_group_name is superseded and never called:"
            " override get_asset_spec"
        )
    ]


def test_the_guides_example_tags_what_is_sensitive(yaml_project: YamlProject) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    [code] = [block for block in blocks if "CompanyTranslator" in block]
    yaml_project.replication("public.orders: {meta: {sensitive: true}}")
    example: dict[str, Any] = {}

    exec(compile(code, str(GUIDE), "exec"), example)

    [spec] = [s for s in example["defs"].resolve_all_asset_specs() if "raw" in s.key.path]
    assert spec.tags["sensitive"] == "true"
