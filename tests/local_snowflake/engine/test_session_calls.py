"""What drivers and Snowpark ask of a session before they do anything."""

from __future__ import annotations

import pytest


def one(connection, sql: str):
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchone()[0]


@pytest.mark.parametrize(
    "call", ["current_version()", "current_warehouse()", "current_role()", "current_user()"]
)
def test_session_functions_answer(connection, call: str):
    assert one(connection, f"select {call}")


def test_all_queries_of_a_session_are_cancelled_where_none_runs(connection):
    session_id = one(connection, "select current_session()")
    assert one(connection, f"select system$cancel_all_queries({session_id})")


def test_packages_are_listed(connection):
    cursor = connection.cursor()
    cursor.execute(
        "select package_name, version from information_schema.packages where language = 'python'"
    )
    assert [column.name for column in cursor.description] == ["PACKAGE_NAME", "VERSION"]


def test_result_of_an_earlier_query_is_a_table(connection):
    cursor = connection.cursor()
    cursor.execute("""select column1 as "name", 1 as other from values ('a'), ('b')""")
    query_id = cursor.sfqid
    cursor.execute(
        f"""select "name" from (select * from table(result_scan('{query_id}'))) order by 1"""
    )
    assert cursor.fetchall() == [("a",), ("b",)]


def test_no_artifact_repository_is_the_default(connection):
    assert one(connection, "select system$get_default_python_artifact_repository('3.11')") is None
