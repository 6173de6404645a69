"""What a run builds, and what it tells: exactly what is selected, once, as it happens."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest

from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.dbt.prepare import target_folder
from factories.location_defaults import default_resources
from tests.factories.data_versions import data_versions
from tests.factories.dbt.conftest import Project, checked, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("dbt run")]

ORDERS = dg.AssetKey(["marts", "orders"])
LONG = "accepted_values_orders_id__False__" + "__".join(str(number) for number in range(30))
RAW_CHECKS = {"source_not_null_app_orders_id", "source_unique_app_orders_id"}
FILES = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        flags: {quiet: true, fail_fast: true}
        models:
          shop:
            marts: {+post-hook: &hook "insert into RAW.{s}.built select '{{ this.identifier }}'"}
            shop: {+post-hook: *hook}
    """,
    "models/staging/app/sources.yml": """
        sources:
          - name: app
            database: RAW
            schema: "{s}"
            tables: [{name: orders, columns: [{name: id, data_tests: [not_null, unique]}]}]
    """,
    "models/staging/app/stg_app__orders.sql": "select * from {{ source('app', 'orders') }}",
    "models/marts/orders.sql": """
        {{ config(materialized='table') }}
        select id, amount as paid from {{ ref('stg_app__orders') }}
    """,
    # A folder of a model's name, and one of the project's name.
    "models/marts/orders/items.sql": "select * from {{ ref('orders') }}",
    "models/shop/marts/refunds.sql": "select 1 as id",
    "models/marts/merged.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select * from {{ ref('orders') }} {% if is_incremental() %} where id > 1 {% endif %}
    """,
    "models/marts/appended.sql": """
        {{ config(materialized='incremental') }} select * from {{ ref('orders') }}
    """,
    "models/quiet/idle.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id from {{ ref('orders') }} {% if is_incremental() %} where false {% endif %}
    """,
    "models/marts/marts.yml": f"""
        models:
          - name: orders
            columns:
              - name: ID
                description: The key.
                data_tests:
                  - unique
                  - accepted_values: {{arguments: {{values: {list(range(30))}, quote: false}}}}
        unit_tests:
          - name: keeps
            model: orders
            given: [{{input: ref('stg_app__orders'), rows: [{{id: 1, amount: 2}}]}}]
            expect: {{rows: [{{id: 1, paid: 2}}]}}
    """,
    # What the project's developers build by default.
    "selectors.yml": """
        selectors: [{name: ours, default: true, definition: {method: fqn, value: refunds}}]
    """,
    "seeds/colors.csv": "id,color\n1,red\n2,blue\n",
    "snapshots/kept.yml": """
        snapshots:
          - name: kept
            relation: ref('orders')
            config: {unique_key: id, strategy: check, check_cols: all}
    """,
}


# What a developer has set for another target, and for dbt by hand.
OF_THE_DEVELOPER = {
    "SNOWFLAKE_AUTHENTICATOR": "externalbrowser",
    "SNOWFLAKE_PRIVATE_KEY_PATH": "/nowhere/key.p8",
    "DBT_FULL_REFRESH": "1",
    "DBT_EMPTY": "1",
    "DBT_EXCLUDE_RESOURCE_TYPES": "seed",
    "DBT_TARGET": "elsewhere",
}


