"""Real Sling from a real PostgreSQL into the embedded warehouse, as Dagster assets."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.runs.run_domain import RunDomain

from factories.core.execution.temp_folders import folder_prefix, remove_abandoned_folders
from factories.core.meta.condition_lookup import automation_condition
from factories.core.meta.names import dagster_name
from tests.factories.data_versions import data_versions
from tests.factories.sling.conftest import Project, Source, materialized
from tests.factories.step_failures import failed_assets, resume

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

TWO_STREAMS = """
    source: shop
    target: SNOWFLAKE
    defaults: {mode: full-refresh, object: "{s}.{stream_table}"}
    streams:
      {s}.customers:
      {s}.orders:
"""


def test_every_stream_is_loaded_and_described(project: Project) -> None:
    project.replication(TWO_STREAMS)

    result = project.run()

    assert result.success
    found = materialized(result)
    assert set(found) == {"customers", "orders"}
    customers = found["customers"]
    assert customers["rows_loaded"] == 2
    assert customers["dagster/row_count"] == 2
    assert customers["dagster/table_name"] == f"RAW.{project.schema}.CUSTOMERS".upper()
    assert customers["sling/mode"] == "full-refresh"
    seconds = float(str(customers["seconds"]))
    assert seconds > 0
    assert int(str(customers["bytes"])) > 0
    assert customers["rows_per_second"] == pytest.approx(2 / seconds, abs=1)  # both are rounded
    columns = found["orders"]["dagster/column_schema"].columns
    assert [column.name for column in columns] == ["ID", "PLACED", "AMOUNT"]
    assert columns[1].type.startswith("TIMESTAMP")
    assert project.rows("select id, name from {s}.customers order by id") == [
        (1, "Ada"),
        (2, "Bob"),
    ]


@pytest.mark.parametrize(
    "options",
    [{}, {"run_config": {"ops": {"sling__shop": {"config": {"full_refresh": True}}}}}],
    ids=["without run config", "with run config"],
)
def test_only_the_selected_streams_run(project: Project, options: dict[str, object]) -> None:
    project.replication(TWO_STREAMS)

    result = project.run("orders", **options)

    assert result.success
    assert set(materialized(result)) == {"orders"}
    assert not project.has_table("customers")


def test_failed_stream_spares_the_others_and_is_named(project: Project) -> None:
    project.replication(TWO_STREAMS + "      {s}.missing:\n")

    result = project.run()

    assert not result.success
    assert set(materialized(result)) == {"customers", "orders"}
    failure = result.failure_data_for_node("sling__shop")
    assert failure is not None
    assert "1 of 3 streams failed" in failure.error.message
    assert f"{project.schema}.missing" in failure.error.message
    assert "did not find any columns" in failure.error.message
    reasons = failed_assets(result)
    assert set(reasons) == {"missing"}
    assert reasons["missing"] in failure.error.message


def test_re_execution_from_failure_loads_only_what_failed(project: Project, source: Source) -> None:
    project.replication(TWO_STREAMS + "      {s}.missing:\n")
    first = project.run("customers", "missing")
    source.execute("create table {s}.missing (id int)", "insert into {s}.missing values (1)")

    again = project.run("customers", "missing", tags=resume(first.run_id))

    assert again.success
    assert set(materialized(again)) == {"missing"}
    # By "re-execute from asset failure" Dagster itself selects that one alone.
    run = project.instance.get_run_by_id(first.run_id)
    plan = project.instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
    assets, checks = RunDomain(project.instance).get_keys_to_reexecute(first.run_id, plan)
    assert {key.path[-1] for key in assets} == {"missing"}
    assert not checks


def test_failed_stream_is_retried_alone(project: Project, source: Source) -> None:
    source.execute(
        "create sequence {s}.tries",
        """create function {s}.fail_once() returns int language plpgsql as $$
           begin if nextval('{s}.tries') < 2 then raise 'not yet'; end if; return 1; end $$""",
        "create view {s}.flaky as select id, {s}.fail_once() as ok from {s}.customers",
    )
    project.replication(
        TWO_STREAMS
        + "      {s}.flaky: {meta: {dagster: {retries: {max: 2, delay: 0.1s, jitter: full}}}}\n"
    )

    result = project.run()

    assert result.success
    assert set(materialized(result)) == {"customers", "orders", "flaky"}
    assert project.count("flaky") == 2
    log = project.messages()
    assert "retry 1" in log
    assert "retry 2" not in log
    assert log.count(f"running stream {project.schema}.customers") == 1


def test_stream_that_keeps_failing_is_given_up_after_its_retries(project: Project) -> None:
    project.replication(
        TWO_STREAMS + "      {s}.missing: {meta: {dagster: {retries: {max: 1, delay: 0.1s}}}}\n"
    )

    result = project.run()

    assert not result.success
    assert set(materialized(result)) == {"customers", "orders"}
    log = project.messages()
    assert "retry 1" in log
    assert "retry 2" not in log


INCREMENTAL = """
    source: shop
    target: SNOWFLAKE
    streams:
      {s}.orders: {mode: incremental, object: "{s}.orders", primary_key: [id]%s}
