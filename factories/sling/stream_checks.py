"""What must hold between the settings of a stream."""

from __future__ import annotations

from collections.abc import Callable

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem
from factories.sling.objects import (
    PATTERN,
    StreamName,
    find_name_problem,
    find_quote,
    has_empty_part,
    name_parts,
)
from factories.sling.schema import MAX_NAME_PARTS, SlingStream, SourceOptions, TargetOptions
from factories.sling.source_types import WITHOUT_SQL
from factories.sling.sql_variables import stream_variables
from factories.sling.target_option_checks import find_option_problems

PLACEHOLDERS = ("{incremental_where_cond}", "{incremental_value}")
# Options of the source that Sling reads files with, and passes over for tables and queries.
OF_FILES = frozenset(
    {"header", "flatten", "fields_per_rec", "compression", "format", "skip_blank_lines"}
    | {"delimiter", "escape", "quote", "encoding", "jmespath", "sheet"}
)
_Report = Callable[[list[str | int], str], None]


def check_stream(
    name: str,
    source: StreamName,
    settings: SlingStream,
    meta: DagsterMeta,
    kind: str,
    *,
    places: SourceMap,
    problems: list[Problem],
) -> bool:
    """Report the settings with which a stream would load wrong rows, or none.

    Args:
        name: The stream.
        source: What its name says.
        settings: Its settings, with the defaults.
        meta: Its `meta.dagster` block.
        kind: The type of its connection; empty where it is not known.
        places: Where its settings are written.
        problems: Receives what is wrong.

    Returns:
        Whether all is right.
    """
    before = len(problems)

    def report(path: list[str | int], message: str) -> None:
        problems.append(places.problem(path, message, at_key=not path))

    if "\n" in name or "\r" in name:
        report([], f"{name!r} has a line break: Sling's log could not tell what became of it")
    elif not source.file:
        _check_name(name, source, settings, kind, report)
    if settings.object is None:
        report([], "the key 'object' is missing, here and in defaults: the table to load")
    if settings.mode == "incremental" and not (settings.primary_key or settings.update_key):
        report(["mode"], "mode: incremental needs primary_key, update_key or both")
    if settings.sql is not None and meta.partition is None:
        _check_query(settings.sql, settings, report)
    if settings.mode == "backfill":
        _check_backfill(settings, meta, report)
    if meta.partition:
        _check_partition(settings, meta, report)
    _check_unapplied(source, settings, meta, kind, report)
    _check_target_options(name, source, settings, report)
    if meta.backfill:
        report(["meta", "dagster", "backfill"], "backfill: only dbt models take it")
    return len(problems) == before


def _check_name(
    name: str, source: StreamName, settings: SlingStream, kind: str, report: _Report
) -> None:
    """Check that Sling takes a name for the table that it is meant to be."""
    is_query = settings.sql is not None
    empty = not name.strip() or (not is_query and has_empty_part(name, find_quote(kind)))
    if empty or (not source.table.strip() and not is_query):
        report([], f"{name!r} names no table")
    elif problem := None if is_query else find_name_problem(name, kind):
        report([], problem)
    elif not is_query and len(name_parts(name, find_quote(kind))) > MAX_NAME_PARTS:
        report([], f"{name!r} has more parts than database.schema.table")
    elif PATTERN.search(name):
        if is_query:
            report([], f"{name!r} is a pattern to Sling: a query's name has neither * nor ?")
            return
        schema = source.schema or "schema"
        report([], f"{name!r} would be one asset for many tables: list each, as {schema}.my_table:")


def _check_query(sql: str, settings: SlingStream, report: _Report) -> None:
    """Check that a query says where the condition of what is new belongs: else Sling refuses it.

    A partition brings a condition of its own.
    """
    needs = settings.mode in {"incremental", "backfill"} and settings.update_key
    if needs and not sql.startswith("file:") and not any(each in sql for each in PLACEHOLDERS):
        first, second = PLACEHOLDERS
        message = (
            f"sql: mode {settings.mode} with update_key needs {first} or {second} in the query"
        )
        report(["sql"], message)


def _check_unapplied(
    source: StreamName, settings: SlingStream, meta: DagsterMeta, kind: str, report: _Report
) -> None:
    """Refuse what Sling passes over without a word, and what would then be loaded."""
    options = settings.source_options or SourceOptions()
    if settings.sql is not None:
        for key in ("where", "select"):
            if getattr(settings, key) is not None:
                report([key], f"{key}: Sling does not apply it to sql: write it in the query")
    if options.range is not None and settings.mode != "backfill":
        report(["source_options", "range"], "range: only mode: backfill applies it")
    if source.file and settings.sql is None:
        _check_file(settings, meta, report)
    if kind and not source.file and kind not in WITHOUT_SQL:
        for key in sorted(OF_FILES & options.model_fields_set):
            report(["source_options", key], f"{key}: Sling applies it to files, not to {kind}")
    if meta.partition and kind in WITHOUT_SQL:
        report(["meta", "dagster", "partition"], f"partition: a {kind} source has no SQL for it")


def _check_target_options(
    name: str, source: StreamName, settings: SlingStream, report: _Report
) -> None:
    """Refuse what cannot be kept where the table is replaced by another one."""
    options = settings.target_options or TargetOptions()
    given = options.model_dump(exclude_none=True)
    schema, table = ("", "") if source.file else (source.schema, source.table)
    known = stream_variables(name, "", schema, table)
    for key, message in find_option_problems(given, settings.mode, known):
        report(["target_options", key], message)


def _check_file(settings: SlingStream, meta: DagsterMeta, report: _Report) -> None:
    """Refuse what would load all rows or columns of a file that Sling reads without SQL."""
    if settings.where is not None:
        report(["where"], "where: Sling does not apply it to files: write sql")
    if settings.mode == "backfill":
        report(["mode"], "mode: backfill loads all of a file: write sql, or another mode")
    if meta.partition:
        message = "partition: Sling loads all of a file each time: write sql"
        report(["meta", "dagster", "partition"], message)
    if settings.select is not None:
        report(["select"], "select: Sling loads all columns of a file: write sql")


def _check_backfill(settings: SlingStream, meta: DagsterMeta, report: _Report) -> None:
    missing = [key for key in ("primary_key", "update_key") if not getattr(settings, key)]
    if missing:
        report(["mode"], f"mode: backfill needs {' and '.join(missing)}")
    options = settings.source_options
    if meta.partition is None and (options is None or options.range is None):
        report(["mode"], "mode: backfill needs source_options.range, or a partition")


def _check_partition(settings: SlingStream, meta: DagsterMeta, report: _Report) -> None:
    """Check that loading a partition again harms neither it nor others."""
    if settings.mode not in {"incremental", "backfill"}:
        report(
            ["mode"],
            f"mode: {settings.mode} would replace or repeat the other partitions' rows:"
            " a partitioned stream needs incremental or backfill",
        )
    if not settings.primary_key:
        report([], "a partitioned stream needs primary_key, or a rerun would repeat its rows")
    if meta.partition and not (meta.partition.column or settings.update_key):
        report([], "a partitioned stream needs partition.column or update_key")
    if settings.source_options and settings.source_options.range:
        report(["source_options", "range"], "range: the partition gives the range")
