"""Names of streams and of the tables they load."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from factories.core.yaml.problems import nearest
from factories.sling.source_types import FILE_TYPES, WITH_BACKTICKS

TEMPLATE = re.compile(r"\{([a-z_]+)\}")
SCHEME = re.compile(r"^[a-z0-9+]+://", re.IGNORECASE)
FILE = re.compile(
    r"^[a-z0-9+]+://|[/\\]|\.(csv|json|jsonl|jsonlines|parquet|xml|xlsx|avro|gz)$", re.IGNORECASE
)
# Outside of quotes Sling takes a text with one of these for a query.
OF_QUERIES = re.compile(r"[\s()']")
NOT_IN_A_NAME = re.compile(r"[^_0-9A-Za-z]+")
# What Sling stores in upper case, where it is not in quotes.
OBJECT_PART = re.compile(r"[\w$-]+")
PATTERN = re.compile(r"[*?]")
QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class StreamName:
    """What a stream's name says.

    Attributes:
        schema: The source's schema; empty for files and queries.
        table: The source's table, the query's name, or what Sling calls the file's name.
        file: Whether it is a file.
        database: The source's database, where the name says it.
        pattern: Whether it stands for several files.
    """

    schema: str
    table: str
    file: bool = False
    database: str = ""
    pattern: bool = False


def parse_stream(name: str, *, is_query: bool = False, kind: str = "") -> StreamName:
    """Read a stream's name: `table`, `schema.table`, `database.schema.table` or a file.

    A pattern of files is named after the folder that holds them.

    Args:
        name: The name.
        is_query: Whether the stream has `sql`.
        kind: The type of its connection, where it is known.

    Example:
        >>> parse_stream("ops.flights").schema
        'ops'
    """
    if _is_file(name, kind, is_query=is_query):
        steps = re.split(r"[/\\]+", SCHEME.sub("", name).rstrip("/\\"))
        plain = [step for step in steps if not PATTERN.search(step)]
        folder = len(plain) < len(steps) or name.endswith(("/", "\\"))
        last = plain[-1] if plain else ""
        table = last if folder else _strip_ending(last)
        return StreamName("", table, file=True, pattern=len(plain) < len(steps))
    quote = find_quote(kind)
    parts = name_parts(name.strip(), quote)
    if is_query and OF_QUERIES.search(_without_quoted(name.strip(), quote)):
        return StreamName("", "")
    database, schema, table = [*[""] * (3 - len(parts)), *parts][-3:]
    return StreamName(schema, table, database=database)


def _is_file(name: str, kind: str, *, is_query: bool) -> bool:
    if kind in FILE_TYPES:
        return True
    return not is_query and bool((SCHEME if kind else FILE).search(name))


def _strip_ending(file_name: str) -> str:
    """Return a file's name without its ending, as Sling takes it: `orders.csv.gz` keeps both."""
    stem, dot, ending = file_name.rpartition(".")
    compressed = ending in {"gz", "zst", "snappy"} and "." in stem
    return stem if dot and not compressed else file_name


def find_quote(kind: str) -> str:
    """Return what names stand between in a type of source."""
    return "`" if kind in WITH_BACKTICKS else '"'


def name_parts(name: str, quote: str = '"') -> list[str]:
    """Return the parts of a dotted name, without their quotes.

    Example:
        >>> name_parts('ops."my.table"')
        ['ops', 'my.table']
    """
    part = re.compile(rf"{quote}([^{quote}]+){quote}|([^.{quote}]+)")
    return [quoted or plain for quoted, plain in part.findall(name)]


def _without_quoted(name: str, quote: str) -> str:
    return re.sub(rf"{quote}[^{quote}]*{quote}", "", name)


def find_name_problem(name: str, kind: str) -> str | None:
    """Return why Sling does not take a name for that of a table, as it is written.

    Args:
        name: The stream's name.
        kind: The type of its connection.
    """
    quote = find_quote(kind)
    if name.count(quote) % 2:
        return f"{name!r} has a {quote} too many: Sling pairs them"
    if quote * 2 in name:
        return f"{name!r} has two {quote} in a row, which are the end of one name to Sling"
    if "'" in name:
        return f"{name!r} has a ', which Sling puts into its SQL as it is: give it a view"
    if OF_QUERIES.search(_without_quoted(name.strip(), quote)):
        return f"{name!r} is a query to Sling: put its parts in {quote}, as {quote}my table{quote}"
    return None


def clean_name(name: str) -> str:
    """Return what Sling makes of a name where a variable of `object` stands for it.

    Example:
        >>> clean_name("2fa codes")
        '_2fa_codes'
    """
    cleaned = NOT_IN_A_NAME.sub("_", name.strip())
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


def has_empty_part(name: str, quote: str = '"') -> bool:
    """Tell whether a dotted name has nothing before, between or after its dots.

    Example:
        >>> has_empty_part("ops."), has_empty_part('ops."a..b"')
        (True, False)
    """
    quoted = rf"{quote}[^{quote}]+{quote}"
    return not all(part.strip() for part in re.sub(quoted, "x", name).split("."))


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
    on the time of the run are refused, because an asset is one table. Case is none of a table's
    name: Snowflake has them in upper case.

    Raises:
        ObjectError: When a variable is unknown or the result is not `schema.table`.
    """
    table = clean_name(stream.table)
    values = {
        "stream_table": "" if stream.file else table,
        "stream_schema": clean_name(stream.schema),
        "stream_file_name": table if stream.file else "",
        "source_name": clean_name(source.lower()),
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
        if stream.pattern and match[1] == "stream_file_name":
            raise ObjectError(
                f"object: {{{match[1]}}} of {template!r} would be a table for each file: write the"
                " name"
            )
        if not value:
            raise ObjectError(
                f"object: {{{match[1]}}} of {template!r} is empty for this stream: write the name"
            )
        return value

    text = TEMPLATE.sub(replace, template).strip()
    parts = name_parts(text)
    if "{" in text or not 2 <= len(parts) <= 3:  # noqa: PLR2004 - schema.table or database.schema.table
        raise ObjectError(f"object: {template!r} does not give schema.table", inherited=True)
    _check_object(template, text, parts)
    return TargetTable(parts[-2], parts[-1], parts[0] if len(parts) > 2 else None)  # noqa: PLR2004


def _check_object(template: str, text: str, parts: Sequence[str]) -> None:
    """Refuse an object of which Sling would make another table than the asset's."""
    if text.count('"') % 2 or any(part != part.upper() for part in QUOTED.findall(text)):
        message = (
            f"object: {template!r} has names in quotes, which Snowflake would know in quotes alone:"
            " write them without"
        )
        raise ObjectError(message, inherited=True)
    if unfit := next((part for part in parts if not OBJECT_PART.fullmatch(part)), None):
        message = f"object: {unfit!r} of {template!r} may hold letters, digits, _, $ and - alone"
        raise ObjectError(message, inherited=True)