"""


def test_incremental_with_update_key_takes_what_is_new_or_changed(
    project: Project, source: Source
) -> None:
    project.replication(INCREMENTAL % ", update_key: placed")
    project.run()
    source.execute(
        "insert into {s}.orders values (3, '2024-01-03', 30)",
        "update {s}.orders set amount = 99, placed = '2024-01-04' where id = 1",
        "update {s}.orders set amount = 77 where id = 2",  # its update key stays: not seen
    )

    result = project.run()

    assert materialized(result)["orders"]["rows_loaded"] == 2
    assert data_versions(result) == {"orders": result.run_id}
    assert project.rows("select id, amount from {s}.orders order by id") == [
        (1, pytest.approx(99)),
        (2, pytest.approx(20)),
        (3, pytest.approx(30)),
    ]


def test_incremental_without_update_key_merges_every_row(project: Project, source: Source) -> None:
    project.replication(INCREMENTAL % "")
    project.run()
    source.execute(
        "insert into {s}.orders values (3, '2024-01-03', 30)",
        "update {s}.orders set amount = 77 where id = 2",
    )

    found = materialized(project.run())

    assert found["orders"]["rows_loaded"] == 3
    assert project.rows("select id, amount from {s}.orders order by id") == [
        (1, pytest.approx(10.5)),
        (2, pytest.approx(77)),
        (3, pytest.approx(30)),
    ]


REPLACED = """\
      {s}.customers:
        {mode: full-refresh, object: "{s}.customers", meta: {dagster: {data_version: content}}}
      people: {sql: "select * from {s}.customers", object: "{s}.people"}
"""


def reader(name: str) -> dg.AssetsDefinition:
    """An asset that a change of a stream's asset asks for."""
    changed = automation_condition("on_upstream_change")

    @dg.asset(
        name=f"of_{name}",
        deps=[dg.AssetKey(["shop", "raw", name])],
        automation_condition=changed,
    )
    def read() -> None: ...

    return read


def test_rerun_of_an_incremental_stream_changes_nothing(project: Project) -> None:
    project.replication(INCREMENTAL % ", update_key: placed" + REPLACED)
    first = project.run()
    before = project.rows("select * from {s}.orders order by id")
    readers = [reader(name) for name in ("orders", "customers", "people")]
    definitions = dg.Definitions([*project.assets(), *readers], resources=project.resources())
    assert dg.materialize(readers, instance=project.instance).success
    evaluated = dg.evaluate_automation_conditions(definitions, project.instance)
    assert evaluated.total_requested == 0

    result = project.run()

    assert result.success
    evaluated = dg.evaluate_automation_conditions(
        definitions, project.instance, cursor=evaluated.cursor
    )
    asked = {found.key.path[-1] for found in evaluated.results if not found.true_subset.is_empty}
    assert asked == {"of_people"}
    assert materialized(result)["orders"]["rows_loaded"] == 0
    assert project.rows("select * from {s}.orders order by id") == before
    versions = {"orders": first.run_id, "customers": first.run_id, "people": result.run_id}
    assert data_versions(result) == versions
    assert set(data_versions(first).values()) == {first.run_id}


