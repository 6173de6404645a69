"""Pipelines as Dagster runs them: the real dlt, the embedded warehouse."""

from __future__ import annotations

import dagster as dg
import pytest

from factories.core.warehouse.names import warehouse_names
from factories.location_defaults import default_resources
from tests.factories.data_versions import data_versions
from tests.factories.dlt.conftest import Project, materialized
from tests.factories.step_failures import resume

pytestmark = pytest.mark.clients

CUSTOMERS = """
    source: {python: "shop:shop"}
    resources:
      customers: {write_disposition: merge, primary_key: id}
      orders: {write_disposition: replace}
"""
SHOP = """
    import dlt

    @dlt.source
    def shop():
        @dlt.resource
        def customers():
            yield [{"id": 1, "name": "Ada", "pets": [{"kind": "cat"}, {"kind": "dog"}]}, {"id": 2}]

        @dlt.resource
        def orders():
            yield from ({"number": n, "amount": n / 4} for n in range(10))

        return customers, orders
"""


def test_every_resource_is_loaded_and_described(project: Project) -> None:
    project.pipeline(CUSTOMERS)
    project.module(SHOP)

    result = project.run()

    assert result.success
    found = materialized(result)
    assert found["orders"]["rows_loaded"] == found["orders"]["dagster/row_count"] == 10
    assert found["customers"]["rows_loaded"] == 2
    assert found["customers"]["dagster/table_name"] == f"RAW.{project.dataset.upper()}.CUSTOMERS"
    columns = found["customers"]["dagster/column_schema"]
    assert isinstance(columns, dg.TableSchema)
    assert [column.name for column in columns.columns][:2] == ["ID", "NAME"]
    assert found["customers"]["seconds"]
    loads = project.rows("select load_id from {d}._dlt_loads where status = 0")
    assert {found["customers"]["dlt/load_id"], found["orders"]["dlt/load_id"]} == {
        load_id for (load_id,) in loads
    }


def test_child_tables_have_metadata_of_their_own(project: Project) -> None:
    project.pipeline(CUSTOMERS)
    project.module(SHOP)

    found = materialized(project.run("customers"))["customers"]

    counts = found["dlt/rows_by_table"].records
    assert [record.data for record in counts] == [
        {"table": "customers", "rows": 2},
        {"table": "customers__pets", "rows": 2},
    ]
    assert found["customers__pets/row_count"] == 2
    columns = found["customers__pets/column_schema"].columns
    assert "KIND" in [column.name for column in columns]


def test_a_rerun_repeats_no_row_and_reports_zero(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:events"}
        resources:
          events:
            write_disposition: append
            incremental: {cursor_path: at}
    """)
    project.module("""
        def events():
            yield from ({"at": n} for n in range(5))
    """)
    first = project.run()

    again = project.run()

    assert data_versions(again) == data_versions(first) == {"events": first.run_id}
    assert materialized(again)["events"]["rows_loaded"] == 0
    assert materialized(again)["events"]["dagster/row_count"] == 5


def test_new_columns_are_reported(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:events", args: {extra: {}}}
        resources: {events: {write_disposition: append}}
    """)
    project.module("""
        def events(extra):
            yield {"id": 1, **extra}
    """)
    project.run()
    project.pipeline("""
        source: {python: "shop:events", args: {extra: {note: new, size: 3}}}
        resources: {events: {write_disposition: append}}
    """)

    found = materialized(project.run())["events"]

    new = {(r.data["column"], r.data["type"]) for r in found["dlt/new_columns"].records}
    assert new == {("note", "text"), ("size", "bigint")}


