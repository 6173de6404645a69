"""Rows are written in every mode, checked first, and all of them or none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from tests.factories.data_versions import data_versions
from tests.factories.snowpark.conftest import AreaProject, run_until_killed
from tests.factories.snowpark.tables.killed_write import materialize_until

pytestmark = pytest.mark.clients


DAILY = 'partition: {type: daily, start: "2013-01-01", column: day}'
DAYS = "id number, day date"


def kill_at(statement: str, partition: str = "") -> None:
    """Materialize the area in a process that is killed `before` or `after` a statement."""
    how, _, text = statement.partition(" ")
    run_until_killed(partial(materialize_until, how, text, partition or None))


def test_overwrite_replaces_all_rows_and_describes_the_table(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'b'")
    project.table("keys: [id]")
    project.built()
    project.seed("3, 'c', 1.5", columns="id number, v varchar, x float")

    found = project.built()["t"]

    assert project.rows() == [(3, "c", 1.5)]
    assert found["rows_loaded"] == found["dagster/row_count"] == 1
    assert found["dagster/table_name"] == f"{project.schema}.T"
    assert [column.name for column in found["dagster/column_schema"].columns] == ["ID", "V", "X"]
    assert f'"ANALYTICS"."SEEDS"."{project.area.upper()}"' in found["snowpark/sql"]
    assert project.tables() == {"T"}


def test_append_adds_rows(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("mode: append")
    project.built()

    found = project.built()["t"]

    assert project.rows() == [(1, "a"), (1, "a")]
    assert (found["rows_loaded"], found["dagster/row_count"]) == (1, 2)


def test_append_refuses_keys_that_are_there(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("mode: append, keys: [id]")
    project.built()
    project.seed("1, 'b'", "2, 'b'")

    assert "1 values of the keys (id) are in the table already" in project.failed()
    assert project.rows() == [(1, "a")]


def test_merge_updates_by_keys_and_inserts(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, 'a'")
    project.table("mode: merge, keys: [ID]")
    project.built()
    project.seed("2, 'b'", "3, 'b'")

    found = project.built()["t"]

    assert project.rows() == [(1, "a"), (2, "b"), (3, "b")]
    assert (found["rows_inserted"], found["rows_updated"]) == (1, 1)

    changed = project.results[-1]
    assert data_versions(changed) == {"t": changed.run_id}
    project.seed()
    project.built()
    assert project.rows() == [(1, "a"), (2, "b"), (3, "b")]
    assert data_versions(project.results[-1]) == {"t": changed.run_id}


def test_rows_that_are_replaced_by_the_same_ones_have_the_same_hash(project: AreaProject) -> None:
    project.seed("1, 'a'", "2, null")
    project.table("mode: overwrite", "data_version: content")
    versions, hashes = [], []
    for rows in (["1, 'a'", "2, null"], ["2, null", "1, 'a'"], ["1, 'a'", "2, 'b'"]):
        project.seed(*rows)
        hashes.append(project.built()["t"]["content_hash"])
        versions.append(data_versions(project.results[-1])["t"])
    first, _, third = (result.run_id for result in project.results)
    assert versions == [first, first, third]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_new_column_is_added_and_a_lost_one_refused(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("mode: merge, keys: [id]")
    project.built()
    project.seed("2, 'b', 0.5", columns="id number, v varchar, x number(4,2)")
    project.built()
    assert project.rows() == [(1, "a", None), (2, "b", Decimal("0.50"))]
    project.seed("3", columns="id number")

    assert f"the rows lack columns that {project.schema}.T has: v, x" in project.failed()
    assert len(project.rows()) == 2


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_no_column_is_added_for_rows_that_do_not_fit(project: AreaProject, mode: str) -> None:
    project.seed("1, 5", columns="id number, v int")
    project.table(f"mode: {mode}, keys: [id]")
    project.built()
    project.seed("2, 'five', 0.5", columns="id number, v varchar, x number(4,2)")

    assert "five" in project.failed()
    assert project.rows() == [(1, 5)]
    assert project.tables() == {"T"}


def test_a_killed_write_may_leave_a_new_column_and_a_rerun_fills_it(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("mode: merge, keys: [id]")
    project.built()
    project.seed("1, 'b', 0.5", columns="id number, v varchar, x number(4,2)")

    kill_at("before merge into")

    assert project.rows() == [(1, "a", None)]
    project.built()
    assert project.rows() == [(1, "b", Decimal("0.50"))]


@pytest.mark.parametrize(
    ("output", "meta", "what"),
    [
        ("mode: append, keys: [id]", "", "no column id, which is a key"),
        ("mode: merge, keys: [id]", "", "no column id, which is a key"),
        ("", DAILY, "no column day, which is the partitions' column"),
    ],
)
def test_a_table_whose_rows_could_not_be_distinguished_is_refused(
    project: AreaProject, output: str, meta: str, what: str
) -> None:
    project.seed("'a'", columns="v varchar")
    project.table("mode: append")
    project.built()
    project.seed("1, '2013-01-01', 'b'", columns=f"{DAYS}, v varchar")
    project.table(output, meta)

    reported = project.failed(**({"partition_key": "2013-01-01"} if meta else {}))

    assert f"{project.schema}.T has {what}: drop the table to have it created again" in reported
    assert project.rows() == [("a",)]


@pytest.mark.parametrize("mode", ["overwrite", "append", "merge"])
def test_keys_that_are_null_or_not_unique_fail_before_writing(
    project: AreaProject, mode: str
) -> None:
    project.seed("9, 'before'")
    project.table(f"mode: {mode}, keys: [id]")
    project.built()

    project.seed("1, 'a'", "1, 'b'", "2, 'c'")
    assert "1 values of the keys (id) are in several rows" in project.failed()
    project.seed("1, 'a'", "null, 'b'")
    assert "1 rows have no id, which is a key" in project.failed()

    assert project.rows() == [(9, "before")]
    assert project.tables() == {"T"}


def test_a_key_that_the_rows_lack_is_reported(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("keys: [idd]")

    assert "the rows have no column idd, which is a key; they have id, v" in project.failed()


@pytest.mark.parametrize(
    ("output", "meta", "statement"),
    [
        ("keys: [id]", "", "before create or replace table"),
        ("mode: merge, keys: [id]", "", "before merge into"),
        ("keys: [id]", DAILY, "before commit"),
    ],
)
def test_a_killed_write_leaves_the_table_as_it_was(
    project: AreaProject, output: str, meta: str, statement: str
) -> None:
    partition = "2013-01-01" if meta else ""
    options = {"partition_key": partition} if partition else {}
    project.seed("1, '2013-01-01'", columns=DAYS)
    project.table(output, meta)
    project.built(**options)
    before = project.rows()
    project.seed("2, '2013-01-01'", columns=DAYS)

    kill_at(statement, partition)

    assert project.rows() == before
    project.built(**options)
    assert (2, date(2013, 1, 1)) in project.rows()


def test_a_first_write_that_is_killed_leaves_all_rows_or_no_table(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.table("mode: merge, keys: [id]")
    kill_at("before create table")
    assert project.tables() == set()

    kill_at("after create table")
    assert project.rows() == [(1, "a")]


def test_a_query_may_end_with_a_comment(project: AreaProject) -> None:
    project.seed("1, 'a'")
    project.write("""
        tables:
          - name: t
            sql: select * from {rows} -- all of them
            inputs: {rows: seeds/{a}}
            output: {table: "{s}.T"}
    """)
    project.built()
    assert project.rows() == [(1, "a")]


def test_a_write_that_fails_within_its_transaction_is_rolled_back(project: AreaProject) -> None:
    project.seed("1, '2013-01-01', 5", columns=f"{DAYS}, v int")
    project.table("", DAILY)
    project.built(partition_key="2013-01-01")
    project.seed("2, '2013-01-01', 'five'", columns=f"{DAYS}, v varchar")

    assert "five" in project.failed(partition_key="2013-01-01")
    assert project.rows() == [(1, date(2013, 1, 1), 5)]
