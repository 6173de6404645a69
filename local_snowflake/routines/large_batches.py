"""Computes functions in Python over the rows of simple queries in large batches.

DuckDB calls a function with 2,048 rows at most, and a call of scikit-learn takes about 15 ms even
for few rows. So for a statement `SELECT keys, f(columns) FROM … WHERE …`, also inside `SELECT *`,
INSERT or CREATE TABLE, a second connection reads the keys and the arguments, and the statement
reads the keys with the results as they are computed. The second connection sees committed rows
only: in an open transaction, over temporary tables, and in all other statements DuckDB calls the
function.
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
from local_snowflake.routines.duck_functions import SESSION_VARIABLE, FunctionCall, parse_call
from local_snowflake.sql.quoting import sql_identifier, sql_literal

BATCH_ROWS = 61_440
"""The rows of a batch: half of what DuckDB stores in a row group."""

BATCH_BYTES = 32 * 1024 * 1024
"""The size from which a batch is computed although it has fewer rows."""

_READ_ROWS = 2048
_PLAIN = {"expressions", "from_", "joins", "laterals", "where", "with_"}
# Types that Arrow returns unchanged.
_KEPT_BY_ARROW = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "VARCHAR",
    "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def in_large_batches(statement: Expr, session: RoutineContext) -> Expr:
    """Let functions be computed in large batches, if the statement is simple enough.

    Args:
        statement: A statement in DuckDB's dialect that is about to run; it may be changed.
        session: The session that runs it.
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
    """Return the simple query that calls functions, if the statement is one or reads one."""
    query: Expr | None = statement
    is_insert = isinstance(statement, exp.Insert)
    if is_insert or statement.args.get("kind") == "TABLE":
        query = statement.args.get("expression")
    while (inner := _inner_query(query)) is not None:
        query = inner
    if not isinstance(query, exp.Select) or not any(map(_call_of, query.expressions)):
        return None
    names = [item.alias_or_name.upper() for item in query.expressions]
    is_plain = (
        query.args.get("from_")
        and not query.is_star
        and _parts(query) <= _PLAIN
        and (is_insert or (all(names) and len(names) == len(set(names))))
        # What the query inside cannot know.
        and (query is statement or not statement.args.get("with_"))
        and not statement.args.get("seed")
        and not query.find(exp.Placeholder)
    )
    return query if is_plain else None


def _inner_query(query: Expr | None) -> Expr | None:
    """Return the query inside `SELECT * FROM (…)` or parentheses."""
    found: Expr | None = None
    if isinstance(query, exp.Subquery) and _parts(query) <= {"this", "alias"}:
        found = query.this
    elif isinstance(query, exp.Select) and query.expressions == [exp.Star()]:
        found = query.args["from_"].this if _parts(query) == {"expressions", "from_"} else None
    return found if isinstance(found, exp.Query) else None


def _parts(query: Expr) -> set[str]:
    return {part for part, value in query.args.items() if value}


def _call_of(item: Expr) -> FunctionCall | None:
    """Return the function call that is a column by itself: others may not always be computed."""
    item = item.unalias()
    while isinstance(item, exp.Cast):
        item = item.this
    return parse_call(item)


class _Reading:
    """Reads a query on a second connection and computes its function calls.

    Args:
        session: The session that runs the query.
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
        """Register keys and results as a view on the session's connection; return its query.

        Returns None if it needs objects that only the session's connection sees, or a type that
        Arrow does not have.
        """
        results = [self._functions.result_type(call.key) for call in self._calls]
        try:
            self._set_up()
            rows = self._duck.sql(self._reading_sql())
            kinds = {str(kind).partition("(")[0] for kind in rows.types[: self._keys]}
            if None in results or not kinds <= _KEPT_BY_ARROW:
                return None
            reader = rows.to_arrow_reader(_READ_ROWS)
        except duckdb.Error:  # if the statement is wrong, DuckDB reports it when it runs
            return None
        types = [*reader.schema.types[: self._keys], *results]
        schema = pa.schema([(f"c{i}", kind) for i, kind in enumerate(types)])
        computed = pa.RecordBatchReader.from_batches(schema, self._computed(reader, schema))
        self._session.duck.complete()
        self._session.duck.register(self._name, computed)
        return self._query_of_results(rows.columns)

    def end(self) -> None:
        """Stop reading."""
        self._session.readers.remove(self._duck)
        self._session.duck.complete()
        self._session.duck.unregister(self._name)
        self._duck.interrupt()
        self._duck.close()

    def _set_up(self) -> None:
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
        for table in self._batches(reader):
            columns = table.columns[: self._keys]
            given = iter(table.columns[self._keys :])
            for call in self._calls:
                arguments = list(islice(given, len(call.arguments))) or table.columns[:1]
                columns.append(self._functions.compute(self._session.number, call.key, arguments))
            yield from pa.table(columns, schema=schema).to_batches()

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
        waiting: list[Any] = []
        try:
            for batch in reader:
                waiting.append(batch)
                rows, size = len(waiting) * _READ_ROWS, sum(part.nbytes for part in waiting)
                if rows >= BATCH_ROWS or size >= BATCH_BYTES:
                    yield pa.Table.from_batches(waiting)
                    waiting = []
        except (OSError, pa.ArrowException) as error:  # Arrow's form of DuckDB's errors
            self._functions.record_failure(self._session.number, error_from_stream(str(error)))
            raise
        if waiting:
            yield pa.Table.from_batches(waiting)