@pytest.mark.parametrize(("mode", "expected"), [("truncate", 1), ("full-refresh", 1)])
def test_mode_that_replaces(project: Project, source: Source, mode: str, expected: int) -> None:
    project.replication(TWO_STREAMS.replace("full-refresh", mode))
    project.run("customers")
    source.execute("delete from {s}.customers where id = 1")

    assert project.run("customers").success

    assert project.count("customers") == expected


def test_snapshot_keeps_every_load(project: Project) -> None:
    project.replication(TWO_STREAMS.replace("full-refresh", "snapshot"))
    project.run("customers")

    assert project.run("customers").success

    assert project.count("customers") == 4
    # Whole seconds: two quick loads may have the same.
    assert project.rows("select count(_sling_loaded_at) from {s}.customers") == [(4,)]


def test_backfill_loads_its_range(project: Project) -> None:
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          {s}.orders:
            mode: backfill
            object: "{s}.orders"
            primary_key: [id]
            update_key: placed
            source_options: {range: "2024-01-02,2024-01-03"}
    """)

    assert project.run().success

    assert project.rows("select id from {s}.orders") == [(2,)]


def test_full_refresh_of_one_run_reloads_an_incremental_stream(
    project: Project, source: Source
) -> None:
    project.replication(INCREMENTAL % ", update_key: placed")
    project.run()
    source.execute("delete from {s}.orders where id = 1")

    result = project.run(run_config={"ops": {"sling__shop": {"config": {"full_refresh": True}}}})

    assert result.success
    assert project.rows("select id from {s}.orders") == [(2,)]


def test_source_without_rows_makes_a_table_without_rows(project: Project, source: Source) -> None:
    source.execute("create table {s}.nothing (id int)")
    project.replication(TWO_STREAMS + "      {s}.nothing:\n")

    result = project.run("nothing")

    assert result.success
    assert project.count("nothing") == 0
    assert materialized(result)["nothing"]["rows_loaded"] == 0


def test_query_and_file_streams_are_loaded(project: Project, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("currency,rate\nEUR,1.1\n")
    (project.root / "sling" / "connections.yaml").write_text(
        'connections:\n  shop: {type: postgres, url: "${SHOP_URL}"}\n  local: {type: file}\n'
    )
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          big_orders: {object: "{s}.big_orders", sql: "select * from {s}.orders where id > 1"}
    """)
    project.replication(
        f"""
        source: local
        target: SNOWFLAKE
        streams:
          file://{tmp_path}/rates.csv: {{object: "{{s}}.{{stream_file_name}}"}}
        """,
        name="files",
    )

    result = project.run()

    assert result.success
    assert project.rows("select id from {s}.big_orders") == [(2,)]
    assert project.rows("select currency from {s}.rates") == [("EUR",)]


def test_checks_run_on_the_loaded_table(project: Project, source: Source) -> None:
    source.execute(
        "insert into {s}.customers values (3, 'Bob'), (4, null)",
        'alter table {s}.customers add column "Größe in m" int',
    )
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          {s}.customers:
            object: "{s}.customers"
            target_options: {column_casing: source}
            meta:
              dagster:
                checks:
                  rows: {min: 1, max: 4}
                  columns:
                    not_null: [id, name, Größe in m]
                    unique: [id, name, [id, name]]
                    accepted_values: {name: [Ada, Bob]}
                    relationships: {id: {to: shop/raw/nobody, severity: error}}
                  schema: unchanged
                  sql: {first_is_one: {value: min(id), min: 1, max: 1}}
                  blocking: false
    """)

    result = project.run()

    assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
        "row_count": True,
        "not_null_id": True,
        "not_null_name": False,
        f"not_null_{dagster_name('größe in m')}": False,
        "unique_id": True,
        "unique_name": False,
        "unique_id_name": True,
        "accepted_values_name": True,
        "relationships_id": False,
        "schema_unchanged": True,
        "first_is_one": True,
    }
    unknown = [
        e for e in result.get_asset_check_evaluations() if e.check_name == "relationships_id"
    ]
    assert unknown[0].severity is dg.AssetCheckSeverity.WARN


CHECKED = """
    source: shop
    target: SNOWFLAKE
    defaults: {object: "{s}.{stream_table}"}
    streams:
      {s}.customers:
        meta: {dagster: {checks: {rows: {min: 3}, columns: {unique: id}, blocking: false}}}
      {s}.orders:
