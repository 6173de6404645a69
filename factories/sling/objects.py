"""Names of streams and of the tables they load."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from factories.core.meta.keys import key_part
from factories.core.yaml.problems import nearest

TEMPLATE = re.compile(r"\{([a-z_]+)\}")
PART = re.compile(r'"([^"]+)"|([^.]+)')
SCHEME = re.compile(r"^[a-z0-9+]+://", re.IGNORECASE)
FILE = re.compile(
    r"^[a-z0-9+]+://|[/\\]|\.(csv|json|jsonl|jsonlines|parquet|xml|xlsx|avro|gz)$", re.IGNORECASE
)


@dataclass(frozen=True)
class StreamName:
    """What a stream's name says.

    Attributes:
        schema: The source's schema; empty for files and queries.
        table: The source's table, the query's name, or the file's name without its ending.
        file: Whether it is a file.
        database: The source's database, where the name says it.
    """

    schema: str
    table: str
    file: bool = False
    database: str = ""


def parse_stream(name: str, *, is_query: bool = False) -> StreamName:
    """Read a stream's name: `table`, `schema.table`, `database.schema.table` or a file.

    A pattern of files is named after the folder that holds them.

    Example:
        >>> parse_stream("ops.flights").schema
        'ops'
    """
    if not is_query and FILE.search(name):
        steps = re.split(r"[/\\]+", SCHEME.sub("", name).rstrip("/\\"))
        plain = [step for step in steps if "*" not in step]
        return StreamName("", plain[-1].split(".")[0] if plain else "", file=True)
    parts = name_parts(name)
    database, schema, table = [*[""] * (3 - len(parts)), *parts][-3:]
    return StreamName(schema, table, database=database)


def name_parts(name: str) -> list[str]:
    """Return the parts of a dotted name, without their quotes.

    Example:
        >>> name_parts('ops."my.table"')
        ['ops', 'my.table']
    """
    return [quoted or plain for quoted, plain in PART.findall(name)]


def has_empty_part(name: str) -> bool:
    """Tell whether a dotted name has nothing before, between or after its dots.

    Example:
        >>> has_empty_part("ops."), has_empty_part('ops."a..b"')
        (True, False)
    """
    return "" in PART.sub("x", name).split(".")


class ObjectError(ValueError):
    """An `object` that names no table.

    Attributes:
        inherited: Whether the template itself is wrong, and not only wrong for this stream.
        allowed: The variables that it may hold, when it holds another.
        nearest: The one that was most likely meant.
    """

    def __init__(
        self,
        message: str,
        *,
        inherited: bool = False,
        allowed: Sequence[str] = (),
        nearest: str | None = None,
    ) -> None:
        super().__init__(message)
        self.inherited = inherited
        self.allowed = allowed
        self.nearest = nearest


@dataclass(frozen=True)
class TargetTable:
    """A table of the warehouse, in logical names: the target's suffixes come later."""

    schema: str
    table: str
    database: str | None = None


def resolve_object(template: str, stream: StreamName, source: str) -> TargetTable:
    """Return the table that an `object` stands for.

    The variables are Sling's, of its documentation's page «Runtime Variables»; those that depend
    on the time of the run are refused, because an asset is one table.

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
                f"object: the variable {{{match[1]}}} is not known here",
                inherited=True,
                allowed=[f"{{{known}}}" for known in values],
                nearest=f"{{{near}}}" if (near := nearest(match[1], values)) else None,
            )
        if not value:
            raise ObjectError(
                f"object: {{{match[1]}}} of {template!r} is empty for this stream: write the name"
            )
        return value

    text = TEMPLATE.sub(replace, template)
    parts = name_parts(text)
    if "{" in text or not 2 <= len(parts) <= 3:  # noqa: PLR2004 - schema.table or database.schema.table
        raise ObjectError(f"object: {template!r} does not give schema.table", inherited=True)
    return TargetTable(parts[-2], parts[-1], parts[0] if len(parts) > 2 else None)  # noqa: PLR2004