@pytest.fixture(scope="module", autouse=True)
def _environment_of_the_developer() -> Iterator[None]:
    """It shall change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OF_THE_DEVELOPER.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def shop(shared_project: Project) -> Project:
    shared_project.rows("create table RAW.{s}.built (model varchar)")
    shared_project.rows(
        "create table RAW.{s}.orders as select column1 as id, column2::number(10, 2) as amount"
        " from values (1, 10.5), (2, 5), (3, 7)"
    )
    for name, text in FILES.items():
        shared_project.write(name, text)
    return shared_project


@pytest.fixture(scope="module")
def whole(shop: Project) -> dg.ExecuteInProcessResult:
    """A run of the whole project."""
    return shop.run()


@pytest.fixture
def built(shop: Project, whole: dg.ExecuteInProcessResult) -> Project:
    """The project, built once; the list of what is built is empty."""
    assert whole.success
    shop.rows("delete from RAW.{s}.built")
    return shop


def models(project: Project) -> list[str]:
    return sorted(str(name) for (name,) in project.rows("select model from RAW.{s}.built"))


def test_whole_project_is_built_once_and_reported_as_it_happens(
    shop: Project, whole: dg.ExecuteInProcessResult
) -> None:
    assert whole.success, shop.log()
    assert set(materialized(whole)) == {
        "app/stg/orders", "marts/orders", "marts/orders/items", "shop/marts/refunds",
        "quiet/idle",
        "marts/merged", "marts/appended", "seeds/colors", "snapshots/kept",
    }  # fmt: skip
    events = [event.user_message for event in shop.instance.all_logs(whole.run_id)]
    first = events.index("Materialized value app stg orders.")
    later = next(n for n, text in enumerate(events) if "START sql table model" in text)
    assert first < later
    assert any("Done. PASS=" in text for text in events)


def test_whole_build_tests_its_sources(whole: dg.ExecuteInProcessResult) -> None:
    # As `dbt build` does, though their assets belong to another code location.
    names = {evaluation.check_name for evaluation in whole.get_asset_check_evaluations()}
    assert names == {*RAW_CHECKS, "unique_orders_ID", LONG.replace("_id_", "_ID_"), "keeps"}
    assert set(checked(whole).values()) == {"passed"}
    keys = {e.check_name: e.asset_key.path for e in whole.get_asset_check_evaluations()}
    assert keys["source_unique_app_orders_id"] == ["app", "raw", "orders"]


def test_metadata_of_a_table(shop: Project, whole: dg.ExecuteInProcessResult) -> None:
    reported = materialized(whole)["marts/orders"]

    assert reported["dagster/row_count"] == 3
    assert "rows_loaded" not in reported  # `create table` answers 1, whatever it holds
    assert 0 < reported["seconds"] < 60
    assert reported["dagster/table_name"] == f"ANALYTICS.{shop.schema}.ORDERS"
    assert "amount as paid" in reported["dbt/compiled_sql"]
    columns = reported["dagster/column_schema"].columns
    assert [(c.name, c.type, c.description) for c in columns] == [
        ("ID", "NUMBER", "The key."),
        ("PAID", "NUMBER", None),
    ]
    deps = reported["dagster/column_lineage"].deps_by_column["PAID"]
    assert [(d.asset_key.path, d.column_name) for d in deps] == [
        (["app", "stg", "orders"], "AMOUNT")
    ]


def test_metadata_of_a_view_a_seed_and_a_snapshot(whole: dg.ExecuteInProcessResult) -> None:
    reported = materialized(whole)

    # A count would run the view's query, and tells nothing of this run.
    assert "dagster/row_count" not in reported["app/stg/orders"]
    assert reported["seeds/colors"]["rows_loaded"] == 2
    assert reported["snapshots/kept"]["dagster/row_count"] == 3
    assert set(reported["snapshots/kept"]["dagster/column_lineage"].deps_by_column) == {
        "ID",
        "PAID",
    }


def test_second_run_parses_nothing_and_counts_the_rows_that_it_changed(
    built: Project, whole: dg.ExecuteInProcessResult
) -> None:
    selection = ["marts/merged", "marts/appended", "snapshots/kept", "quiet/idle"]
    result = built.run(" or ".join(f"key:{key}" for key in selection))

    assert result.success
    assert "Unable to do partial parsing" not in built.messages()
    reported = materialized(result)
    assert reported["marts/merged"]["rows_loaded"] == 2
    assert reported["marts/appended"]["rows_loaded"] == 3
    assert reported["marts/appended"]["dagster/row_count"] == 6
    assert models(built) == ["appended", "merged"]
    # What has changed no row has the data of the run before.
    assert reported["quiet/idle"]["rows_loaded"] == 0
    new, old = result.run_id, whole.run_id
    assert data_versions(result) == {"merged": new, "appended": new, "kept": old, "idle": old}


def test_one_model_runs_alone_whatever_the_run_configuration(built: Project) -> None:
    selection = dg.AssetSelection.assets(ORDERS).without_checks()
    result = built.run(selection, config={"row_counts": False, "threads": 1, "vars": {"a": 1}})

    assert result.success
    assert models(built) == ["orders"]
    assert list(materialized(result)) == ["marts/orders"]
    assert "dagster/row_count" not in materialized(result)["marts/orders"]
    assert not checked(result)
    assert "1 of 1 OK" in built.messages()
    assert "Concurrency: 1 threads" in built.messages()


def test_checks_run_without_their_model(built: Project) -> None:
    result = built.run(dg.AssetSelection.checks_for_assets(ORDERS))

    assert set(checked(result)) == {"unique_orders_ID", LONG.replace("_id_", "_ID_"), "keeps"}
    assert set(checked(result).values()) == {"passed"}
    assert models(built) == []
    # The run before had variables, for which dbt parses again: this one is not harmed by it.
    assert "Unable to do partial parsing" not in built.messages()


def test_unit_test_runs_beside_another_model_and_no_file_is_left(built: Project) -> None:
    def files() -> set[str]:
        cache = target_folder(built.folder) / "runs"
        return {str(p) for p in built.folder.rglob("*") if not p.is_relative_to(cache)}

    before = files()
    unit_test = dg.AssetSelection.checks(dg.AssetCheckKey(ORDERS, "keeps"))
    other = dg.AssetSelection.assets(["shop", "marts", "refunds"])
    result = built.run(unit_test | other)

    assert checked(result) == {"keeps": "passed"}
    assert models(built) == ["refunds"]
    assert files() == before  # but for the cache


def test_failing_source_test_alone_and_in_a_whole_build(built: Project) -> None:
    built.rows("insert into RAW.{s}.orders select null, 1")
    raw = dg.AssetKey(["app", "raw", "orders"])
    alone = built.run(dg.AssetSelection.checks(*(dg.AssetCheckKey(raw, n) for n in RAW_CHECKS)))
    assert checked(alone) == {
        "source_not_null_app_orders_id": "ERROR",
        "source_unique_app_orders_id": "passed",
    }
    assert alone.success

    whole = built.run()

    assert checked(whole)["source_not_null_app_orders_id"] == "ERROR"
    assert models(built) == ["refunds"]  # all others read from it
    assert not whole.success
    assert "test source_not_null_app_orders_id: Got 1 result" in built.failure()
    built.rows("delete from RAW.{s}.orders where id is null")


def test_wrong_password_is_reported_without_it(
    built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(warehouse_settings(), password="wr0ng-s3cret")
    monkeypatch.setattr("factories.dbt.execution.steps.warehouse_settings", lambda: settings)
    built.run("key:shop/marts/refunds")

    assert "Incorrect username or password" in built.failure()
    assert "Traceback" not in built.log()
    assert "wr0ng-s3cret" not in built.log()


def test_folder_that_cannot_be_written_costs_only_the_cache(built: Project) -> None:
    # A file where the folder should be: root, too, cannot write below it.
    runs = target_folder(built.folder) / "runs"
    kept = runs.rename(runs.with_name("kept"))
    runs.touch()

    assert built.run("key:shop/marts/refunds").success

    runs.unlink()
    kept.rename(runs)


def test_two_runs_at_once_leave_a_cache_that_a_third_can_use(built: Project) -> None:
    cache = target_folder(built.folder) / "runs/partial_parse.msgpack"
    cache.unlink()  # so that both write it
    processes = [
        subprocess.Popen([sys.executable, "-c", RUN, name], stdout=subprocess.DEVNULL)
        for name in ("refunds", "items")
    ]
    assert [process.wait(400) for process in processes] == [0, 0]

    assert models(built) == ["items", "refunds"]
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]
    built.run("key:shop/marts/refunds")
    assert "Unable to do partial parsing" not in built.messages()


RUN = """
import sys
import dagster as dg
from factories.core.warehouse.names import warehouse_names
from factories.definitions import read_project
from factories.location_defaults import default_resources
assets = read_project(dbt="shop")[1]
made = [asset for asset in assets if isinstance(asset, dg.AssetsDefinition)]
[key] = [key for asset in made for key in asset.keys if key.path[-1] == sys.argv[1]]
dg.materialize(
    assets,
    selection=dg.AssetSelection.assets(key).without_checks(),
    resources=default_resources(warehouse_names()),
)
"""


def test_compile_error_is_one_failure_with_dbts_words(built: Project) -> None:
    assets = built.assets()
    path = built.folder / "models/shop/marts/refunds.sql"
    text = path.read_text()
    path.write_text("select * from {{ ref('refnuds') }}")
    result = dg.materialize(
        assets,
        selection="key:shop/marts/refunds",
        instance=built.instance,
        raise_on_error=False,
        resources=default_resources(warehouse_names()),
    )
    built.results.append(result)
    path.write_text(text)

    assert "depends on a node named 'refnuds' which was not found" in built.failure()
    assert "Traceback" not in built.log()


def test_model_that_is_gone_is_not_a_success(built: Project) -> None:
    assets = built.assets()
    path = built.folder / "models/shop/marts/refunds.sql"
    text = path.read_text()
    path.unlink()
    result = dg.materialize(
        assets,
        selection="key:shop/marts/refunds",
        instance=built.instance,
        raise_on_error=False,
        resources=default_resources(warehouse_names()),
    )
    built.results.append(result)
    path.write_text(text)

    assert "dbt did not run: refunds" in built.failure()
    assert "make setup" in built.failure()
