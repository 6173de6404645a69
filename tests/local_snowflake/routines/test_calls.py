"""Stored procedures in Python, by the real Snowpark client and by plain SQL."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark import DataFrame, Row, Session
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.functions import col
from snowflake.snowpark.types import IntegerType, StructField, StructType

from local_snowflake.process import control
from local_snowflake.routines.calls import MAX_DEPTH, CallProcedure
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.statements import Statement
from local_snowflake.target import connection_settings
from tests.conftest import TIMEOUTS, WarehouseUnderTest
from tests.local_snowflake.handlers import handlers_of, wait_until

SNOWPARK = ["snowflake-snowpark-python"]
HEADER = (
    "language python runtime_version = 3.11 packages = ('snowflake-snowpark-python') "
    "handler = 'main' as $$\n"
)


@pytest.fixture(scope="module")
def place(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """A database that the tests of this module share."""
    name = f"P_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {name}")
    yield name
    warehouse.rows(f"drop database {name}")


@pytest.fixture(scope="module")
def session(warehouse: WarehouseUnderTest, place: str) -> Iterator[Session]:
    settings = {**warehouse.settings, "database": place, "schema": "PUBLIC"}
    opened = Session.builder.configs({**settings, "login_timeout": 20, "network_timeout": 60})
    with opened.create() as session:
        yield session


@pytest.fixture(scope="module")
def cursor(warehouse: WarehouseUnderTest, place: str) -> Iterator[SnowflakeCursor]:
    with warehouse.connect(database=place) as connection:
        yield connection.cursor()


def test_a_registered_function_runs_in_the_session_of_its_caller(session):
    session.sql("create temporary table mine as select 7 as a").collect()

    def compute(session: Session, greeting: str) -> str:
        session.sql("create temporary table yours as select 8 as a").collect()
        place = session.sql("select current_database(), current_schema(), current_role()")
        return f"{greeting} {session.table('mine').collect()[0][0]} {list(place.collect()[0])}"

    session.sproc.register(compute, name="greet", replace=True, packages=SNOWPARK)
    database = session.get_current_database().strip('"')
    assert session.call("greet", "hello") == f"hello 7 ['{database}', 'PUBLIC', 'SYSADMIN']"
    assert session.table("yours").collect() == [Row(A=8)]


def define(cursor: SnowflakeCursor, signature: str, returns: str, body: str) -> None:
    """Create a temporary procedure by hand; its handler is `main`."""
    cursor.execute(f"create or replace temporary procedure {signature} {returns} {HEADER}{body}$$")


def test_an_exception_is_a_sql_error_with_its_traceback(session):
    def fail(session: Session, divisor: int) -> int:
        return 1 // divisor

    procedure = session.sproc.register(
        fail,
        name="fail",
        return_type=IntegerType(),
        input_types=[IntegerType()],
        replace=True,
        packages=SNOWPARK,
    )
    with pytest.raises(SnowparkSQLException, match=r"Python Interpreter Error:\nTraceback") as told:
        procedure(0, session=session)
    assert "ZeroDivisionError" in str(told.value)
    assert "handler_side" not in str(told.value)
    assert session.sql("select 1 as a").collect() == [Row(A=1)]


def test_arguments_of_every_type_arrive(cursor):
    body = """
def main(session, *values):
    return [repr(value) for value in values]
"""
    define(
        cursor,
        "see(a int, b number(10, 2), c float, d string, e boolean, f date, g timestamp, "
        "h variant, i array, j binary, k int, l string default 'x')",
        "returns variant",
        body,
    )
    cursor.execute(
        "call see(1, 1.25, 1.5, %s, true, '2024-01-02'::date, '2024-01-02 03:04:05', "
        "parse_json('{\"a\": null}'), [1, 2], to_binary('00ff', 'hex'), null)",
        ("it's",),
    )
    assert json.loads(cursor.fetchone()[0]) == [
        "1", "Decimal('1.25')", "1.5", '"it\'s"', "True", "datetime.date(2024, 1, 2)",
        "datetime.datetime(2024, 1, 2, 3, 4, 5)", "{'a': None}", "[1, 2]", "b'\\x00\\xff'",
        "None", "'x'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("returns", "expression", "expected"),
    [
        ("float", "numpy.float64(1.5)", 1.5),
        ("boolean", "True", True),
        ("variant", "{'a': [1, None], 'b': numpy.int64(2)}", '{"a": [1, null], "b": 2}'),
    ],
)
def test_values_of_every_type_come_back(cursor, returns, expression, expected):
    body = f"import numpy\ndef main(session):\n    return {expression}\n"
    define(cursor, "give()", f"returns {returns}", body)
    assert cursor.execute("call give()").fetchall() == [(expected,)]
    assert cursor.description[0].name == "GIVE"


def test_a_table_is_returned_as_its_rows(session):
    def rows(session: Session, count: int) -> DataFrame:
        numbers = session.create_dataframe([[i] for i in range(count)], schema=["id"])
        return numbers.select((col("id") * 2).alias("twice"))

    twice = session.sproc.register(
        rows,
        name="twice",
        return_type=StructType([StructField("TWICE", IntegerType())]),
        input_types=[IntegerType()],
        packages=SNOWPARK,
    )
    assert sorted(row.TWICE for row in twice(3, session=session).collect()) == [0, 2, 4]


def test_its_statements_are_part_of_the_transaction_of_its_caller(cursor):
    cursor.execute("create or replace table kept (a int)")
    define(
        cursor,
        "write(how string)",
        "returns string",
        """
