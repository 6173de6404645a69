"""The resource `dbt` in assets that a user makes with dagster-dbt, against the warehouse."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import DbtCliResource, dbt_assets

from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.dbt.deferred import create_dbt_resource
from factories.dbt.prepare import prepare, target_folder
from factories.dbt.resource import DbtResource
from factories.dbt.translator import DbtTranslator
from factories.definitions import build_definitions
from factories.location_defaults import default_resources
from tests.conftest import WarehouseUnderTest
from tests.factories.dbt.conftest import Project, checked, materialized, new_project

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt resource")]

GUIDE = Path(__file__).parents[3] / "docs/guides/dbt.md"
FILES = {
    "models/sources.yml": """
        sources:
          - name: app
            database: RAW
            schema: "{s}"
            tables: [{name: orders}]
    """,
    "models/orders.sql": """
        {{ config(materialized='table') }}
        select id, id * 2 as twice from {{ source('app', 'orders') }}
    """,
    "models/orders.yml": """
        models: [{name: orders, columns: [{name: id, description: The key., data_tests: [unique]}]}]
    """,
    "models/broken.sql": "{{ config(materialized='table') }} select 1 / 0 as x",
    "models/after_broken.sql": "select * from {{ ref('broken') }}",
    "models/view_of_orders.sql": "select * from {{ ref('orders') }}",
}


@pytest.fixture(scope="module")
def finance(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A dbt project that dbt has parsed, with a table to read."""
    with new_project(warehouse, tmp_path_factory.mktemp("resource")) as project:
        for name, text in FILES.items():
            project.write(name, text)
        prepare(project.folder, warehouse_names())
        project.rows("create table RAW.{s}.orders as select column1 as id from values (1), (2)")
        yield project


def assets_of(project: Project, **options: Any) -> dg.AssetsDefinition:
    """A user's own assets of the project, as dagster-dbt's guide writes them."""

    @dbt_assets(
        manifest=target_folder(project.folder) / "manifest.json",
        dagster_dbt_translator=DbtTranslator(),
        **options,
    )
    def own(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        events = dbt.cli(["build"], context=context).stream()
        yield from events.fetch_row_counts().fetch_column_metadata()

    return own


def run(project: Project, assets: dg.AssetsDefinition, **options: Any) -> dg.ExecuteInProcessResult:
    resources = {**default_resources(warehouse_names(), dbt_folders=[project.folder])}
    result = dg.materialize(
        [assets],
        instance=project.instance,
        resources={**resources, **options.pop("resources", {})},
        raise_on_error=False,
        **options,
    )
    project.results.append(result)
    return result


def test_failed_model_of_dbt_assets_spares_the_others(
    finance: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(DbtCliResource, "_initialize_dbt_core_adapter", forbidden)
    monkeypatch.setattr("dagster_dbt.core.resource.check_output", forbidden)  # dbt --version

    result = run(finance, assets_of(finance))

    assert not result.success
    assert "Division by zero" in finance.log()
    found = materialized(result)
    assert set(found) == {"orders", "view_of_orders"}
    assert checked(result) == {"unique_orders_id": "passed"}
    assert finance.rows("select count(*) from {s}.orders") == [(2,)]
    # What the iterator's methods add, over a connection of our own.
    assert found["orders"]["dagster/row_count"] == 2
    assert "dagster/row_count" not in found["view_of_orders"]
    columns = found["orders"]["dagster/column_schema"].columns
    assert [(c.name, c.description) for c in columns] == [("ID", "The key."), ("TWICE", None)]
    lineage = found["view_of_orders"]["dagster/column_lineage"].deps_by_column
    assert lineage["TWICE"] == [dg.TableColumnDep(dg.AssetKey("orders"), "TWICE")]
    # The project's folder stays as it was, and what was parsed is kept for the next call.
    assert sorted(path.name for path in (finance.folder / "target").iterdir()) == ["dagster"]
    assert (target_folder(finance.folder) / "runs" / "partial_parse.msgpack").is_file()
    assert str(warehouse_settings().password) not in capfd.readouterr().out


def test_selection_of_dbt_assets_runs_alone(finance: Project) -> None:
    result = run(finance, assets_of(finance), selection="key:orders")

    assert result.success
    assert set(materialized(result)) == {"orders"}


def test_wrong_password_of_dbt_assets_is_reported_without_it(
    finance: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    class Wrong(DbtResource):
        def connection(self) -> Any:
            return dataclasses.replace(warehouse_settings(), password="wr0ng-s3cret")

    resource = Wrong.of_projects([finance.folder])
    result = run(finance, assets_of(finance), resources={"dbt": resource}, selection="key:orders")

    assert not result.success
    assert "Incorrect username or password" in finance.log()
    assert "wr0ng-s3cret" not in finance.log() + capfd.readouterr().out


def test_command_without_assets_runs_in_the_first_project(finance: Project) -> None:
    resource = create_dbt_resource((finance.folder,))
    assert isinstance(resource, DbtCliResource)

    invocation = resource.cli(["show", "--inline", "select 1 as one", "--output", "json"]).wait()

    assert invocation.is_successful()
    folder = invocation.target_path
    assert folder.is_dir()
    del invocation
    assert not folder.exists()


def test_project_that_the_location_does_not_read_is_one_sentence(finance: Project) -> None:
    resource = create_dbt_resource(())

    with pytest.raises(dg.Failure, match="this code location does not read a dbt project: name"):
        resource.cli(["compile"])


def test_other_resource_in_the_place_of_dbt_is_one_sentence(finance: Project) -> None:
    result = dg.materialize(
        finance.assets(),
        selection="key:orders",
        instance=finance.instance,
        raise_on_error=False,
        resources={"dbt": "not the factories'"},
    )
    finance.results.append(result)

    assert "the resource dbt is a str: the assets of the dbt factory need a" in finance.failure()


def test_subclass_of_the_resource_connects_the_factories_assets(finance: Project) -> None:
    class Wrong(DbtResource):
        def connection(self) -> Any:
            return dataclasses.replace(warehouse_settings(), password="wr0ng-s3cret")

    result = dg.materialize(
        finance.assets(),
        selection="key:orders",
        instance=finance.instance,
        raise_on_error=False,
        resources={"dbt": Wrong.of_projects([finance.folder])},
    )
    finance.results.append(result)

    assert "Incorrect username or password" in finance.failure()
    assert "wr0ng-s3cret" not in finance.log()


def test_snippet_of_the_guide_runs(finance: Project) -> None:
    """The guide's own `@dbt_assets`, on the resource that a code location offers."""
    snippets = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    code = next(text for text in snippets if "@dbt_assets" in text).replace("finance_dbt", "shop")
    module: dict[str, Any] = {"__name__": "snippet"}
    exec(code, module)
    definitions = build_definitions(dbt=())
    made = dg.Definitions.merge(definitions, dg.Definitions(assets=[module["finance"]]))

    result = dg.materialize(
        [module["finance"]],
        selection="key:orders",
        instance=finance.instance,
        resources=dict(made.resources or {}),
    )

    assert materialized(result)["orders"]["dagster/row_count"] == 2
