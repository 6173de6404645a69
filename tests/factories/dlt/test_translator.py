"""A company's own translator: what it changes holds everywhere, the rest is as YAML says."""

from __future__ import annotations

from typing import Any

import dagster as dg
import dlt
import pytest
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from factories.core.yaml.problems import format_problems
from factories.definitions import build_definitions, read_project
from factories.dlt import DltPipelineTranslator
from factories.dlt.errors import TranslatorError
from factories.dlt.translator import SUPERSEDED
from factories.location_defaults import default_resources
from tests.factories.conftest import YamlProject
from tests.factories.dlt.conftest import Project, materialized

PIPELINE = """
pipeline: shop
dataset: shop
source: {rest_api: {client: {base_url: "https://example.com"}, resources: [orders, lines]}}
defaults: {meta: {dagster: {owners: ["team:shop"], checks: {rows: {min: 1}}}}}
resources:
  orders: {write_disposition: merge, primary_key: id}
  lines: {table_name: order_lines}
"""


class Prefixed(DltPipelineTranslator):
    """Puts every asset below `company`."""

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        spec = super().get_asset_spec(data)
        return spec.replace_attributes(key=spec.key.with_prefix("company"))


def keys(translator: DagsterDltTranslator | None = None) -> dict[str, dg.AssetSpec]:
    load_context, assets = read_project(dlt="dlt_pipelines", dlt_translator=translator)
    assert not load_context.problems, format_problems(load_context.problems)
    return {
        spec.key.to_user_string(): spec
        for asset in assets
        if isinstance(asset, dg.AssetsDefinition)
        for spec in asset.specs
    }


def test_spec_of_the_base_class_is_that_of_no_translator(yaml_project: YamlProject) -> None:
    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)

    assert keys(DltPipelineTranslator()) == keys()


def test_changed_key_keeps_the_rest_and_moves_its_checks(yaml_project: YamlProject) -> None:
    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)
    plain, prefixed = keys(), keys(Prefixed())

    assert set(prefixed) == {"company/shop/raw/orders", "company/shop/raw/order_lines"}
    for name, spec in prefixed.items():
        assert spec == plain[name.removeprefix("company/")].replace_attributes(key=spec.key)
    defs = build_definitions(dlt="dlt_pipelines", dlt_translator=Prefixed())
    checked = {
        key.asset_key.to_user_string() for key in defs.resolve_asset_graph().asset_check_keys
    }
    assert checked == set(prefixed)


def test_one_key_for_two_resources_is_a_problem_with_both_places(yaml_project: YamlProject) -> None:
    class Same(DltPipelineTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
            return super().get_asset_spec(data).replace_attributes(key=dg.AssetKey("same"))

    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)

    load_context, _ = read_project(dlt="dlt_pipelines", dlt_translator=Same())

    (problem,) = map(str, load_context.problems)
    assert "the asset key same is produced here and at dlt_pipelines/shop.yaml:6" in problem


def test_data_hold_what_the_file_says_and_refuse_the_rest(yaml_project: YamlProject) -> None:
    seen: dict[str, Any] = {}

    class Looking(DltPipelineTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
            seen[data.resource.name] = data
            return super().get_asset_spec(data)

    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)
    keys(Looking())

    resource = seen["lines"].resource
    assert (resource.source_name, resource.table_name) == ("shop", "order_lines")
    assert seen["orders"].resource.write_disposition == "merge"
    assert seen["orders"].resource.declared.settings.primary_key == ("id",)
    assert seen["orders"].destination.destination_name == "snowflake"
    with pytest.raises(TranslatorError, match=r"data\.pipeline is not known while"):
        _ = seen["orders"].pipeline
    with pytest.raises(TranslatorError, match=r"'lines' of shop\.yaml cannot be read here"):
        list(resource)


def test_translator_that_would_lose_what_yaml_says_is_refused(yaml_project: YamlProject) -> None:
    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)

    load_context, _ = read_project(dlt="dlt_pipelines", dlt_translator=DagsterDltTranslator())

    assert [str(problem) for problem in load_context.problems] == [
        (
            "dlt_translator: must be a DltPipelineTranslator, not DagsterDltTranslator: derive the"
            " class from factories.dlt.translator.DltPipelineTranslator"
        )
    ]


@pytest.mark.parametrize("method", SUPERSEDED)
def test_superseded_method_is_refused(yaml_project: YamlProject, method: str) -> None:
    overriding = type("Old", (DltPipelineTranslator,), {method: lambda *_: None})
    yaml_project.write("dlt_pipelines/shop.yaml", PIPELINE)

    load_context, _ = read_project(dlt="dlt_pipelines", dlt_translator=overriding())

    assert [str(problem) for problem in load_context.problems] == [
        f"dlt_translator: Old.{method} is superseded and never called: override get_asset_spec"
    ]


def test_resource_of_dlt_assets_is_translated_as_dagster_dlt_does() -> None:
    source = dlt.source(lambda: dlt.resource([1], name="orders"), name="shop")()
    data = DltResourceTranslatorData(resource=source.resources["orders"], pipeline=None)

    assert DltPipelineTranslator().get_asset_spec(data) == DagsterDltTranslator().get_asset_spec(
        data
    )


@pytest.mark.clients
def test_changed_key_holds_in_a_run(project: Project) -> None:
    project.module("def orders():\n    yield {'id': 1}\n")
    project.pipeline("""
        source: {python: "shop:orders"}
        resources: {orders: {meta: {dagster: {checks: {rows: {min: 1}}}}}}
    """)
    load_context, assets = read_project(dlt="dlt_pipelines", dlt_translator=Prefixed())
    key = dg.AssetKey(["company", "shop", "raw", "orders"])

    result = dg.materialize(
        assets,
        selection=[key],
        instance=project.instance,
        resources=default_resources(load_context.names),
    )

    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == key
    assert materialized(result)["orders"]["rows_loaded"] == project.count("orders") == 1
    assert [(e.asset_key, e.passed) for e in result.get_asset_check_evaluations()] == [(key, True)]
