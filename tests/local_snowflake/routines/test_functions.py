"""Functions in Python, by the real Snowpark client and by plain SQL."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psutil
import pytest
import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import DatabaseError, ProgrammingError
from snowflake.snowpark import Row, Session
from snowflake.snowpark import functions as F  # noqa: N812 - as Snowpark's documentation has it
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import FloatType, IntegerType, PandasSeriesType, StringType

from local_snowflake.process import control
from local_snowflake.target import connection_settings
from tests.conftest import TIMEOUTS, WarehouseUnderTest
from tests.local_snowflake.handlers import define, handlers_of, wait_until


@pytest.fixture(scope="module")
def place(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """A database that the tests of this module share."""
    name = f"F_{uuid.uuid4().hex[:8]}".upper()
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


def test_a_registered_function_is_called_in_any_expression(session):
    session.udf.register(
        lambda x: None if x is None else x + 1,
        name="plus_one",
        return_type=IntegerType(),
        input_types=[IntegerType()],
    )
    session.create_dataframe([[1], [2], [None]], schema=["n"]).write.save_as_table("numbers")
    frame = session.table("numbers").filter(F.call_udf("plus_one", F.col("n")) > 2)
    assert frame.collect() == [Row(N=2)]
    query = session.sql(
        "select n, plus_one(plus_one(n)) as twice from numbers "
        "where plus_one(n) is not null order by plus_one(n) desc"
    )
    assert query.collect() == [Row(N=2, TWICE=4), Row(N=1, TWICE=3)]
    first = session.sql(
        "select n from numbers qualify row_number() over (order by plus_one(n)) = 1"
    )
    assert first.collect() == [Row(N=1)]
    assert session.sql("select plus_one(null)").collect()[0][0] is None
    assert session.sql("select plus_one(?)", params=[4]).collect()[0][0] == 5


def test_a_vectorized_function_gets_pandas_batches(session):
    total = F.pandas_udf(
        lambda *columns: sum(columns) + len(columns[0]) * 0,
        return_type=PandasSeriesType(FloatType()),
        input_types=[PandasSeriesType(FloatType())] * 15,
        session=session,
    )
    columns = ", ".join(f"(seq4() + {i})::float as c{i}" for i in range(15))
    session.sql(
        f"create temporary table wide as select {columns} from table(generator(rowcount => 5000))"
    ).collect()
    summed = session.table("wide").select(total(*[f"c{i}" for i in range(15)]).alias("y"))
    expected = 15 * sum(range(5000)) + 5000 * sum(range(15))
    assert summed.agg(F.sum("y")).collect()[0][0] == expected


def test_the_batches_of_a_vectorized_function_have_a_size_and_numbered_columns(cursor):
    body = """
import pandas
from _snowflake import vectorized

@vectorized(input=pandas.DataFrame, max_batch_size=100)
def main(df):
    assert list(df.columns) == [0, 1]
    return df[0].map(lambda _: len(df)) + df[1]
"""
    define(cursor, "sizes(a int, b int)", "int", body)
    cursor.execute(
        "select max(size) from (select sizes(seq4(), 0) as size "
        "from table(generator(rowcount => 1000)))"
    )
    assert cursor.fetchone() == (100,)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("int", "7", 7),
        ("number(10, 2)", "1.25", Decimal("1.25")),
        ("float", "1.5", 1.5),
        ("string", "'it''s'", "it's"),
        ("boolean", "true", True),
        ("date", "'2024-01-02'::date", date(2024, 1, 2)),
        ("timestamp_ntz", "'2024-01-02 03:04:05'", datetime(2024, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - NTZ
        ("binary", "to_binary('00FF', 'hex')", b"\x00\xff"),
        ("variant", "parse_json('{\"a\": [1, null]}')", '{"a": [1, null]}'),
        ("array", "[1, 2]", "[1, 2]"),
        ("object", "{'a': 1}", '{"a": 1}'),
    ],
)
def test_values_of_every_type_go_in_and_out(cursor, kind, value, expected):
    name = f"same_{kind.partition('(')[0]}"
    define(cursor, f"{name}(x {kind}, expected string)", kind, _SAME)
    cursor.execute(f"select {name}({value}, %s), {name}(null, 'None')", (repr_of(kind, expected),))
    row = cursor.fetchone()
    assert (row[0].replace(" ", "") if kind in _JSON else row[0]) == (
        expected.replace(" ", "") if kind in _JSON else expected
    )
    assert row[1] is None


_JSON = {"variant", "array", "object"}
_SAME = """
def main(x, expected):
    assert repr(x) == expected, repr(x)
    return x
