"""The models of the YAML in `sling/`, and what must hold between the settings of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr

from factories.core.meta.dagster_meta import META_KEYS_ELSEWHERE, DagsterMeta
from factories.core.yaml.models import Names, SourceMap, StrictModel
from factories.core.yaml.problems import Problem
from factories.sling.named_columns import ColumnTypes, Transforms
from factories.sling.objects import (
    PATTERN,
    StreamName,
    find_name_problem,
    find_quote,
    has_empty_part,
    name_parts,
)
from factories.sling.source_types import WITHOUT_SQL

MAX_NAME_PARTS = 3  # database.schema.table
PLACEHOLDERS = ("{incremental_where_cond}", "{incremental_value}")
PAID = "needs a paid token of Sling's, without which Sling warns and goes on"
# Options of the source that Sling reads files with, and passes over for tables and queries.
OF_FILES = frozenset(
    {"header", "flatten", "fields_per_rec", "compression", "format", "skip_blank_lines"}
    | {"delimiter", "escape", "quote", "encoding", "jmespath", "sheet"}
)
_Report = Callable[[list[str | int], str], None]

Mode = Literal["full-refresh", "incremental", "truncate", "snapshot", "backfill"]

TableKey = Literal[
    "aggregate", "cluster", "duplicate", "hash", "index", "partition", "primary", "sort", "unique",
    "update",
]  # fmt: skip
# What Sling 1.4 connects to, as its documentation's list of connections names them.
CONNECTION_TYPES = (
    "athena", "azure", "b2", "bigquery", "bigtable", "clickhouse", "d1", "databricks", "db2",
    "dropbox", "duckdb", "ducklake", "elasticsearch", "exasol", "file", "ftp", "gdrive", "gs",
    "iceberg", "mariadb", "mongodb", "motherduck", "mysql", "oracle", "postgres", "prometheus",
    "proton", "r2", "redshift", "s3", "sftp", "snowflake", "spaces", "sqlite", "sqlserver",
    "starrocks", "trino", "wasabi",
)  # fmt: skip


class ConnectionsFile(StrictModel):
    """`sling/connections.yaml`: the systems that replications read from."""

    connections: dict[StrictStr, StrictStr | dict[str, Any]] = Field(
        description="Each connection by name: a URL, or `type` and the properties Sling's "
        "documentation names for it. Secrets are `${VAR}`s of the environment. The target "
        "`SNOWFLAKE` is not listed: the chosen `DP_TARGET` gives it."
    )


class SourceOptions(StrictModel):
    """How Sling reads a stream."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "trim_space": "is none of Sling's options: write transforms: [trim_space] on the stream",
        "offset": "is not applied by Sling: it reads from the first row",
        **dict.fromkeys(("chunk_size", "chunk_count", "chunk_expr"), PAID),
    }

    empty_as_null: StrictBool | None = Field(None, description="Read empty text as null.")
    header: StrictBool | None = Field(None, description="The first line of a file is a header.")
    flatten: StrictBool | StrictInt | None = Field(None, description="Flatten nested JSON.")
    fields_per_rec: StrictInt | None = Field(None, description="Fields of a CSV record.")
    compression: StrictStr | None = Field(None, description="Compression of a file.")
    format: StrictStr | None = Field(None, description="Format of a file.")
    null_if: StrictStr | None = Field(None, description="Text that stands for null.")
    datetime_format: StrictStr | None = Field(None, description="Layout of dates in a file.")
    skip_blank_lines: StrictBool | None = Field(None, description="Skip a file's blank lines.")
    delimiter: StrictStr | None = Field(None, description="Delimiter of a CSV file.")
    escape: StrictStr | None = Field(None, description="Escape character of a CSV file.")
    quote: StrictStr | None = Field(None, description="Quote character of a CSV file.")
    encoding: StrictStr | None = Field(None, description="Text encoding of a file.")
    max_decimals: StrictInt | None = Field(None, description="Decimals kept.")
    jmespath: StrictStr | None = Field(None, description="Part of a JSON document to read.")
    sheet: StrictStr | None = Field(None, description="Sheet (and range) of a workbook.")
    range: StrictStr | None = Field(None, description="Backfill range, `start,end`, inclusive.")
    limit: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None, description="Read this many rows at most."
    )
    columns: ColumnTypes | None = Field(None, description="Types by column.")
    transforms: Transforms = Field(None, description="Transforms of values.")


