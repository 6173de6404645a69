"""A table that a stream has just loaded, as dagster-sling's event iterator asks about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from factories.core.execution.table_reader import TableReader
from factories.core.warehouse.names import RAW, Relation, WarehouseNames
from factories.sling.objects import name_parts
from factories.sling.replication_log import StreamResult


@dataclass(frozen=True)
class LoadedTable:
    """The table of the stream whose event is being handled.

    Attributes:
        result: How its load ended.
        name: The table, as the event iterator calls it; empty when there is nothing to ask about.
        relation: The same in the target's warehouse; None in another system.
        reader: Looks at it.
        columns: Its columns where they are known.
    """

    result: StreamResult
    name: str
    relation: Relation | None
    reader: TableReader
    columns: Mapping[str, str] | None = None

    def log_lines(self) -> list[str]:
        """Return the lines of a log in which the event iterator finds the table's name."""
        result = self.result
        lines = [f"running stream {result.name}"]
        if self.name:
            seconds = f"{result.seconds:.0f} secs"
            lines.append(f"inserted {result.rows} rows into {self.name} in {seconds}")
        return lines


def parse_relation(table_name: str, names: WarehouseNames, database: str | None = None) -> Relation:
    """Return a table of the warehouse by the name that Sling's log, or SQL, has for it.

    Args:
        table_name: One to three parts; in quotes as Snowflake stores them.
        names: How the target's databases and schemas are called.
        database: That of a name without one; None for the one that everything is loaded into.
    """
    # Without a schema it is in Snowflake's default one.
    *path, table = name_parts(table_name) or [table_name]
    schema = path[-1] if path else "PUBLIC"
    parts = (path[-2] if len(path) > 1 else database or names.database(RAW), schema, table)
    return Relation(*parts if '"' in table_name else map(str.upper, parts))