"""


def test_checks_can_run_without_a_load(project: Project, source: Source) -> None:
    project.replication(CHECKED)
    project.run()
    source.execute("insert into {s}.customers values (3, 'Cleo')")
    key = dg.AssetKey(["shop", "raw", "customers"])

    result = dg.materialize(
        project.assets(),
        selection=dg.AssetSelection.checks(dg.AssetCheckKey(key, "row_count")),
        instance=project.instance,
        resources=project.resources(),
    )

    [evaluation] = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.passed) == ("row_count", False)
    assert evaluation.metadata["rows"].value == 2
    assert not result.get_asset_materialization_events()


def test_table_that_cannot_be_read_after_its_load_spares_the_others(project: Project) -> None:
    project.replication(
        CHECKED.replace(
            "{s}.customers:",
            '{s}.customers:\n        target_options: {post_sql: "drop table RAW.{s}.customers"}',
        )
    )

    result = project.run()

    found = materialized(result)
    assert result.success
    assert found["customers"]["rows_loaded"] == 2
    assert "dagster/row_count" not in found["customers"]
    assert found["orders"]["dagster/row_count"] == 2
    assert "is loaded but cannot be read" in project.messages()
    assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
        "row_count": False,
        "unique_id": False,
    }


def test_removed_column_fails_its_checks_also_when_they_run_again(
    project: Project, source: Source
) -> None:
    project.replication("""
        source: shop
        target: SNOWFLAKE
        streams:
          {s}.customers:
            object: "{s}.customers"
            meta: {dagster: {checks: {schema: [no_removed_columns, unchanged], blocking: false}}}
    """)
    first = project.run()
    source.execute("alter table {s}.customers drop column name")

    second = project.run()
    alone = dg.materialize(
        project.assets(),
        selection=dg.AssetSelection.all_asset_checks(),
        instance=project.instance,
        resources=project.resources(),
    )

    assert [e.passed for e in first.get_asset_check_evaluations()] == [True, True]
    for result in (second, alone):
        evaluations = result.get_asset_check_evaluations()
        assert [e.passed for e in evaluations] == [False, False]
        assert [e.metadata["removed_columns"].value for e in evaluations] == [["NAME"]] * 2
    assert not alone.get_asset_materialization_events()


PASSWORD = "s3cret/word%"


def test_secrets_reach_no_log(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = source.url.replace("postgres:@", "postgres:s3cret%2Fword%25@")
    monkeypatch.setenv("SHOP_URL", url.replace("host=", "host=/nowhere"))
    project.replication(TWO_STREAMS)

    result = project.run()

    log = project.log()
    assert not result.success
    assert "connecting to source database" in log
    for secret in (PASSWORD, "s3cret", str(project.warehouse.settings["password"])):
        assert secret not in log


def test_secret_that_is_also_a_name_hides_no_result(
    project: Project, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", source.url.replace("postgres:@", f"postgres:{project.schema}@"))
    project.replication(TWO_STREAMS)

    result = project.run()

    assert set(materialized(result)) == {"customers", "orders"}
    assert "running stream ***.customers" in project.messages()


def test_no_temporary_file_survives(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    project.replication(TWO_STREAMS + "      {s}.missing:\n")

    project.run()

    assert [path for path in scratch.rglob("*") if path.is_file()] == []


def test_folders_of_killed_step_processes_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    beyond_any_pid = 2**22 + 1
    (tmp_path / f"{folder_prefix('sling')}{beyond_any_pid}-x").mkdir()
    (tmp_path / f"{folder_prefix('sling')}1-x").mkdir()

    remove_abandoned_folders("sling")

    assert [path.name for path in tmp_path.iterdir()] == [f"{folder_prefix('sling')}1-x"]


def test_missing_variable_fails_without_running(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.replication(TWO_STREAMS)
    assets = project.assets()
    monkeypatch.delenv("SHOP_URL")

    result = dg.materialize(
        assets, instance=project.instance, resources=project.resources(), raise_on_error=False
    )

    failure = result.failure_data_for_node("sling__shop")
    assert failure is not None
    assert "SHOP_URL is not defined" in failure.error.message
    assert not project.has_table("customers")