class TargetOptions(StrictModel):
    """How Sling writes a stream."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "delete_missing": f"{PAID}: rows that the source no longer has would stay;"
        " mode: full-refresh and mode: truncate leave none",
    }

    concurrency: StrictInt | None = Field(None, description="Files loaded at once.")
    batch_limit: StrictInt | None = Field(None, description="Rows of a batch.")
    datetime_format: StrictStr | None = Field(None, description="Layout of dates.")
    file_max_rows: StrictInt | None = Field(None, description="Rows of a staged file.")
    file_max_bytes: StrictInt | None = Field(None, description="Bytes of a staged file.")
    format: StrictStr | None = Field(None, description="Format of staged files.")
    max_decimals: StrictInt | None = Field(None, description="Decimals kept.")
    use_bulk: StrictBool | None = Field(None, description="Load through a stage.")
    ignore_existing: StrictBool | None = Field(None, description="Leave existing tables alone.")
    column_casing: Literal["source", "target", "snake", "normalize", "upper", "lower"] | None = (
        Field(None, description="Case of column names.")
    )
    column_typing: dict[str, Any] | None = Field(None, description="Rules for column types.")
    add_new_columns: StrictBool | None = Field(None, description="Add the source's new columns.")
    adjust_column_type: StrictBool | None = Field(None, description="Widen columns when needed.")
    table_keys: dict[TableKey, Any] | None = Field(None, description="Keys of the created table.")
    table_ddl: StrictStr | None = Field(None, description="DDL of the created table.")
    table_tmp: StrictStr | None = Field(None, description="Name of the temporary table.")
    pre_sql: StrictStr | None = Field(None, description="SQL before the load.")
    post_sql: StrictStr | None = Field(None, description="SQL after the load.")


class SlingStream(StrictModel):
    """One stream, with the file's `defaults` under it."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        **META_KEYS_ELSEWHERE,
        "files": "is not applied by Sling, which reads the whole folder: name the files in streams",
        "hooks": "needs a paid token of Sling's",
    }

    object: StrictStr | None = Field(
        None, description="Target table, `schema.table`; may hold Sling's `{stream_table}` etc."
    )
    mode: Mode = Field("full-refresh", description="How the table is loaded.")
    description: StrictStr | None = Field(None, description="Shown in the catalog.")
    disabled: StrictBool = Field(False, description="Leaves the stream out.")
    primary_key: Names | None = Field(None, description="Columns by which rows are merged.")
    update_key: StrictStr | None = Field(None, description="Column that says what is new.")
    columns: ColumnTypes | None = Field(None, description="Types by column.")
    select: Names | None = Field(None, description="Columns to read; `-name` leaves one out.")
    sql: StrictStr | None = Field(None, description="A query to read instead of a table.")
    where: StrictStr | None = Field(None, description="Condition on the rows to read.")
    single: StrictBool | None = Field(None, description="Load a folder's files into one table.")
    source_options: SourceOptions | None = Field(None, description="How the stream is read.")
    target_options: TargetOptions | None = Field(None, description="How the stream is written.")
    transforms: Transforms = Field(None, description="Transforms of values.")
    id: StrictStr | None = Field(None, description="An id for `sling run --streams`.")
    tags: Names | None = Field(None, description="Tags for `sling run --streams tag:…`.")
    meta: dict[str, Any] | None = Field(
        None, description="`meta.dagster` is the block of this reference; Sling ignores it."
    )


def _or_none(value: object) -> object:
    """Take a key whose lines are all commented out for one that is not there."""
    return {} if value is None else value


class ReplicationFile(StrictModel):
    """A native Sling replication, as `sling run -r` takes it."""

    source: StrictStr = Field(description="A connection of `connections.yaml`.")
    target: StrictStr = Field(description="`SNOWFLAKE`, the warehouse of the chosen target.")
    defaults: Annotated[dict[str, Any], BeforeValidator(_or_none)] = Field(
        {}, description="What holds for every stream."
    )
    streams: Annotated[dict[StrictStr, dict[str, Any] | None], Field(min_length=1)] = Field(
        description="Each stream by the table (`schema.table`), query name or file it reads."
    )
    env: Annotated[dict[str, StrictStr | StrictBool | StrictInt], BeforeValidator(_or_none)] = (
        Field({}, description="Sling's environment settings for this replication.")
    )


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
