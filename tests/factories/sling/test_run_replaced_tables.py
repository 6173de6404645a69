"""A table that is replaced, as who reads it meanwhile finds it."""

# dagster-sling reads the annotations of an op: they must not be postponed here.

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster_sling import SlingResource, sling_assets
from snowflake.connector.errors import Error

from factories.sling.replaced_tables import MARK
from tests.conftest import WarehouseUnderTest
from tests.factories.sling.conftest import Project, Source, materialized

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("sling")]

OLD, NEW = 15_000, 25_000


class Reader:
    """Counts the rows of tables, again and again, in a session of its own."""

    def __init__(self, warehouse: WarehouseUnderTest, tables: list[str]) -> None:
        self.answers: dict[str, list[object]] = {table: [] for table in tables}
        self._warehouse = warehouse
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read)

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._enough.set()
            self._thread.join()

    def _read(self) -> None:
        with self._warehouse.connect(database="RAW") as session, session.cursor() as cursor:
            while not self._enough.is_set():
                for table, answers in self.answers.items():
                    try:
                        [(answer,)] = cursor.execute(f"select count(*) from {table}").fetchall()
                    except Error as error:
                        answer = str(error)
                    if answers[-1:] != [answer]:
                        answers.append(answer)


def new_tables(project: Project) -> list[str]:
    """The tables that stand beside those of the project."""
    found = project.rows(
        "select table_name from RAW.information_schema.tables"
        f" where table_schema = upper('{{s}}') and contains(table_name, '{MARK}')"
    )
    return sorted(str(name) for (name,) in found)


def test_a_reader_finds_all_old_rows_or_all_new_ones(project: Project, source: Source) -> None:
    for table in ("refreshed", "emptied", "mine"):
        source.execute(
            f"create table {{s}}.{table} as select i as id from generate_series(1, {OLD}) i"
        )
    project.replication("""
        source: shop
        target: SNOWFLAKE
        defaults: {object: "{s}.{stream_table}"}
        streams:
          {s}.refreshed:
          {s}.emptied: {mode: truncate}
    """)
    config = {
        "source": "shop",
        "target": "SNOWFLAKE",
        "defaults": {
            "object": f"{source.schema}.{{stream_table}}",
            "target_options": {
                "post_sql": "create table {object_schema}.told as select * from {object_name}"
            },
        },
        "streams": {f"{source.schema}.mine": {}},
    }

    @sling_assets(replication_config=config)
    def own(context: dg.AssetExecutionContext, sling: SlingResource) -> Any:
        yield from sling.replicate(context=context)

    def run_own() -> None:
        own_result = dg.materialize(
            [own], instance=project.instance, resources=project.resources(), raise_on_error=False
        )
        assert own_result.success, project.log()

    assert project.run().success
    run_own()
    assert project.count("told") == OLD
    project.rows("drop table {s}.told")
    for table in ("refreshed", "emptied", "mine"):
        source.execute(
            f"insert into {{s}}.{table} select i from generate_series({OLD + 1}, {NEW}) i"
        )
        source.execute(f"alter table {{s}}.{table} add column name text default 'new'")
    tables = [f"{project.schema}.{table}" for table in ("refreshed", "emptied", "mine")]
    reader = Reader(project.warehouse, tables)

    with reader.reading():
        result = project.run()
        run_own()

    assert result.success
    assert reader.answers == {table: [OLD, NEW] for table in tables}
    assert {row["dagster/row_count"] for row in materialized(result).values()} == {NEW}
    assert project.rows("select distinct name from {s}.emptied") == [("new",)]
    assert project.count("told") == NEW
    assert new_tables(project) == []


def test_a_load_that_does_not_succeed_leaves_the_old_rows(project: Project, source: Source) -> None:
    source.execute("create table {s}.kept as select 1 as id")
    streams = """
        source: shop
        target: SNOWFLAKE
        env: {SLING_ALLOW_EMPTY: "false"}
        defaults: {object: "{s}.{stream_table}"}
        streams:
          {s}.customers: {mode: truncate%s}
          {s}.kept: {mode: truncate}
          {s}.orders:%s
    """
    project.replication(streams % ("", ""))
    assert project.run().success
    # What steps that were killed have left, and what only looks like that.
    left = [f"{name}{MARK}0123456789AB" for name in ("CUSTOMERS", "ORDERS", "OTHERS")]
    for name in (*left, f"{left[1]}_TMP", f"ORDERS{MARK}S"):
        project.rows(f"create table {{s}}.{name} (id int)")
    source.execute(
        *(f"delete from {{s}}.{table} where id = 1" for table in ("orders", "customers", "kept"))
    )
    # Sling warns of it, after it has loaded the rows.
    broken = "transforms: {id: nope}"
    project.replication(streams % (f", {broken}", f" {{{broken}}}"))

    result = project.run()

    assert not result.success
    assert set(materialized(result)) == {"kept"}  # by what is asked of Sling for no rows
    assert project.count("kept") == 1
    assert project.count("orders") == 2
    assert project.count("customers") == 2
    assert new_tables(project) == sorted([left[2], f"ORDERS{MARK}S"])


def test_what_is_set_for_a_table_holds_for_the_one_that_takes_its_place(
    project: Project, source: Source
) -> None:
    role = f"reader_{project.schema}"
    project.replication("""
        source: shop
        target: SNOWFLAKE
        defaults: {object: "{s}.{stream_table}"}
        streams:
          {s}.customers:
            target_options:
              table_keys: {cluster: [id]}
              pre_sql: >-
                create table if not exists {object_schema}.seen (place text, n int);
                create table if not exists {object_name} (id int);
                insert into {object_schema}.seen select 'before', count(*) from {object_name}
              post_sql: >-
                insert into seen select '{stream_table} after; 100%', count(*) from {object.name};
                insert into seen select 'beside', count(*) from landing.{s}.orders
          {s}.orders:
            object: landing.{s}.{stream_table}
            target_options:
              table_ddl: create transient table {object_name} (id int, placed date, amount float)
    """)
    project.warehouse.rows(f"create role {role}")
    project.warehouse.rows("create database if not exists landing")
    assert project.run("orders").success
    assert project.run("customers").success
    project.rows(f"grant select on table {{s}}.customers to role {role}")
    source.execute("insert into {s}.customers values (3, 'Cleo')")

    result = project.run()

    assert result.success
    assert project.rows("select place, n from {s}.seen") == [
        ("before", 0),
        ("customers after; 100%", 2),
        ("beside", 2),
        ("before", 2),
        ("customers after; 100%", 3),
        ("beside", 2),
    ]
    grants = project.rows("show grants on table {s}.customers")
    assert [(row[1], row[5]) for row in grants] == [("SELECT", role.upper())]
    orders = materialized(result)["orders"]
    assert orders["dagster/table_name"] == f"LANDING.{project.schema}.ORDERS".upper()
    assert orders["dagster/row_count"] == 2
    assert not project.has_table("orders")
    first = project.rows("select * from landing.{s}.orders order by id limit 1")
    assert first == [(1, dt.date(2024, 1, 1), 10.5)]
    project.warehouse.rows(f"drop role {role}")
    project.warehouse.rows(f"drop schema landing.{project.schema}")
