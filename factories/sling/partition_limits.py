"""Builds the condition of a stream that a run limits to partitions, by the source's columns."""

from __future__ import annotations

import json
import subprocess

from factories.core.execution.window import UnreadableWindowError
from factories.sling.objects import StreamName, parse_stream
from factories.sling.partition_condition import find_column
from factories.sling.program import call_sling
from factories.sling.replication_config import ResolvedReplication
from factories.sling.source_columns import StreamColumns, wrap_query
from factories.sling.source_dialects import DIALECTS, Dialect


def build_condition(replication: ResolvedReplication, found: StreamColumns) -> str:
    """Build the condition of the source's SQL that limits a stream to the run's partitions.

    Args:
        replication: What Sling is given.
        found: The stream's columns.

    Raises:
        UnreadableWindowError: When the stream cannot be limited.
    """
    dialect = DIALECTS.get(replication.dialect)
    if dialect is None:
        message = f"partitions need a source with SQL, not {replication.dialect}"
        raise UnreadableWindowError(message)
    limit = replication.limits[found.name]
    if unplaceable := limit.find_unplaceable(found.columns, dialect):
        column = find_column(limit.column, found.columns).name
        _refuse_unplaceable(replication, found.name, column, unplaceable, dialect)
    return limit.build_condition(found.columns, dialect)


def _refuse_unplaceable(
    replication: ResolvedReplication, name: str, column: str, condition: str, dialect: Dialect
) -> None:
    """Refuse a stream with values that no partition has room for."""
    config = replication.streams[name]
    table = _quote_table(parse_stream(name, kind=replication.dialect), dialect)
    query = config.get("sql") or f"select * from {table}"  # noqa: S608 - quoted
    # As text, for Sling takes what a column of times holds for a time.
    value = f"'' || {dialect.quote_name(column)} as value"
    statement = f"select {value} from (\n{wrap_query(query, condition)} limit 1\n) found"  # noqa: S608 - quoted
    arguments = ["conns", "exec", str(replication.settings["source"]), statement]
    try:
        answer = call_sling(replication.binary, arguments, replication.connections, as_json=True)
        [row, *_] = json.loads(answer)["rows"] or [None]
    except (subprocess.CalledProcessError, ValueError, KeyError) as error:
        message = f"the values of the column {column!r} cannot be checked: {error}"
        raise UnreadableWindowError(message) from None
    if row is not None:
        message = (
            f"the column {column!r} holds values that are no dates or times, or dates alone where"
            f" partitions are hours, such as {row[0]!r}"
        )
        raise UnreadableWindowError(message)


def _quote_table(stream: StreamName, dialect: Dialect) -> str:
    parts = (stream.database, stream.schema, stream.table)
    return ".".join(dialect.quote_name(part) for part in parts if part)