"""


def repr_of(kind: str, expected: object) -> str:
    """What the handler must see."""
    return (
        str(expected).replace("null", "None").replace('"', "'") if kind in _JSON else repr(expected)
    )


def test_null_is_passed_on_unless_the_function_is_strict(cursor):
    body = "def main(x):\n    return 'none' if x is None else 'some'"
    define(cursor, "nothing(x int)", "string", body)
    define(cursor, "strictly(x int)", "string", body, more="strict")
    assert cursor.execute("select nothing(null), strictly(null), strictly(1)").fetchone() == (
        "none",
        None,
        "some",
    )


def test_an_exception_is_a_sql_error_and_the_session_goes_on(cursor):
    drawn = "import random\ndef main():\n    return random.random()"
    define(cursor, "drawn()", "float", drawn)
    cursor.execute("select count(distinct drawn()) from table(generator(rowcount => 100))")
    assert cursor.fetchone() == (100,)
    define(cursor, "inverse(x float)", "float", "def main(x):\n    return 1 / x")
    with pytest.raises(
        ProgrammingError, match=r"(?s)Traceback.*line 3, in main.*ZeroDivisionError"
    ):
        cursor.execute("select inverse(0)")
    assert cursor.execute("select inverse(2)").fetchone() == (0.5,)
    define(cursor, "quits(x int)", "int", "import os\ndef main(x):\n    os._exit(3)")
    with pytest.raises(ProgrammingError, match="did not come to its end"):
        cursor.execute("select quits(1)")
    define(cursor, "broken(x int)", "int", "import no_such_module\ndef main(x):\n    return x")
    with pytest.raises(ProgrammingError, match="No module named 'no_such_module'"):
        cursor.execute("select broken(1)")


def test_functions_are_told_apart_by_their_arguments(cursor):
    define(cursor, "what(x int)", "string", "def main(x):\n    return f'int {x}'")
    define(cursor, "what(x string)", "string", "def main(x):\n    return f'string {x}'")
    define(cursor, "what(x int, y int)", "string", "def main(x, y):\n    return f'both {x} {y}'")
    cursor.execute(
        "select what(1), what('1'), what(a), what(b), what(1, 2), what(y => 2, x => 3) "
        "from (select 5 as a, 'five' as b)"
    )
    assert cursor.fetchone() == (
        "int 1", "string 1", "int 5", "string five", "both 1 2", "both 3 2",
    )  # fmt: skip
    cursor.execute("drop function what(string)")
    with pytest.raises(ProgrammingError, match="INT64"):
        cursor.execute("select what('five')")
    with pytest.raises(ProgrammingError, match=r"Unknown user-defined function WHAT\(\?, \?, \?\)"):
        cursor.execute("select what(1, 2, 3)")


def test_names_may_be_quoted_and_qualified(cursor, place):
    cursor.execute("create schema other")
    cursor.execute("use schema public")
    body = "def main():\n    return '{}'"
    define(cursor, f'{place}.other."mixed Case"()', "string", body.format("quoted"))
    define(cursor, "other.elsewhere()", "string", body.format("elsewhere"))
    cursor.execute(f'select other."mixed Case"(), {place}.other.elsewhere()')
    assert cursor.fetchone() == ("quoted", "elsewhere")
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("select elsewhere()")


def test_temporary_functions_hide_permanent_ones_and_end_with_their_session(
    cursor, warehouse, place
):
    body = "def main():\n    return '{}'"
    define(cursor, "hidden()", "string", body.format("permanent"), kind="function")
    cursor.execute("create view sees_hidden as select hidden() as h")
    define(cursor, "hidden()", "string", body.format("temporary"))
    assert cursor.execute("select hidden()").fetchone() == ("temporary",)
    assert warehouse.rows("select hidden(), h from sees_hidden", database=place) == [
        ("permanent", "permanent")
    ]
    cursor.execute("drop function hidden()")
    assert cursor.execute("select hidden()").fetchone() == ("permanent",)
    define(cursor, "hidden()", "string", body.format("replaced"), kind="function")
    assert cursor.execute("select hidden(), h from sees_hidden").fetchone() == ("replaced",) * 2
    with pytest.raises(ProgrammingError, match="already exists"):
        cursor.execute(
            "create function hidden() returns string language python runtime_version = 3.11 "
            "handler = 'main' as 'def main(): return 1'"
        )


_READS_IMPORTS = """
import sys
import helper
import packed

