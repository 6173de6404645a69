"""The models of the YAML in `sling/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr

from factories.core.meta.dagster_meta import META_KEYS_ELSEWHERE
from factories.core.yaml.models import Names, StrictModel
from factories.sling.named_columns import ColumnTypes, Transforms

MAX_NAME_PARTS = 3  # database.schema.table
PAID = "needs a paid token of Sling's, without which Sling warns and goes on"

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
