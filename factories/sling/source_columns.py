"""The columns of streams at their source: their names and types, as Sling itself sees them.

Sling reads no row of each stream into a file, and its log tells the columns. That is one short
process for all streams, and works for tables and queries of every system that Sling reads. Of files
it reads the first row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories.core.execution.subprocesses import RawLine
from factories.sling.partition_condition import SourceColumn
from factories.sling.program import run_sling, write_replication
from factories.sling.replication_log import LogLine, ReplicationLog, parse_line

COLUMN = re.compile(
    r'^database col => "(?P<name>.*)" native_type=(?P<type>.*?) generic_type=\S* length='
)
# The columns of a file, each with its type: `[]string{"id [bigint]", "name [string]"}`.
FIELDS = re.compile(r"^\[\]string\{(?P<fields>.*)\}$", re.DOTALL)
FIELD = re.compile(r'"(?P<name>(?:[^"\\]|\\.)*) \[(?P<type>[^\[\]"]*)\]"')
STACK = re.compile(r"^-{3,} ")
FILES_TARGET = "COLUMNS_OF_SOURCE"


@dataclass(frozen=True)
class StreamColumns:
    """What was learnt of one stream.

    Attributes:
        name: The stream.
        columns: Its columns at the source.
        error: Why they could not be learnt; empty when they were.
    """

    name: str
    columns: tuple[SourceColumn, ...] = ()
    error: str = ""


def read_source_columns(
    binary: str,
    settings: Mapping[str, Any],
    streams: Mapping[str, Mapping[str, Any]],
    connections: Mapping[str, str],
    folder: Path,
    *,
    files: Collection[str],
) -> Iterator[StreamColumns]:
    """Yield what columns each stream has at the source.

    Args:
        binary: The Sling program.
        settings: The replication in Sling's format, without its streams.
        streams: The config of each stream.
        connections: Each connection's URL or JSON by name.
        folder: Where the process's own folder is made.
        files: The streams that are files, which Sling reads without SQL.
    """
    described = {
        name: _describe(config, folder / f"columns_{number}.csv", is_file=name in files)
        for number, (name, config) in enumerate(streams.items())
    }
    # Else Sling writes no columns of no rows.
    env = {**(settings.get("env") or {}), "SLING_ALLOW_EMPTY": "TRUE"}
    asked = {**settings, "target": FILES_TARGET, "streams": described, "env": env}
    body = write_replication(asked)
    process = run_sling(binary, body, {**connections, FILES_TARGET: "file://"}, folder, trace=True)
    with closing(process) as lines:
        yield from follow_columns(lines, tuple(streams), files)


def _describe(config: Mapping[str, Any], path: Path, *, is_file: bool) -> dict[str, Any]:
    """Return a stream's config with which Sling reads its columns, and no row where it can."""
    described: dict[str, Any] = {"object": f"file://{path}", "mode": "full-refresh"}
    options = dict(config.get("source_options") or {})
    for key in ("columns", "transforms"):  # Sling takes the columns of JSON from there as well
        options.pop(key, None)
    query = str(config.get("sql") or "")
    if is_file or query.startswith("file:"):
        options["limit"] = 1
    if options:
        described["source_options"] = options
    if query.startswith("file:"):
        described["sql"] = query
    elif query:
        described["sql"] = wrap_query(query, "1=0")
    elif is_file:
        pass
    else:
        described["where"] = "1=0"
    return described


def wrap_query(query: str, condition: str) -> str:
    """Return a query for those rows of another for which a condition holds."""
    # On lines of its own: the user's text may end in a comment.
    inner = query.rstrip().rstrip(";")
    return f"select * from (\n{inner}\n) windowed where {condition}"  # noqa: S608 - the user's own query, and names and literals that are quoted


def follow_columns(
    lines: Iterator[RawLine], names: Sequence[str], files: Collection[str] = ()
) -> Iterator[StreamColumns]:
    """Yield each stream's columns from the log of a Sling process that traces what it does.

    Sling asks the source's catalog first: the columns of the stream are those that come last.
    """
    columns: list[SourceColumn] = []
    fields: list[SourceColumn] = []
    complete = False

    def without_details() -> Iterator[RawLine]:
        nonlocal complete
        for raw in lines:
            line = parse_line(raw.text)
            if match := COLUMN.match(line.text):
                if complete:
                    columns.clear()
                columns.append(SourceColumn(match["name"], match["type"]))
                complete = False
            elif line.level == "debug":
                complete = True
                if match := FIELDS.match(line.text):
                    fields[:] = _parse_fields(match["fields"])
            else:
                yield raw

    for result in ReplicationLog(tuple(names), report=_drop).follow(without_details()):
        if result.succeeded:
            found = fields if result.name in files else columns
            yield StreamColumns(result.name, tuple(found))
        else:
            error = [text for text in result.error.splitlines() if not STACK.match(text)]
            yield StreamColumns(result.name, error="\n".join(error))
        columns.clear()
        fields.clear()


def _parse_fields(text: str) -> Iterator[SourceColumn]:
    for match in FIELD.finditer(text):
        name = re.sub(r"\\(.)", r"\1", match["name"])
        yield SourceColumn(name, match["type"])


def _drop(line: LogLine) -> None:
    """Leave a line of the log out: it is for no person."""