def compute(x):
    folder = sys._xoptions["snowflake_import_directory"]
    with open(folder + "data.txt") as file:
        return x * helper.FACTOR * int(file.read()) + packed.SUMMAND
"""


def test_imports_are_on_the_path_and_in_the_import_directory(session, tmp_path: Path):
    (tmp_path / "handler.py").write_text(_READS_IMPORTS)
    (tmp_path / "helper.py").write_text("FACTOR = 3\n")
    (tmp_path / "data.txt").write_text("4")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed/__init__.py", "SUMMAND = 100\n")

    session.sql("create or replace stage code").collect()
    session.udf.register_from_file(
        str(tmp_path / "handler.py"),
        "compute",
        name="imported",
        return_type=IntegerType(),
        input_types=[IntegerType()],
        is_permanent=True,
        stage_location="@code",
        replace=True,
        imports=[str(tmp_path / name) for name in ("helper.py", "data.txt", "packed.zip")],
    )
    assert session.sql("select imported(2)").collect()[0][0] == 124
    session.sql("drop stage code").collect()


def test_a_large_function_comes_as_a_file_in_a_stage(session):
    # More than 8 KB of code: it is not written into the statement.
    values = {str(i): i for i in range(3000)}
    look_up = session.udf.register(
        lambda key: values[key], return_type=IntegerType(), input_types=[StringType()]
    )
    frame = session.create_dataframe([["17"]], schema=["k"]).select(look_up("k"))
    assert frame.collect()[0][0] == 17


def test_packages_are_those_of_the_environment(session, cursor):
    listed = session.sql("select * from information_schema.packages where package_name = 'pandas'")
    assert listed.collect()[0]["VERSION"] == pd.__version__
    with pytest.raises(ProgrammingError, match="no-such-package is not installed in the envir"):
        define(
            cursor,
            "f(x int)",
            "int",
            "def main(x): return x",
            more="packages = ('no-such-package')",
        )
    define(cursor, "f(x int)", "int", "def main(x): return x", more="packages = ('pandas==1.0')")
    assert cursor.execute("select f(1)").fetchone() == (1,)


def test_functions_are_shown_described_and_dropped(cursor):
    define(cursor, "told(x int, y string)", "float", "def main(x, y): return x", kind="function")
    shown = cursor.execute("show user functions like 'told'").fetchall()
    names = [column.name for column in cursor.description]
    row = dict(zip(names, shown[0], strict=True))
    assert (row["name"], row["language"]) == ("TOLD", "PYTHON")
    assert row["arguments"] == "TOLD(NUMBER, VARCHAR) RETURN FLOAT"
    properties = dict(cursor.execute("describe function told(int, string)").fetchall())
    assert properties["signature"] == "(X NUMBER, Y VARCHAR)"
    assert properties["returns"] == "FLOAT"
    cursor.execute("drop function told(number, varchar)")
    cursor.execute("drop function if exists told(number, varchar)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("drop function told(number, varchar)")


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("function f(x int) returns int as 'x + 1'", "A function in SQL"),
        ("function f(x int) returns int language javascript as 'return 1'", "JAVASCRIPT"),
        ("function f(x int) returns table (y int) language python handler = 'F' as ''", "UDTF"),
        ("aggregate function f(x int) returns int language python handler = 'F' as ''", "UDAF"),
        ("function f() returns vector(int, 3) language python handler = 'f' as ''", "VECTOR"),
        (
            "function f() returns int language python handler = 'f' secrets = ('a' = b) as ''",
            "SECRETS",
        ),
        ("function normalize() returns int language python handler = 'f' as ''", "a built-in"),
    ],
)
def test_what_is_not_here_is_refused_by_name(cursor, statement, feature):
    with pytest.raises(ProgrammingError, match=f"{feature}.*is not in the embedded warehouse"):
        cursor.execute(f"create {statement}")


def test_a_function_in_a_transaction_leaves_it_open(session):
    session.udf.register(
        lambda x: 1 // x, name="inverted", return_type=IntegerType(), input_types=[IntegerType()]
    )
    session.sql("create or replace table kept (a int)").collect()
    session.sql("begin").collect()
    session.sql("insert into kept select inverted(1)").collect()
    assert session.sql("select inverted(a) from kept").collect()[0][0] == 1
    session.sql("rollback").collect()
    assert session.table("kept").count() == 0
    with pytest.raises(SnowparkSQLException, match="ZeroDivisionError"):
        session.sql("insert into kept select inverted(0)").collect()


def test_a_function_that_does_not_end_is_cancelled_with_its_query(cursor, session):
    define(cursor, "forever(x int)", "int", "import time\ndef main(x):\n    time.sleep(1000)")
    before = len(handlers_of())
    cursor.execute_async("select forever(1)")
    query = cursor.sfqid
    wait_until(lambda: len(handlers_of()) > before)
    connection = cursor.connection
    connection.rest.request(f"/queries/{query}/abort-request", {}, method="post")
    wait_until(lambda: not connection.is_still_running(connection.get_query_status(query)))
    with pytest.raises(DatabaseError, match="000604"):
        cursor.get_results_from_sfqid(query)
    assert cursor.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_function_is_dropped_while_another_session_computes_it(
    cursor, warehouse, place, tmp_path: Path, is_cancelled
):
    body = f"""
