"""What must hold between the settings of one stream."""

from __future__ import annotations

from collections.abc import Callable

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem
from factories.sling.objects import StreamName, name_parts
from factories.sling.schema import SlingStream

MOST_PARTS = 3  # database.schema.table
_Report = Callable[[list[str | int], str], None]


def check_stream(
    name: str,
    source: StreamName,
    settings: SlingStream,
    meta: DagsterMeta,
    *,
    places: SourceMap,
    problems: list[Problem],
) -> bool:
    """Report what would make a stream load wrong; tell whether nothing does."""
    before = len(problems)

    def report(path: list[str | int], message: str) -> None:
        problems.append(places.problem(path, message, at_key=not path))

    if not source.table.strip() and not source.file:
        report([], f"{name!r} names no table")
    if settings.sql is None and not source.file and len(name_parts(name)) > MOST_PARTS:
        report([], f"{name!r} has more parts than database.schema.table")
    if "*" in name and settings.sql is None and not source.file:
        schema = source.schema or "schema"
        report([], f"{name!r} would be one asset for many tables: list each, as {schema}.my_table:")
    if settings.object is None:
        report([], "the key 'object' is missing, here and in defaults: the table to load")
    if settings.mode == "incremental" and not (settings.primary_key or settings.update_key):
        report(["mode"], "mode: incremental needs primary_key, update_key or both")
    if settings.mode == "backfill":
        _check_backfill(settings, meta, report)
    if meta.partition:
        _check_partition(settings, meta, report)
    if meta.backfill:
        report(["meta", "dagster", "backfill"], "backfill: only dbt models take it")
    return len(problems) == before


def _check_backfill(settings: SlingStream, meta: DagsterMeta, report: _Report) -> None:
    missing = [key for key in ("primary_key", "update_key") if not getattr(settings, key)]
    if missing:
        report(["mode"], f"mode: backfill needs {' and '.join(missing)}")
    options = settings.source_options
    if meta.partition is None and (options is None or options.range is None):
        report(["mode"], "mode: backfill needs source_options.range, or a partition")


def _check_partition(settings: SlingStream, meta: DagsterMeta, report: _Report) -> None:
    """Check that a partition can be loaded twice without harm to itself or to others."""
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
