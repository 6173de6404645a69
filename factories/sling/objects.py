"""Names of streams and of the tables they load."""

from __future__ import annotations

import re
from dataclasses import dataclass

from factories.keys import key_part

TEMPLATE = re.compile(r"\{([a-z_]+)\}")
PART = re.compile(r'"([^"]+)"|([^.]+)')
FILE = re.compile(r"^[a-z0-9+]+://|[/\\]|\.(csv|json|jsonl|jsonlines|parquet|xml|xlsx|avro|gz)$")


@dataclass(frozen=True)
class StreamName:
    """What a stream's name says.

    Attributes:
        schema: The source's schema; empty for files and queries.
        table: The source's table, the query's name, or the file's name without its ending.
        file: Whether it is a file.
    """

    schema: str
    table: str
    file: bool = False


def parse_stream(name: str, *, is_query: bool = False) -> StreamName:
    """Read a stream's name: `table`, `schema.table`, `database.schema.table` or a file.

    Example:
        >>> parse_stream("ops.flights")
        StreamName(schema='ops', table='flights', file=False)
    """
    if not is_query and FILE.search(name):
        return StreamName("", re.split(r"[/\\]", name.rstrip("/\\"))[-1].split(".")[0], file=True)
    parts = [quoted or plain for quoted, plain in PART.findall(name)]
    return StreamName(parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


class ObjectError(ValueError):
    """An `object` that names no table."""


@dataclass(frozen=True)
class TargetTable:
    """A table of the warehouse, in logical names: the target's suffixes come later."""

    schema: str
    table: str
    database: str | None = None


def resolve_object(template: str, stream: StreamName, source: str) -> TargetTable:
    """Return the table that an `object` stands for.

    The variables are Sling's, of its documentation's page «Runtime Variables»; those that depend
    on the time of the run are refused, for an asset is one table.

    Raises:
        ObjectError: When a variable is unknown or the result is not `schema.table`.
    """
    table = key_part(stream.table) if stream.file else stream.table
    values = {
        "stream_table": "" if stream.file else table,
        "stream_schema": stream.schema,
        "stream_file_name": table if stream.file else "",
        "source_name": source.lower(),
        "target_name": "snowflake",
    }
    for name in ("stream_table", "stream_schema"):
        values[f"{name}_lower"] = values[name].lower()
        values[f"{name}_upper"] = values[name].upper()

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            raise ObjectError(
                f"object: {{{match[1]}}} is not known here; allowed are "
                + ", ".join(f"{{{known}}}" for known in values)
            )
        if not value:
            raise ObjectError(f"object: {{{match[1]}}} is empty for this stream: write the name")
        return value

    text = TEMPLATE.sub(replace, template)
    parts = [quoted or plain for quoted, plain in PART.findall(text)]
    if "{" in text or not 2 <= len(parts) <= 3:  # noqa: PLR2004 - schema.table or database.schema.table
        raise ObjectError(f"object: {template!r} does not give schema.table")
    return TargetTable(parts[-2], parts[-1], parts[0] if len(parts) > 2 else None)  # noqa: PLR2004
