"""What must hold between the settings of one resource, its source and its partitions."""

from __future__ import annotations

from collections.abc import Callable

from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.partitions import PartitionSpec
from factories.core.yaml.models import SourceMap
from factories.core.yaml.problems import Problem
from factories.dlt.config.column_rules import check_columns
from factories.dlt.config.rest_entries import has_own_cursor
from factories.dlt.config.schema import (
    FILE_CURSOR,
    TABLE_NAME,
    DltResource,
    Incremental,
    PipelineFile,
    WriteDisposition,
)
from factories.dlt.config.time_formats import format_mistake

STRATEGY_OPTIONS = {
    "deduplicated": ("delete-insert",),
    "validity_column_names": ("scd2",),
    "active_record_timestamp": ("scd2",),
    "boundary_timestamp": ("scd2",),
    "row_version_column_name": ("scd2", "upsert", "cdc"),
    "skip_unchanged_rows": ("upsert", "cdc"),
    "source_filter": ("delete-insert", "scd2", "upsert", "cdc"),
    "destination_scope": ("delete-insert", "scd2", "cdc"),
}
KEY_STRATEGIES = ("upsert", "insert-only", "cdc")
# What becomes of the rows that a load does not hold.
SNAPSHOT_STRATEGIES = {"cdc": "delete", "scd2": "retire"}
_Report = Callable[[list[str | int], str], None]


def check_resource(
    name: str,
    model: PipelineFile,
    settings: DltResource,
    meta: DagsterMeta,
    *,
    places: SourceMap,
    problems: list[Problem],
) -> bool:
    """Report what would make a resource load wrong; tell whether nothing does."""
    before = len(problems)

    def report(path: list[str | int], message: str) -> None:
        problems.append(places.problem(path, message, at_key=not path))

    _check_table(name, settings, report)
    check_columns(settings, report)
    if settings.disposition == "merge":
        _check_merge(settings, report)
        if not meta.partition and _reads_only_what_is_new(name, settings, model):
            _check_snapshot(settings, report)
    elif isinstance(settings.write_disposition, WriteDisposition):
        for option in settings.write_disposition.model_fields_set - {"disposition"}:
            report(["write_disposition", option], f"{option}: only disposition merge takes it")
    if settings.disposition == "replace" and _reads_only_what_is_new(name, settings, model):
        report(["write_disposition"], _check_replace(settings, model))
    if settings.incremental:
        _check_cursor(settings, settings.incremental, model, report)
    if meta.partition:
        _check_partition(settings, meta, model, report)
    if meta.backfill:
        report(["meta", "dagster", "backfill"], "backfill: only dbt models take it")
    return len(problems) == before


def _check_table(name: str, settings: DltResource, report: _Report) -> None:
    table = settings.table_name or name
    if not TABLE_NAME.fullmatch(table):
        want = "lower-case words of letters and digits, joined by _"
        hint = "must be" if settings.table_name else "give it a table_name of"
        report(["table_name"] if settings.table_name else [], f"{table!r}: {hint} {want}")


def _check_merge(settings: DltResource, report: _Report) -> None:
    given = settings.write_disposition
    strategy = settings.strategy
    if strategy in KEY_STRATEGIES and not settings.primary_key:
        report(["write_disposition"], f"strategy {strategy} needs primary_key")
    elif strategy != "scd2" and not (settings.primary_key or settings.merge_key):
        # dlt would append, with no more than a warning.
        report(["write_disposition"], "write_disposition: merge needs primary_key or merge_key")
    if isinstance(given, WriteDisposition):
        for option, strategies in STRATEGY_OPTIONS.items():
            if (
                getattr(given, option) is not None
                and (strategy or "delete-insert") not in strategies
            ):
                message = f"{option}: only strategy {' or '.join(strategies)} takes it"
                report(["write_disposition", option], message)
        if given.row_version_column_name and strategy != "scd2" and not given.skip_unchanged_rows:
            report(
                ["write_disposition", "row_version_column_name"],
                "row_version_column_name: dlt compares it only with skip_unchanged_rows: true",
            )


def _reads_only_what_is_new(name: str, settings: DltResource, model: PipelineFile) -> bool:
    rest_api = model.source.get("rest_api")
    return settings.incremental is not None or has_own_cursor(rest_api, name)


