"""Sources and pipelines in Python, loaded by the resource `dlt` that every code location has."""

# Dagster reads the annotations of an op's function: they must not be postponed here.

import sys
from typing import Any

import dagster as dg
import dlt
import pytest
from dagster_dlt import DagsterDltResource, dlt_assets
from dagster_dlt.dlt_event_iterator import DltEventIterator
from dlt.common.destination.utils import resolve_replace_strategy
from dlt.extract import DltSource

from factories.core.warehouse.names import warehouse_names
from factories.dlt import dataset_name, snowflake_destination
from factories.location_defaults import default_resources
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

ROWS: dict[str, list[dict[str, Any]]] = {}


@dlt.source
def shop() -> Any:
    """Three tables, one of which cannot always be read."""

    @dlt.resource(write_disposition="merge", primary_key="id")
    def customers() -> Any:
        yield ROWS["customers"]

    @dlt.resource
    def broken() -> Any:
        yield ROWS["broken"]

    @dlt.resource(write_disposition="append")
    def orders(at: Any = dlt.sources.incremental("at", initial_value=0)) -> Any:  # noqa: B008 - dlt's way
        yield ROWS["orders"]

    return customers, broken, orders


@pytest.fixture(autouse=True)
def rows() -> None:
    ROWS.clear()
    ROWS["customers"] = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bo"}]
    ROWS["broken"] = [{"id": 1}]
    ROWS["orders"] = [{"at": 1, "lines": [{"sku": 1}]}, {"at": 2}]


def shop_pipeline(project: Project, **options: Any) -> dlt.Pipeline:
    return dlt.pipeline(
        "shop",
        **{
            "pipelines_dir": str(project.root / "pipelines"),
            "destination": snowflake_destination(),
            "dataset_name": dataset_name(project.dataset),
            **options,
        },
    )


def assets_of(
    source: DltSource, pipeline: dlt.Pipeline, seen: list[Any] | None = None, **arguments: Any
) -> dg.AssetsDefinition:
    """Assets as somebody writes them; `seen` receives what `dlt.run` returns."""

    @dlt_assets(dlt_source=source, dlt_pipeline=pipeline)
    def shop_assets(context: dg.AssetExecutionContext, dlt: DagsterDltResource) -> Any:
        assert isinstance(dlt, DagsterDltResource)
        events = dlt.run(context=context, **arguments)
        (seen if seen is not None else []).append(events)
        yield from events.fetch_row_count().fetch_column_metadata()

    return shop_assets


def run(
    project: Project, assets: dg.AssetsDefinition, *selection: str
) -> dg.ExecuteInProcessResult:
    result = dg.materialize(
        [assets],
        selection=[f"dlt_shop_{name}" for name in selection] or None,
        instance=project.instance,
        resources=default_resources(warehouse_names()),
        raise_on_error=False,
    )
    project.results.append(result)
    return result