def main(session, how):
    if how == "open":
        session.sql("begin").collect()
    session.sql("insert into kept values (1)").collect()
    if how == "raise":
        raise ValueError(how)
    return str(session.table("kept").count())
""",
    )
    cursor.execute("begin")
    assert cursor.execute("call write('plainly')").fetchone() == ("1",)
    cursor.execute("rollback")
    assert cursor.execute("select * from kept").fetchall() == []
    with pytest.raises(ProgrammingError, match="ValueError: raise"):
        cursor.execute("call write('raise')")
    assert cursor.execute("select * from kept").fetchall() == [(1,)]
    with pytest.raises(ProgrammingError, match="incomplete and it was rolled back"):
        cursor.execute("call write('open')")
    assert cursor.execute("select * from kept").fetchall() == [(1,)]


def test_a_procedure_calls_itself_with_its_caller_s_binds_up_to_a_limit(cursor):
    define(
        cursor,
        "deeper(n int)",
        "returns string",
        """
def main(session, n):
    return f"{n} " + (session.sql("call deeper(?)", [n - 1]).collect()[0][0] if n else "")
""",
    )
    assert cursor.execute("call deeper(1)").fetchone() == ("1 0 ",)
    deep = SimpleNamespace(handlers=[None] * MAX_DEPTH)
    with pytest.raises(SqlError, match="call depth exceeded"):
        CallProcedure().run(cast(Any, deep), Statement("call deeper(1)"), Bindings())


def test_a_handler_knows_its_settings_and_no_secret_and_prints_where_it_wants(cursor):
    define(
        cursor,
        "tell()",
        "returns variant",
        """
import os, sys
def main(session):
    print("to standard output")
    return [sorted(os.environ), open("/proc/self/cmdline").read(), os.listdir()]
""",
    )
    seen, command, files = json.loads(cursor.execute("call tell()").fetchone()[0])
    # What libraries set on being imported counts as well.
    assert not [name for name in seen if name.startswith(("DP_", "PYTEST"))]
    assert "OMP_WAIT_POLICY" in seen
    assert cursor.connection._rest.token not in command
    assert files == ["imports"]
    assert handlers_of() == []


WAITING = """
import subprocess, time
def main(session):
    child = subprocess.Popen(["sleep", "1000"])
    session.sql(f"create or replace table waits as select {child.pid} as pid").collect()
    time.sleep(1000)
"""


def test_a_cancelled_call_ends_its_process_and_what_that_has_started(cursor, session):
    define(cursor, "wait()", "returns string", WAITING)
    cursor.execute("drop table if exists waits")
    cursor.execute_async("call wait()")
    query = cursor.sfqid
    wait_until(lambda: session.sql("show tables like 'waits'").collect())
    pid = session.table("waits").collect()[0][0]
    cursor.connection.rest.request(f"/queries/{query}/abort-request", {}, method="post")
    wait_until(lambda: not psutil.pid_exists(pid))
    assert handlers_of() == []
    assert cursor.execute("select 1").fetchone() == (1,)


@contextmanager
def waiting_client(settings: dict[str, Any]) -> Iterator[None]:
    """A client that waits for a call, until it is killed at the end of the block."""
    create = f"create or replace temporary procedure wait() returns string {HEADER}{WAITING}$$"
    script = f"""