def _check_snapshot(settings: DltResource, report: _Report) -> None:
    """Check that a strategy which compares the whole table with the load is given all of it."""
    given = settings.write_disposition
    bounded = isinstance(given, WriteDisposition) and given.destination_scope is not None
    if settings.strategy in SNAPSHOT_STRATEGIES and not (bounded or settings.merge_key):
        does = SNAPSHOT_STRATEGIES[settings.strategy]
        report(
            ["write_disposition", "strategy"],
            f"strategy: {settings.strategy} would {does} every row that is not new: it takes"
            " incremental only with merge_key or destination_scope, which say what rows may go",
        )


def _check_replace(settings: DltResource, model: PipelineFile) -> str:
    cursor = settings.incremental
    if cursor and cursor.cursor_path == FILE_CURSOR and "filesystem" in model.source:
        return (
            "write_disposition: replace with incremental would keep only the rows of new files:"
            " use merge or append"
        )
    return (
        "write_disposition: replace reads everything each time, so incremental has no effect:"
        " leave it out, or use merge or append"
    )


def _check_cursor(
    settings: DltResource, cursor: Incremental, model: PipelineFile, report: _Report
) -> None:
    if cursor.lag and settings.disposition == "append":
        report(["incremental", "lag"], "lag: append would repeat rows that are there: use merge")
    if "rest_api" in model.source:
        return
    for key in ("start_param", "end_param"):
        if getattr(cursor, key) is not None:
            report(["incremental", key], f"{key}: only rest_api takes it")


def _check_partition(
    settings: DltResource, meta: DagsterMeta, model: PipelineFile, report: _Report
) -> None:
    """Check that a partition can be loaded twice without harm to itself or to others."""
    if settings.disposition != "merge":
        report(
            ["write_disposition"],
            f"write_disposition: {settings.disposition} would replace or repeat the other"
            " partitions' rows: a partitioned resource needs merge",
        )
    if settings.strategy in SNAPSHOT_STRATEGIES:
        does = SNAPSHOT_STRATEGIES[settings.strategy]
        report(
            ["write_disposition", "strategy"],
            f"strategy: {settings.strategy} would {does} the rows of the other partitions",
        )
    if not settings.primary_key:
        report([], "a partitioned resource needs primary_key, or a rerun would repeat its rows")
    if settings.incremental is None:
        report(
            [],
            "a partitioned resource needs incremental: its cursor_path is the partition's column",
        )
    else:
        if "rest_api" in model.source:
            _check_json_cursor(settings.incremental, report)
        if settings.incremental.cursor_path == FILE_CURSOR and "filesystem" in model.source:
            _check_file_cursor(settings.incremental, report)
        _check_format(settings.incremental, meta.partition, report)
    if meta.partition and meta.partition.type == "static":
        report(["meta", "dagster", "partition", "type"], "type: dlt has no static partitions")
    if meta.partition and meta.partition.column:
        report(
            ["meta", "dagster", "partition", "column"],
            "column: the cursor_path of incremental is the column of the partition",
        )


def _check_format(
    incremental: Incremental, partition: PartitionSpec | None, report: _Report
) -> None:
    form = incremental.datetime_format
    if form is None or partition is None or partition.type == "static":
        return
    if (mistake := format_mistake(form, partition)) is not None:
        report(["incremental", "datetime_format"], f"datetime_format: {mistake}")


def _check_file_cursor(incremental: Incremental, report: _Report) -> None:
    if incremental.datetime_format not in {None, "timestamp"}:
        report(
            ["incremental", "datetime_format"],
            f"datetime_format: {FILE_CURSOR} is a time with a zone: leave datetime_format out",
        )


def _check_json_cursor(incremental: Incremental, report: _Report) -> None:
    """Check that a partition's bounds can be compared with a field of JSON, which has no times."""
    if incremental.datetime_format in {None, "timestamp", "timestamp_ntz", "date"}:
        report(
            ["incremental"],
            "incremental: a partition of an API needs datetime_format: how its field holds time,"
            " such as '%Y-%m-%dT%H:%M:%SZ' or epoch",
        )
