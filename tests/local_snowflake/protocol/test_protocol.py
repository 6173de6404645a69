"""What drivers ask besides single statements."""

from __future__ import annotations

import http.client

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import DatabaseError, ProgrammingError


def late_result(cursor: SnowflakeCursor) -> list[tuple[object, ...]]:
    cursor.get_results_from_sfqid(cursor.sfqid)
    return cursor.fetchall()


def test_login_with_another_password_is_refused(warehouse):
    with pytest.raises(DatabaseError, match="Incorrect username or password") as refused:
        warehouse.connect(password="guess")
    assert refused.value.errno == 390100


def test_several_statements_give_a_result_each(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute(
        "create table t (a int); insert into t values (1), (2); select a from t", num_statements=0
    )
    results = [cursor.fetchall()]
    while cursor.nextset():
        results.append(cursor.fetchall())
    assert results[1:] == [[(2,)], [(1,), (2,)]]


def test_an_unannounced_second_statement_is_refused(connection: SnowflakeConnection):
    with pytest.raises(ProgrammingError, match="Actual statement count 2"):
        connection.cursor().execute("select 1; select 2")


def test_semicolons_in_strings_and_comments_do_not_split(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("select 'a;b', $$c;d$$ /* ; */ -- ;\n ;")
    assert cursor.fetchall() == [("a;b", "c;d")]


def test_asynchronous_query_gives_its_result_later(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute_async("select 42")
    assert late_result(cursor) == [(42,)]


def test_asynchronous_query_tells_its_error(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute_async("select * from missing")
    with pytest.raises(DatabaseError, match="MISSING"):
        late_result(cursor)


def test_describe_gives_columns_and_changes_nothing(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("create table t (a int, b varchar)")
    assert [column.name for column in cursor.describe("select * from t")] == ["A", "B"]
    cursor.describe("insert into t values (1, 'x')")
    assert cursor.execute("select count(*) from t").fetchone() == (0,)


def test_arrays_are_bound_as_one_statement(warehouse, database):
    with warehouse.connect(database=database, paramstyle="qmark") as connection:
        cursor = connection.cursor()
        cursor.execute("create table t (a int, b varchar)")
        cursor.executemany("insert into t values (?, ?)", [(1, "x"), (2, None), (3, "z")])
        assert cursor.rowcount == 3
        cursor.execute("select a from t where b = ?", ("z",))
        assert cursor.fetchall() == [(3,)]


def test_variables_are_replaced_in_code_only(connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("set answer = 42")
    assert cursor.execute("select $answer, '$answer', '$other'").fetchall() == [
        (42, "$answer", "$other")
    ]


@pytest.mark.parametrize(
    ("sql", "feature"),
    [
        ("create or replace task x as select 1", "TASK"),
        ("create stream s on table t", "STREAM"),
        ("show pipes", "PIPE"),
    ],
)
def test_what_is_not_here_is_named(connection: SnowflakeConnection, sql, feature):
    with pytest.raises(ProgrammingError, match=f"{feature} is not in the embedded warehouse"):
        connection.cursor().execute(sql)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/session/v1/login-request", b"not json"),
        ("POST", "/queries/v1/query-request", b"{}"),
        ("POST", "/session/authenticator-request", b"{}"),
        ("GET", "/queries/none/result", b""),
        ("POST", "/telemetry/send", b"x"),
    ],
)
def test_no_request_gets_a_server_error(warehouse, method, path, body):
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(warehouse.settings["port"]), timeout=10
    )
    connection.request(method, path, body)
    assert connection.getresponse().status in {200, 404}
    connection.close()


def test_statement_is_canceled_after_its_timeout(warehouse, connection: SnowflakeConnection):
    cursor = connection.cursor()
    cursor.execute("create table t as select 1 as a")
    with warehouse.connect(database=connection.database, schema="PUBLIC") as other:
        other.cursor().execute("begin")
        other.cursor().execute("update t set a = 2")
        cursor.execute("alter session set statement_timeout_in_seconds = 1")
        with pytest.raises(ProgrammingError, match=r"timeout of 1 second\(s\)") as canceled:
            cursor.execute("update t set a = 3")
        assert (canceled.value.errno, canceled.value.sqlstate) == (630, "57014")
        other.cursor().execute("commit")
    cursor.execute("update t set a = a + 10")
    assert cursor.execute("select a from t").fetchall() == [(12,)]


@pytest.mark.parametrize("value", ["soon", "-1", "1.5"])
def test_timeout_of_statements_is_a_number_of_seconds(connection: SnowflakeConnection, value: str):
    with pytest.raises(ProgrammingError, match="invalid value"):
        connection.cursor().execute(f"alter session set statement_timeout_in_seconds = '{value}'")