import snowflake.connector
connection = snowflake.connector.connect(**{settings!r})
cursor = connection.cursor()
cursor.execute({create!r})
cursor.execute("call wait()")
"""
    client = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        client.kill()
        client.wait()


def test_a_query_that_a_procedure_leaves_behind_ends_with_it_and_its_caller_goes_on(cursor):
    left = """
def main(session):
    rows = "table(generator(rowcount => 1000000))"
    session.sql(f"select count(*) from {rows} a, {rows} b, {rows} c").collect_nowait()
    return "left"
"""
    define(cursor, "leaves()", "returns string", left)
    body = """
def main(session):
    return session.call("leaves"), session.call("leaves"), session.sql("select 1").collect()[0][0]
"""
    define(cursor, "goes_on()", "returns array", body)
    assert json.loads(cursor.execute("call goes_on()").fetchone()[0]) == ["left", "left", 1]


def test_a_call_ends_with_its_client(warehouse, place, session):
    session.sql("drop table if exists waits").collect()
    with waiting_client(warehouse.settings | {"database": place}):
        wait_until(lambda: session.sql("show tables like 'waits'").collect())
    wait_until(lambda: not handlers_of())


def test_permanent_procedures_outlive_the_server_and_a_stopped_server_leaves_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))
    settings = {**connection_settings(), "schema": "PUBLIC", **TIMEOUTS}
    with snowflake.connector.connect(**settings) as connection:
        cursor = connection.cursor()
        body = "def main(session):\n    return 'here'\n"
        cursor.execute(f"create procedure lasting() returns string {HEADER}{body}$$")
        define(cursor, "passing()", "returns string", body)
    with waiting_client(settings):
        wait_until(handlers_of)
        processes = handlers_of()
        control.stop()
        assert not any(process.is_running() for process in processes)
    # An environment without Snowpark.
    venv.create(tmp_path / "bare", symlinks=True)
    monkeypatch.setenv("DP_LOCAL_PYTHON", str(tmp_path / "bare" / "bin" / "python"))
    try:
        with snowflake.connector.connect(**{**settings, **connection_settings()}) as connection:
            cursor = connection.cursor()
            with pytest.raises(ProgrammingError, match=r"(?s)/bare.*lacks snowflake-snowpark"):
                cursor.execute("call lasting()")
            with pytest.raises(ProgrammingError, match="Unknown procedure PASSING"):
                cursor.execute("call passing()")
    finally:
        control.stop()


def test_procedures_are_shown_described_commented_and_dropped(cursor, place):
    body = "def main(session, x):\n    return x\n"
    cursor.execute(f'create procedure {place}.public."Told"(x int) returns int {HEADER}{body}$$')
    with pytest.raises(ProgrammingError, match="already exists"):
        cursor.execute(f'create procedure "Told"(x int) returns int {HEADER}{body}$$')
    cursor.execute(f'create procedure "Told"(x string) returns string {HEADER}{body}$$')
    cursor.execute("comment on procedure \"Told\"(string) is 'of text'")
    shown = cursor.execute("show procedures like 'told' in schema public").fetchall()
    names = [column.name for column in cursor.description]
    assert [dict(zip(names, row, strict=True))["description"] for row in shown] == [
        "user-defined procedure",
        "of text",
    ]
    properties = dict(cursor.execute('describe procedure "Told"(int)').fetchall())
    assert (properties["returns"], properties["body"].strip()) == ("NUMBER(38,0)", body.strip())
    assert cursor.execute("call \"Told\"('7')").fetchone() == ("7",)
    cursor.execute('drop procedure "Told"(int)')
    cursor.execute('drop procedure if exists "Told"(int)')
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute('describe procedure "Told"(int)')
    with pytest.raises(ProgrammingError, match="Unknown procedure NOWHERE"):
        cursor.execute("call nowhere(1)")


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("create procedure p() returns int as 'begin return 1; end'", "A procedure in SQL"),
        ("create procedure p() returns int language java handler = 'a.b' as ''", "JAVA"),
        ("execute immediate 'select 1'", "EXECUTE IMMEDIATE"),
        ("alter procedure p() execute as caller", "ALTER PROCEDURE"),
        ("with p as procedure () returns int as 'x' call p()", "An anonymous procedure"),
    ],
)
def test_what_is_not_here_is_refused_by_name(cursor, statement, feature):
    with pytest.raises(ProgrammingError, match=f"{feature}.*is not in the embedded warehouse"):
        cursor.execute(statement)
