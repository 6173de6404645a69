"""Functions in Python over the rows of a plain query, in batches that are worth a call.

DuckDB calls a function with 2,048 rows at most, and scikit-learn takes some 15 ms for any call. So
where a statement is `SELECT keys, f(columns) FROM … WHERE …`, by itself, below `SELECT *`, or as
what INSERT or CREATE TABLE takes, a second connection reads the keys and the arguments, and the
statement reads the keys with the results as they are computed. The second connection sees what is
committed: in an open transaction, over temporary tables, and in all other statements DuckDB calls
the function.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
from sqlglot import Expr, exp

from local_snowflake.engine.errors import error_from_stream
from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.duck_functions import SESSION_VARIABLE, Called, called_by
from local_snowflake.sql.quoting import sql_identifier, sql_literal

BATCH_ROWS = 61_440
"""How many rows are computed at once: half of those that DuckDB stores together."""

BATCH_BYTES = 32 * 1024 * 1024
"""How large rows get for which no more are waited for."""

_READ_ROWS = 2048
_PLAIN = {"expressions", "from_", "joins", "laterals", "where", "with_"}
# What Arrow gives back as it was.
_KEPT_BY_ARROW = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "VARCHAR",
    "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def in_large_batches(statement: Expr, session: RoutineContext) -> Expr:
    """The statement with its calls computed in large batches, where it is as plain as that.

    Args:
        statement: A statement in DuckDB's language that is about to run; it may be changed.
        session: Where it runs.
    """
    query = _plain_query(statement)
    if query is None or session.transactions.is_open:
        return statement
    reading = _Reading(session, query)
    session.after_statement.append(reading.end)
    replacement = reading.begin()
    if replacement is None:
        return statement
    replaced = query.replace(replacement)
    return replaced if query is statement else statement


def _plain_query(statement: Expr) -> exp.Select | None:
    """The query that calls functions for each of its rows, if the statement is one or reads one."""
    query: Expr | None = statement
    is_insert = isinstance(statement, exp.Insert)
    if is_insert or statement.args.get("kind") == "TABLE":
        query = statement.args.get("expression")
    while (inner := _read_whole_by(query)) is not None:
        query = inner
    if not isinstance(query, exp.Select) or not any(map(_call_of, query.expressions)):
        return None
    names = [item.alias_or_name.upper() for item in query.expressions]
    is_plain = (
        query.args.get("from_")
        and not query.is_star
        and _parts(query) <= _PLAIN
        and (is_insert or (all(names) and len(names) == len(set(names))))
        # What only the statement knows.
        and (query is statement or not statement.args.get("with_"))
        and not statement.args.get("seed")
        and not query.find(exp.Placeholder)
    )
    return query if is_plain else None


def _read_whole_by(query: Expr | None) -> Expr | None:
    """What a query reads, if it is `SELECT * FROM (…)` or stands in parentheses."""
    found: Expr | None = None
    if isinstance(query, exp.Subquery) and _parts(query) <= {"this", "alias"}:
        found = query.this
    elif isinstance(query, exp.Select) and query.expressions == [exp.Star()]:
        found = query.args["from_"].this if _parts(query) == {"expressions", "from_"} else None
    return found if isinstance(found, exp.Query) else None


def _parts(query: Expr) -> set[str]:
    return {part for part, value in query.args.items() if value}


def _call_of(item: Expr) -> Called | None:
    """The call of a function that is a column by itself; other expressions may not compute it."""
    item = item.unalias()
    while isinstance(item, exp.Cast):
        item = item.this
    return called_by(item)


class _Reading:
    """The rows of a query, read beside the session's connection, with the results of its calls.

    Args:
        session: Whose query it is.
        query: `SELECT keys, f(columns) FROM …`.
    """

    def __init__(self, session: RoutineContext, query: exp.Select) -> None:
        self._session = session
        self._functions = session.warehouse.functions
        self._query = query
        self._calls = [call for item in query.expressions if (call := _call_of(item))]
        self._keys = len(query.expressions) - len(self._calls)
        self._name = f"results {uuid.uuid4().hex}"
        self._duck = session.warehouse.connect()
        session.readers.append(self._duck)

    def begin(self) -> exp.Select | None:
        """Show the session's connection the keys and results, and give the query of them.

        None: it needs what only the session's connection sees, or a type that Arrow has not.
        """
        results = [self._functions.result_type(call.key) for call in self._calls]
        try:
            self._enter()
            rows = self._duck.sql(self._reading_sql())
            kinds = {str(kind).partition("(")[0] for kind in rows.types[: self._keys]}
            if None in results or not kinds <= _KEPT_BY_ARROW:
                return None
            reader = rows.to_arrow_reader(_READ_ROWS)
        except duckdb.Error:  # if the statement is wrong, DuckDB will tell
            return None
        types = [*reader.schema.types[: self._keys], *results]
        schema = pa.schema([(f"c{i}", kind) for i, kind in enumerate(types)])
        computed = pa.RecordBatchReader.from_batches(schema, self._computed(reader, schema))
        self._session.duck.complete()
        self._session.duck.register(self._name, computed)
        return self._query_of_results(rows.columns)

    def end(self) -> None:
        """Read no more."""
        self._session.readers.remove(self._duck)
        self._session.duck.complete()
        self._session.duck.unregister(self._name)
        self._duck.interrupt()
        self._duck.close()

    def _enter(self) -> None:
        database, schema = self._session.database, self._session.schema
        if database and schema:
            place = sql_literal(sql_identifier(database, schema))
            self._duck.execute(f"SET schema = {place}").fetchall()
        self._duck.execute(f"SET VARIABLE {SESSION_VARIABLE} = {self._session.number}").fetchall()

    def _reading_sql(self) -> str:
        query = self._query.copy()
        keys = [item for item in query.expressions if _call_of(item) is None]
        given = [argument for call in self._calls for argument in call.arguments]
        named = [exp.alias_(item, f"argument {i}", quoted=True) for i, item in enumerate(given)]
        return query.select(*keys, *named, append=False).sql(dialect="duckdb")

    def _query_of_results(self, names: list[str]) -> exp.Select:
        keys, calls = count(), count(self._keys)
        items = []
        for item in self._query.expressions:
            call = _call_of(item)
            number = next(calls if call else keys)
            column = exp.column(f"c{number}", quoted=True)
            if call is None:
                items.append(exp.alias_(column, names[number], quoted=True))
            else:
                call.node.replace(column)
                items.append(item)
        return exp.select(*items).from_(exp.table_(self._name, quoted=True))

    def _computed(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[Any]:
        for table in self._gathered(reader):
            columns = table.columns[: self._keys]
            given = iter(table.columns[self._keys :])
            for call in self._calls:
                arguments = list(islice(given, len(call.arguments))) or table.columns[:1]
                columns.append(self._functions.compute(self._session.number, call.key, arguments))
            yield from pa.table(columns, schema=schema).to_batches()

    def _gathered(self, reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
        waiting: list[Any] = []
        try:
            for batch in reader:
                waiting.append(batch)
                rows, size = len(waiting) * _READ_ROWS, sum(part.nbytes for part in waiting)
                if rows >= BATCH_ROWS or size >= BATCH_BYTES:
                    yield pa.Table.from_batches(waiting)
                    waiting = []
        except (OSError, pa.ArrowException) as error:  # how Arrow passes on DuckDB's
            self._functions.fail(self._session.number, error_from_stream(str(error)))
            raise
        if waiting:
            yield pa.Table.from_batches(waiting)
