"""dagster-dbt's functions and translators on the factories' assets."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.repository_definition.repository_definition import (
    RepositoryDefinition,
)
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value
from dagster_dbt import (
    DagsterDbtTranslator,
    DbtProject,
    build_dbt_asset_selection,
    build_schedule_from_dbt_selection,
    dbt_assets,
    get_asset_key_for_model,
    get_asset_key_for_source,
)

from factories.core.yaml.problems import ConfigError
from factories.dbt.deferred import ManifestFile
from factories.dbt.prepare import target_folder
from factories.dbt.translator import SUPERSEDED, DbtTranslator
from factories.definitions import build_definitions
from tests.factories.dbt.written_project import Loaded, WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_shop")  # they share what dbt has parsed


@pytest.fixture(scope="module")
def shop_definitions(shop: WrittenProject) -> dg.Definitions:
    return shop.definitions()


@pytest.fixture(scope="module")
def models(shop_definitions: dg.Definitions) -> dg.AssetsDefinition:
    """The step of the shop's models."""
    return shop_definitions.resolve_assets_def(dg.AssetKey(["shop", "stg", "orders"]))


def keys_of(selection: dg.AssetSelection, definitions: dg.Definitions) -> set[str]:
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string() for key in selection.resolve(graph)}


# --- functions of dagster-dbt ---


def test_asset_key_of_a_model_is_found_by_its_name(models: dg.AssetsDefinition) -> None:
    assert get_asset_key_for_model([models], "stg_shop__orders").path == ["shop", "stg", "orders"]
    assert get_asset_key_for_model([models], "report").path == ["reports", "sales", "daily"]
    with pytest.raises(KeyError, match="nothing_of_ours"):
        get_asset_key_for_model([models], "nothing_of_ours")


def test_asset_key_of_a_source_table_is_found(models: dg.AssetsDefinition) -> None:
    with pytest.raises(KeyError, match="more than one table"):
        get_asset_key_for_source([models], "shop")


def test_dbt_selection_selects_our_assets(
    models: dg.AssetsDefinition, shop_definitions: dg.Definitions
) -> None:
    staging = build_dbt_asset_selection([models], dbt_select="stg_shop__orders stg_items")
    assert keys_of(staging, shop_definitions) == {"shop/stg/orders", "shop/stg/items"}

    tagged = build_dbt_asset_selection([models], dbt_select="tag:nightly", dbt_exclude="report")
    found = keys_of(tagged, shop_definitions)
    assert "marts/sales/totals_v2" in found
    assert "reports/sales/daily" not in found

    below = build_dbt_asset_selection([models], dbt_select="path:models/staging")
    assert keys_of(below, shop_definitions) == {"shop/stg/orders", "shop/stg/items"}


def test_schedule_of_a_dbt_selection_runs_our_assets(
    models: dg.AssetsDefinition, shop_definitions: dg.Definitions
) -> None:
    schedule = build_schedule_from_dbt_selection(
        [models], job_name="nightly", cron_schedule="0 3 * * *", dbt_select="stg_items+1"
    )
    whole = dg.Definitions.merge(shop_definitions, dg.Definitions(schedules=[schedule]))

    job = whole.resolve_job_def("nightly")

    assert dg.AssetKey(["shop", "stg", "items"]) in job.asset_layer.selected_asset_keys
    assert dg.AssetKey(["shop", "stg", "orders"]) not in job.asset_layer.selected_asset_keys


def test_step_of_some_models_is_selected_alone(shop: WrittenProject, tmp_path: Path) -> None:
    written = WrittenProject(tmp_path)
    written.write(
        {
            "dbt_project.yml": "name: parts\nversion: '1.0'\nprofile: parts\n",
            "models/left.sql": "select 1 as id",
            "models/right.sql": "{{ config(meta={'dagster': {'pool': 'slow'}}) }} select 2 as id",
        }
    )
    definitions = written.definitions()
    right = definitions.resolve_assets_def(dg.AssetKey("right"))

    assert right.op.tags["dagster_dbt/select"] == "fqn:parts.right"
    assert keys_of(build_dbt_asset_selection([right]), definitions) == {"right"}


# --- metadata ---


def test_metadata_has_the_names_of_dagster_dbt(shop_loaded: Loaded) -> None:
    metadata = shop_loaded.specs["shop/stg/orders"].metadata

    assert metadata["dagster_dbt/unique_id"] == "model.shop.stg_shop__orders"
    assert len(metadata["dagster_dbt/project_id"]) == 32
    assert metadata["dagster-dbt/materialization_type"] == "view"
    assert metadata["dagster/storage_kind"] == "snowflake"
    assert metadata["dagster/table_name"] == "ANALYTICS.MARTS.STG_SHOP__ORDERS"
    assert isinstance(metadata["dagster_dbt/manifest"], ManifestFile)
    assert isinstance(metadata["dagster_dbt/dagster_dbt_translator"], DbtTranslator)
    assert isinstance(metadata["dagster_dbt/dagster_dbt_translator"], DagsterDbtTranslator)
    assert isinstance(metadata["dagster_dbt/project"], DbtProject)