import pathlib, time
def main(x):
    pathlib.Path({str(tmp_path / "started")!r}).touch()
    while not pathlib.Path({str(tmp_path / "released")!r}).exists():
        time.sleep(0.01)
    return x
"""
    define(cursor, "waits(x int)", "int", body, kind="function")
    with warehouse.connect(database=place) as connection:
        other = connection.cursor()
        other.execute_async(
            "select count(*) from (select seq4() as n from table(generator(rowcount => 5000))) "
            "where waits(n) >= 0"
        )
        query = other.sfqid
        wait_until((tmp_path / "started").exists)
        cursor.execute("drop function waits(int)")
        if is_cancelled:
            connection.rest.request(f"/queries/{query}/abort-request", {}, method="post")
        else:
            (tmp_path / "released").touch()
        wait_until(lambda: not connection.is_still_running(connection.get_query_status(query)))
        reason = "000604" if is_cancelled else r"Unknown user-defined function WAITS\(NUMBER\)"
        with pytest.raises(DatabaseError, match=reason):
            other.get_results_from_sfqid(query)
        assert other.execute("select 1").fetchone() == (1,)
    with pytest.raises(ProgrammingError, match="does not exist"):
        cursor.execute("select waits(1)")


def test_a_process_that_is_killed_is_told_and_replaced(cursor):
    body = """
import os, time
def main(x):
    if x == 1:
        if os.fork() == 0:
            time.sleep(1000)
        os.kill(os.getpid(), 9)
    return x
"""
    define(cursor, "dies(x int)", "int", body)
    before = len(handlers_of())
    with pytest.raises(ProgrammingError, match=r"was killed .* when memory runs out"):
        cursor.execute("select dies(1)")
    assert len(handlers_of()) == before
    assert cursor.execute("select dies(2)").fetchone() == (2,)


def test_the_process_of_a_function_ends_with_its_session_and_with_a_killed_server(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path))
    settings = {**connection_settings(), "schema": "PUBLIC", **TIMEOUTS}
    with snowflake.connector.connect(**settings) as connection:
        define(connection.cursor(), "one()", "int", "def main():\n    return 1")
        connection.cursor().execute("select one()")
        assert len(handlers_of()) == 1
    wait_until(lambda: not handlers_of())
    client = """
import sys, json, snowflake.connector
connection = snowflake.connector.connect(**json.loads(sys.argv[1]))
cursor = connection.cursor()
cursor.execute(sys.argv[2])
cursor.execute("select one()")
print("done", flush=True)
sys.stdin.read()
"""
    create = (
        "create temporary function one() returns int language python runtime_version = 3.11 "
        "handler = 'main' as 'def main(): return 1'"
    )
    command = [sys.executable, "-c", client, json.dumps(settings), create]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"done\n"
        workers = handlers_of()
        psutil.Process(control.status().pid).kill()
        wait_until(lambda: not any(worker.is_running() for worker in workers))
    finally:
        process.kill()
        process.communicate()