def test_failed_resource_spares_the_others_and_is_retried_alone(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:shop"}
        defaults: {meta: {dagster: {retries: {max: 2, delay: 0s}}}}
        resources: {good: {}, flaky: {}, bad: {}}
    """)
    marker = project.root / "tried"
    project.module(f"""
        from pathlib import Path
        import dlt

        @dlt.source
        def shop():
            @dlt.resource
            def good():
                with Path({str(marker)!r}).open("a") as file:
                    file.write("good\\n")
                yield {{"id": 1}}

            @dlt.resource
            def flaky():
                with Path({str(marker)!r}).open("a") as file:
                    file.write("flaky\\n")
                yield {{"id": 1}}
                if Path({str(marker)!r}).read_text().count("flaky") < 2:
                    raise RuntimeError("not today")

            @dlt.resource
            def bad():
                yield {{"id": 1}}
                raise RuntimeError("never")

            return good, flaky, bad
    """)

    result = project.run()

    assert not result.success
    assert set(materialized(result)) == {"good", "flaky"}
    assert marker.read_text().splitlines() == ["good", "flaky", "flaky"]
    assert "1 of 3 resources failed; the others are loaded" in project.failure()
    assert "bad: extract: RuntimeError: never" in project.failure()
    assert project.count("flaky") == 1
    assert not project.has_table("bad")

    again = project.run(tags=resume(result.run_id))

    assert not again.success
    assert not materialized(again)
    assert marker.read_text().splitlines() == ["good", "flaky", "flaky"]
    assert "1 of 1 resources failed." in project.failure()


def test_resources_that_read_from_another_are_loaded_with_it(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:shop"}
        resources: {users: {}, logins: {}, unrelated: {}}
    """)
    marker = project.root / "read"
    project.module(f"""
        from pathlib import Path
        import dlt

        @dlt.source
        def shop():
            @dlt.resource
            def users():
                with Path({str(marker)!r}).open("a") as file:
                    file.write("users\\n")
                yield [{{"id": 1}}, {{"id": 2}}]

            @dlt.transformer(data_from=users)
            def logins(found):
                yield [{{"user": user["id"]}} for user in found]

            @dlt.resource
            def unrelated():
                yield {{"id": 1}}

            return users, logins, unrelated
    """)

    found = materialized(project.run())

    assert marker.read_text() == "users\n"
    assert found["users"]["dlt/load_id"] == found["logins"]["dlt/load_id"]
    assert found["unrelated"]["dlt/load_id"] != found["users"]["dlt/load_id"]

    alone = materialized(project.run("logins"))

    assert set(alone) == {"logins"}
    assert project.count("users") == 2
    assert project.count("logins") == 4


def test_full_refresh_replaces_the_table_and_starts_the_cursor_over(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:events", args: {first: 0}}
        resources:
          events: {write_disposition: append, incremental: {cursor_path: at}}
    """)
    project.module("""
        def events(first):
            yield from ({"at": n} for n in range(first, 10))
    """)
    project.run()
    project.pipeline("""
        source: {python: "shop:events", args: {first: 8}}
        resources:
          events: {write_disposition: append, incremental: {cursor_path: at}}
    """)

    refreshed = project.full_refresh("dlt__shop")
    after = project.run()

    assert materialized(refreshed)["events"]["rows_loaded"] == 2
    assert materialized(after)["events"]["rows_loaded"] == 0
    assert project.rows("select at from {d}.events order by at") == [(8,), (9,)]


def test_source_without_rows_is_not_a_failure(project: Project) -> None:
    project.pipeline('source: {python: "shop:events"}\nresources: {events: {}}')
    project.module("def events():\n    yield from ()\n")

    result = project.run()

    assert result.success
    assert materialized(result)["events"]["rows_loaded"] == 0
    assert "no row yet" in project.messages()


def test_replace_by_no_rows_empties_the_table(project: Project) -> None:
    text = """
        source: {python: "shop:events", args: {many: %d}}
        resources: {events: {write_disposition: replace}}
    """
    project.module("def events(many):\n    yield from ({'id': n} for n in range(many))\n")
    project.pipeline(text % 3)
    project.run()
    project.pipeline(text % 0)

    result = project.run()

    assert result.success
    assert materialized(result)["events"]["dagster/row_count"] == 0


def test_checks_run_on_the_loaded_table_and_alone(project: Project) -> None:
    project.pipeline("""
        source: {python: "shop:events"}
        resources:
          events: {meta: {dagster: {checks: {rows: {min: 3, change: {min: 0%}}, columns: {
            unique: [id], accepted_values: {id: [0, 1]}, relationships: {id: shop/raw/events}},
            sql: {small: id < 1}}}}}
    """)
    project.module("def events():\n    yield from ({'id': n} for n in range(2))\n")

    result = project.run()

    passed = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    # No run has recorded its rows yet, nor its table.
    assert passed == {
        "row_count": False,
        "row_count_change": True,
        "unique_id": True,
        "accepted_values_id": True,
        "relationships_id": False,
        "small": False,
    }
    key = dg.AssetKey(["shop", "raw", "events"])
    alone = dg.materialize(
        project.assets(),
        selection=dg.AssetSelection.checks(
            dg.AssetCheckKey(key, "unique_id"), dg.AssetCheckKey(key, "relationships_id")
        ),
        instance=project.instance,
        resources=default_resources(warehouse_names()),
    )
    assert [e.passed for e in alone.get_asset_check_evaluations()] == [True, True]
    assert not alone.get_asset_materialization_events()


def test_resource_that_the_source_lacks_fails_with_the_nearest_name(project: Project) -> None:
    project.pipeline('source: {python: "shop:shop"}\nresources: {costumers: {}}')
    project.module(SHOP)

    project.run()

    assert "no resource 'costumers'" in project.failure()
    assert "did you mean 'customers'?" in project.failure()