def find_metadata(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    return {
        name.removeprefix("dlt_shop_"): metadata for name, metadata in materialized(result).items()
    }


def test_tables_are_replaced_whole_unless_an_argument_says_how() -> None:
    capabilities = snowflake_destination().capabilities()
    table: Any = {"name": "orders", "columns": {}}

    assert resolve_replace_strategy(table, None, capabilities) == "insert-from-staging"
    assert resolve_replace_strategy(table, "truncate-and-insert", capabilities) is None


def test_metadata_is_that_of_the_tables(project: Project) -> None:
    seen: list[Any] = []

    result = run(project, assets_of(shop(), shop_pipeline(project), seen))

    assert result.success, project.failure()
    assert isinstance(seen[0], DltEventIterator)
    metadata = find_metadata(result)
    assert set(metadata) == {"customers", "broken", "orders"}
    orders = metadata["orders"]
    assert orders["rows_loaded"] == orders["dagster/row_count"] == project.count("orders") == 2
    assert orders["dagster/storage_kind"] == "snowflake"
    assert orders["dagster/table_name"] == f"RAW.{project.dataset.upper()}.ORDERS"
    columns = {
        column.name.upper(): column.type for column in orders["dagster/column_schema"].columns
    }
    assert columns == {"AT": "bigint", "_DLT_LOAD_ID": "text", "_DLT_ID": "text"}
    assert {"sku", "_dlt_parent_id"} <= {c.name for c in orders["orders__lines"].columns}
    assert {job["table_name"] for job in orders["jobs"]} == {"orders", "orders__lines"}
    assert orders["dataset_name"] == project.dataset.upper()
    assert orders["destination_type"] == "dlt.destinations.snowflake"
    assert str(project.root) not in project.log()


def test_resource_that_fails_spares_the_others(project: Project) -> None:
    del ROWS["broken"]
    assets = assets_of(shop(), shop_pipeline(project))

    result = run(project, assets)

    assert not result.success
    assert set(find_metadata(result)) == {"customers", "orders"}
    assert "1 of 3 resources failed; the others are loaded" in project.failure()
    assert "broken: extract: KeyError: 'broken'" in project.failure()

    ROWS["broken"] = [{"id": 1}]
    again = run(project, assets, "broken")

    assert again.success, project.failure()
    assert set(find_metadata(again)) == {"broken"}
    assert (project.count("broken"), project.count("orders")) == (1, 2)


def test_cursor_goes_on_and_a_load_of_nothing_counts_the_table(project: Project) -> None:
    assert run(project, assets_of(shop(), shop_pipeline(project))).success
    ROWS["orders"] = [{"at": 2}, {"at": 3}]
    ROWS["customers"] = []
    ROWS["broken"] = []

    # Another process, in which nothing is left of the first.
    other = shop_pipeline(project, pipelines_dir=str(project.root / "elsewhere"))
    result = run(project, assets_of(shop(), other))

    assert result.success, project.failure()
    metadata = find_metadata(result)
    assert metadata["orders"]["rows_loaded"] == 1
    assert metadata["orders"]["dagster/row_count"] == project.count("orders") == 3
    assert metadata["customers"]["rows_loaded"] == 0
    assert metadata["customers"]["dagster/row_count"] == project.count("customers") == 2
    assert [c.name.upper() for c in metadata["customers"]["dagster/column_schema"].columns][:2] == [
        "ID",
        "NAME",
    ]


def test_table_that_never_had_a_row_has_no_count(project: Project) -> None:
    ROWS["broken"] = []

    result = run(project, assets_of(shop(), shop_pipeline(project)), "broken")

    assert result.success, project.failure()
    assert find_metadata(result)["broken"]["rows_loaded"] == 0
    assert "dagster/row_count" not in find_metadata(result)["broken"]


def test_op_gives_materializations(project: Project) -> None:
    source, pipeline = shop(), shop_pipeline(project)

    @dg.op(required_resource_keys={"dlt"})
    def load(context: dg.OpExecutionContext) -> None:
        events = context.resources.dlt.run(
            context=context, dlt_source=source.with_resources("orders"), dlt_pipeline=pipeline
        )
        for event in events.fetch_row_count():
            context.log_event(event)

    @dg.job(resource_defs=default_resources(warehouse_names()))
    def load_job() -> None:
        load()

    result = load_job.execute_in_process(instance=project.instance)

    (event,) = result.get_asset_materialization_events()
    assert event.materialization.asset_key == dg.AssetKey("dlt_shop_orders")
    assert event.materialization.metadata["dagster/row_count"].value == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"destination": "duckdb"}, "dlt.run: 'destination' cannot be given"),
        ({"refresh": "drop_sources"}, "use 'drop_resources'"),
    ],
)
def test_argument_that_a_load_of_each_cannot_have_is_refused(
    project: Project, arguments: dict[str, Any], sentence: str
) -> None:
    result = run(project, assets_of(shop(), shop_pipeline(project), **arguments))

    assert not result.success
    assert sentence in project.failure()
    assert not project.has_table("orders")


def test_write_disposition_of_a_run_holds_for_it(project: Project) -> None:
    assert run(project, assets_of(shop(), shop_pipeline(project)), "customers").success
    ROWS["customers"] = [{"id": 3, "name": "Cy"}]

    replaced = assets_of(shop(), shop_pipeline(project), write_disposition="replace")
    assert run(project, replaced, "customers").success, project.failure()

    assert project.rows("select id from {d}.customers") == [(3,)]


def test_other_destination_is_loaded_by_the_same_resource(project: Project) -> None:
    destination = dlt.destinations.duckdb(str(project.root / "warehouse.duckdb"))
    del ROWS["broken"]

    pipeline = shop_pipeline(project, destination=destination, dataset_name="shop")
    result = run(project, assets_of(shop(), pipeline))

    assert set(find_metadata(result)) == {"customers", "orders"}
    assert find_metadata(result)["orders"]["dagster/row_count"] == 2
    assert find_metadata(result)["orders"]["dagster/storage_kind"] == "duckdb"


def test_missing_library_is_a_sentence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = assets_of(shop(), shop_pipeline(project))
    for name in [name for name in sys.modules if name.startswith("factories.dlt")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dagster_dlt", None)

    with pytest.raises(dg.DagsterResourceFunctionError) as raised:
        dg.materialize(
            [assets],
            instance=project.instance,
            resources=default_resources(warehouse_names()),
        )
    sentence = "this environment has no dagster_dlt: install data-platform[ingestion]"
    assert str(raised.value.__cause__) == sentence


def test_two_resources_that_load_one_table_by_other_names_are_refused(project: Project) -> None:
    @dlt.source(name="shop")
    def events() -> Any:
        return [dlt.resource([{"id": 1}], name=name) for name in ("userEvents", "user_events")]

    run(project, assets_of(events(), shop_pipeline(project)))

    assert "the resources 'userEvents' and 'user_events' would both load the" in project.failure()
    assert not project.has_table("user_events")
