"""A run's partitions as conditions that Sling understands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from factories.core.meta.partitions import TIMESTAMP, UnreadableWindowError, Window
from factories.sling.replications import Stream


def windowed(stream: Stream, covered: Window | tuple[str, ...]) -> dict[str, Any]:
    """Return a stream's config with what limits it to the covered partitions.

    The window is half-open, start <= x < end, so it goes to Sling as a condition: a backfill's
    `range` includes both ends, and a row on a bound would be loaded by two partitions. Rows are
    merged by the primary key alone; with an update key Sling would skip rows older than the
    newest that it has loaded, which a backfill is made of.

    Args:
        stream: A stream with a partition.
        covered: A window of time, or keys of static partitions.

    Raises:
        UnreadableWindowError: When the stream has no column to limit.
    """
    partition = stream.meta.partition
    column = (partition.column if partition else None) or stream.settings.update_key
    if column is None:
        raise UnreadableWindowError(f"{stream.name}: no column says which partition a row is in")
    condition = _condition(column, covered)
    config = dict(stream.config)
    config.pop("update_key", None)
    config["mode"] = "incremental"
    if query := config.get("sql"):
        # On lines of its own: the user's text may end in a comment.
        inner = query.rstrip().rstrip(";")
        config["sql"] = f"select * from (\n{inner}\n) windowed where {condition}"  # noqa: S608 - the user's own query and a quoted literal
    elif own := config.get("where"):
        config["where"] = f"({own}\n) and {condition}"
    else:
        config["where"] = condition
    return config


def _condition(column: str, covered: Window | tuple[str, ...]) -> str:
    if isinstance(covered, Window):
        return f"{column} >= {_moment(covered.start)} and {column} < {_moment(covered.end)}"
    keys = ", ".join(_literal(key) for key in covered)
    return f"{column} in ({keys})"


def _moment(moment: datetime) -> str:
    """Return the wall time in the partitions' own zone, as source columns without zone hold it."""
    return _literal(moment.strftime(TIMESTAMP))


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
