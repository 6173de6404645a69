"""What functions leave behind in a server that goes on for weeks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from local_snowflake.routines.definitions import FUNCTION, Argument, Routine
from local_snowflake.routines.duck_functions import SESSION_VARIABLE, call_sql
from local_snowflake.routines.handler_processes.environment import HandlerEnvironment
from local_snowflake.routines.workers import FunctionWorkers, function_key
from local_snowflake.sql.names import Name
from local_snowflake.sql.types import SnowflakeType

NUMBER = SnowflakeType("NUMBER")


@pytest.fixture
def duck() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def workers(duck: DuckDBPyConnection, tmp_path: Path) -> Iterator[FunctionWorkers]:
    environment = HandlerEnvironment(tmp_path / "handlers", tmp_path / "stages")
    yield FunctionWorkers(duck.cursor(), environment, [])
    environment.close()


def function(name: str, *, arguments: int = 1) -> Routine:
    """A function that gives the sum of its arguments."""
    return Routine(
        kind=FUNCTION,
        name=Name("DB", "PUBLIC", name),
        arguments=tuple(Argument(f"A{i}", NUMBER) for i in range(arguments)),
        returns=NUMBER,
        columns=(),
        handler="main",
        body="def main(*values):\n    return sum(values)",
        runtime_version="3.11",
        packages=(),
        imports=(),
    )


def called(duck: DuckDBPyConnection, routine: Routine, session: int) -> int:
    """What a function of a session gives for ones."""
    with duck.cursor() as connection:
        connection.execute(f"SET VARIABLE {SESSION_VARIABLE} = {session}")
        ones = ["CAST(1 AS BIGINT)"] * len(routine.arguments)
        sql = call_sql(routine, function_key(routine, session), ones)
        return int(connection.execute(f"SELECT {sql}").fetchall()[0][0])


def test_temporary_functions_leave_nothing_behind(
    duck: DuckDBPyConnection, workers: FunctionWorkers, tmp_path: Path
):
    known = "SELECT count(*) FROM duckdb_functions()"
    built_in = duck.execute(known).fetchall()[0][0]
    made = []
    for session in range(100):
        routine = function(f"F_{session}", arguments=1 + session % 10)
        workers.define(routine, session)
        if session in {0, 50}:
            assert called(duck, routine, session) == len(routine.arguments)
        workers.drop(routine, session)
        workers.end_session(session)
        made.append(weakref.ref(routine))
        del routine
    gc.collect()
    assert [routine() for routine in made] == [None] * 100
    assert duck.execute(known).fetchall()[0][0] == built_in + 1
    assert not list((tmp_path / "handlers").iterdir())


def test_a_stopped_session_computes_nothing_until_its_next_statement(
    duck: DuckDBPyConnection, workers: FunctionWorkers
):
    routine = function("F")
    workers.define(routine, 1)
    workers.stop(1)
    with pytest.raises(duckdb.Error, match="SQL execution canceled"):
        called(duck, routine, 1)
    workers.begin_statement(1)
    assert called(duck, routine, 1) == 1
    workers.stop(1)
    workers.end_session(1)
    assert called(duck, routine, 1) == 1  # nothing is kept of a session that has ended
    workers.end_session(1)