def test_no_manifest_is_in_what_a_code_location_sends(shop_definitions: dg.Definitions) -> None:
    repository = shop_definitions.get_repository_def()
    assert isinstance(repository, RepositoryDefinition)
    sent = serialize_value(RepositorySnap.from_def(repository))

    assert "select * from {{ source" not in sent  # raw_code of a model
    assert "[ManifestFile] (unserializable)" in sent
    assert len(sent) < 250_000


IMPORTS = """
import sys
from factories.definitions import build_definitions
definitions = build_definitions(dbt="dbt_project")
definitions.get_repository_def()
heavy = ("dagster_dbt", "dbt", "sqlglot", "snowflake.connector")
print([name for name in heavy if name in sys.modules])
"""


def test_location_that_loads_imports_no_dagster_dbt(shop: WrittenProject) -> None:
    with shop.environ():
        command = [sys.executable, "-c", IMPORTS]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


# --- a company's own translator ---


class OfTheCompany(DbtTranslator):
    """Puts all assets below `company`, and says more of each."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        path = self.get_resource_props(manifest, unique_id)["original_file_path"]
        return spec.replace_attributes(
            key=spec.key.with_prefix("company"), owners=["team:company"]
        ).merge_attributes(metadata={"file": path})

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        if "unique_day" in unique_id:
            return None
        return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)


@pytest.fixture(scope="module")
def translated(shop: WrittenProject) -> dg.Definitions:
    with shop.environ():
        return build_definitions(dbt=shop.dbt, dbt_translator=OfTheCompany())


def test_changed_key_holds_everywhere(translated: dg.Definitions, shop_loaded: Loaded) -> None:
    loaded = Loaded.of(translated)

    assert set(loaded.specs) == {f"company/{key}" for key in shop_loaded.specs}
    files = {"files/src/targets"}  # of `meta.dagster`, which says what it says
    for key, deps in shop_loaded.deps.items():
        expected = {dep if dep in files else f"company/{dep}" for dep in deps}
        assert loaded.deps[f"company/{key}"] == expected
    left = {f"company/{name}" for name in shop_loaded.checks if ":unique_day_" not in name}
    assert set(loaded.checks) == left


def test_translator_replaces_attributes_and_keeps_the_others(
    translated: dg.Definitions, shop_loaded: Loaded
) -> None:
    spec = Loaded.of(translated).specs["company/shop/stg/orders"]
    before = shop_loaded.specs["shop/stg/orders"]

    assert spec.owners == ["team:company"]
    assert spec.metadata["file"] == "models/staging/shop/stg_shop__orders.sql"
    assert (spec.description, spec.group_name) == (before.description, before.group_name)
    assert spec.code_version == before.code_version


def test_functions_of_dagster_dbt_find_the_changed_keys(translated: dg.Definitions) -> None:
    models = translated.resolve_assets_def(dg.AssetKey(["company", "shop", "stg", "orders"]))

    key = get_asset_key_for_model([models], "stg_items")
    assert key.to_user_string() == "company/shop/stg/items"
    selection = build_dbt_asset_selection([models], dbt_select="stg_items")
    assert keys_of(selection, translated) == {"company/shop/stg/items"}


def test_translator_gives_dbt_assets_our_keys(shop: WrittenProject) -> None:
    manifest = json.loads((target_folder(shop.folder) / "manifest.json").read_bytes())

    with shop.environ():

        @dbt_assets(manifest=manifest, select="stg_items+1", dagster_dbt_translator=DbtTranslator())
        def own(context: dg.AssetExecutionContext) -> Iterator[Any]:
            yield from ()

    assert dg.AssetKey(["shop", "stg", "items"]) in own.keys
    deps = own.asset_deps[dg.AssetKey(["shop", "stg", "items"])]
    assert deps == {dg.AssetKey(["shop", "raw", "items"])}


def problems_of(shop: WrittenProject, translator: Any) -> list[str]:
    """The problems of a code location that has this translator, as text."""
    with shop.environ(), pytest.raises(ConfigError) as raised:
        build_definitions(dbt=shop.dbt, dbt_translator=translator)
    return [str(problem) for problem in raised.value.problems]


def test_dagster_dbts_own_translator_is_refused(shop: WrittenProject) -> None:
    assert problems_of(shop, DagsterDbtTranslator()) == [
        (
            "dbt_translator: must be a DbtTranslator, not DagsterDbtTranslator: derive the class"
            " from factories.dbt.translator.DbtTranslator"
        )
    ]


@pytest.mark.parametrize("method", SUPERSEDED)
def test_method_that_would_be_ignored_is_refused(shop: WrittenProject, method: str) -> None:
    overriding = type("Old", (DbtTranslator,), {method: lambda *_: None})

    assert problems_of(shop, overriding()) == [
        f"dbt_translator: Old.{method} is superseded and never called: override get_asset_spec"
    ]
