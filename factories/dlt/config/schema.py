"""The model of the YAML in `dlt_pipelines/`: one pipeline, its source, what it loads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
)

from factories.core.meta.dagster_meta import META_KEYS_ELSEWHERE
from factories.core.yaml.models import Names, StrictModel
from factories.core.yaml.problems import did_you_mean, nearest
from factories.core.yaml.validation import format_value

Disposition = Literal["append", "replace", "merge"]
# Those that dlt's Snowflake destination has.
MergeStrategy = Literal["delete-insert", "upsert", "scd2", "insert-only", "cdc"]
ContractMode = Literal["evolve", "freeze", "discard_row", "discard_value"]
TIME_WORDS = ("timestamp", "timestamp_ntz", "date", "epoch", "epoch_ms")
# What dlt's naming convention snake_case leaves as it is: so the table's name is known without it.
TABLE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SOURCE_KINDS = ("rest_api", "sql_database", "filesystem", "python")
# The field of a file, not of a row: by it, whole files are skipped.
FILE_CURSOR = "modification_date"


# Keys of the file that somebody may look for on a resource.
OF_FILE = "belongs to the file, beside `resources`"


class WriteDisposition(StrictModel):
    """A write disposition with its options, as dlt takes it."""

    disposition: Disposition = Field(description="What happens to the rows that are there.")
    strategy: MergeStrategy | None = Field(None, description="How rows are merged.")
    deduplicated: StrictBool | None = Field(
        None, description="delete-insert: whether the loaded rows hold each key once."
    )
    validity_column_names: tuple[StrictStr, StrictStr] | None = Field(
        None, description="scd2: the columns that say from when to when a row held."
    )
    active_record_timestamp: StrictStr | None = Field(
        None, description="scd2: what the second of them holds in rows that hold still."
    )
    boundary_timestamp: StrictStr | None = Field(
        None, description="scd2: the time of the change, by default that of the load."
    )
    row_version_column_name: StrictStr | None = Field(
        None,
        description="scd2: a column with a hash of the row, which no other row has. upsert, cdc:"
        " with `skip_unchanged_rows`, a column that changes when its row does.",
    )
    skip_unchanged_rows: StrictBool | None = Field(
        None, description="upsert, cdc: leave rows alone that are equal to those loaded."
    )
    source_filter: StrictStr | None = Field(
        None, description="SQL condition on the loaded rows that are merged."
    )
    destination_scope: StrictStr | None = Field(
        None, description="SQL condition on the rows that a merge may delete or retire."
    )

    @field_validator("validity_column_names", mode="before")
    @classmethod
    def _are_two(cls, value: object) -> object:
        if isinstance(value, list) and len(value) != 2:  # noqa: PLR2004 - as the message says
            raise ValueError("needs two names: of the columns with the start and the end")
        return value


class Incremental(StrictModel):
    """The cursor by which only what is new is read, as `dlt.sources.incremental` takes it."""

    cursor_path: StrictStr = Field(description="Field of a row that grows: a name or JSON path.")
    initial_value: Any = Field(None, description="Where the first load begins.")
    last_value_func: Literal["min", "max"] = Field("max", description="Which value is the last.")
    row_order: Literal["asc", "desc"] | None = Field(
        None, description="The order in which the source gives rows; reading can then end early."
    )
    on_cursor_value_missing: Literal["raise", "include", "exclude"] = Field(
        "raise", description="What happens to a row without the field."
    )
    lag: StrictInt | float | None = Field(
        None, description="Read again this much before the last value: seconds, days for dates."
    )
    range_start: Literal["open", "closed"] = Field(
        "closed", description="Whether rows at the last value are read again."
    )
    start_param: StrictStr | None = Field(
        None, description="rest_api: the query parameter that takes the start."
    )
    end_param: StrictStr | None = Field(
        None, description="rest_api: the query parameter that takes a partition's end."
    )
    datetime_format: StrictStr | None = Field(
        None,
        description="How the field holds time, where a partition's bounds are compared with it:"
        " a `strftime` pattern for text, `timestamp`, `timestamp_ntz` (without zone), `date`,"
        " `epoch` or `epoch_ms`. A database's columns of time say it themselves.",
    )

    @field_validator("initial_value")
    @classmethod
    def _is_one_value(cls, value: object) -> object:
        if isinstance(value, dict | list):
            raise ValueError(f"must be one value, as the field holds it, not {format_value(value)}")  # noqa: TRY004 - pydantic takes it for a mistake of the user's
        return value

    @field_validator("lag", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(f"must be a number, of seconds, or days for dates, not {value!r}")  # noqa: TRY004 - as above
        return value

    @field_validator("datetime_format")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is None or "%" in value or value in TIME_WORDS:
            return value
        hint = did_you_mean(nearest(value, TIME_WORDS))
        words = ", ".join(TIME_WORDS)
        raise ValueError(f"{value!r} is neither a strftime pattern nor one of {words}{hint}")


class SchemaContract(StrictModel):
    """What happens when the data do not fit the tables that are there."""

    tables: ContractMode | None = Field(None, description="A new table.")
    columns: ContractMode | None = Field(None, description="A new column.")
    data_type: ContractMode | None = Field(None, description="A value of another type.")


class ColumnHint(StrictModel):
    """What is known of a column beforehand."""

    data_type: (
        Literal[
            "text", "double", "bool", "timestamp", "bigint", "binary", "json", "decimal", "wei",
            "date", "time",
        ]
        | None
    ) = Field(None, description="dlt's name of the type.")  # fmt: skip
    nullable: StrictBool | None = Field(None, description="Whether it may be null.")
    precision: StrictInt | None = Field(None, description="Digits, or length.")
    scale: StrictInt | None = Field(None, description="Digits after the point.")
    timezone: StrictBool | None = Field(None, description="Whether a timestamp has a time zone.")
    description: StrictStr | None = Field(None, description="Comment of the column.")
    hard_delete: StrictBool | None = Field(
        None, description="merge: rows in which it is set are deleted."
    )
    dedup_sort: Literal["asc", "desc"] | None = Field(
        None, description="merge: which of several rows of one key wins."
    )
    cluster: StrictBool | None = Field(None, description="Cluster the table by it.")


class DltResource(StrictModel):
    """One resource, with the file's `defaults` under it."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        **META_KEYS_ELSEWHERE,
        **dict.fromkeys(("loader_file_format", "replace_strategy", "config"), OF_FILE),
    }

    table_name: StrictStr | None = Field(
        None, description="Table that it loads; by default the resource's name."
    )
    description: StrictStr | None = Field(None, description="Shown in the catalog.")
    disabled: StrictBool = Field(False, description="Leaves the resource out.")
    write_disposition: Disposition | WriteDisposition = Field(
        "append", description="`append`, `replace` or `merge`, or a mapping with options."
    )
    primary_key: Names | None = Field(None, description="Columns by which rows are merged.")
    merge_key: Names | None = Field(
        None, description="Columns whose loaded values replace all rows that have them."
    )
    incremental: Incremental | None = Field(
        None, description="Read only what is new.", examples=[{"cursor_path": "updated_at"}]
    )
    schema_contract: ContractMode | SchemaContract | None = Field(
        None, description="What happens to data that do not fit the tables."
    )
    columns: dict[StrictStr, ColumnHint] | None = Field(
        None,
        description="Hints by column.",
        examples=[{"at": {"data_type": "timestamp"}}],
    )
    max_table_nesting: Annotated[StrictInt, Field(ge=0)] | None = Field(
        None, description="How deep nested data become child tables; deeper ones become JSON."
    )
    meta: dict[str, Any] | None = Field(
        None, description="`meta.dagster` is the block of this reference; dlt ignores it."
    )

    @field_validator("write_disposition", mode="before")
    @classmethod
    def _is_no_strategy(cls, value: object) -> object:
        if value in get_args(MergeStrategy):
            example = f"{{disposition: merge, strategy: {value}}}"
            raise ValueError(f"{value} is a strategy of merge: write {example}")
        return value

    @property
    def disposition(self) -> Disposition:
        """What happens to the rows that are there: append, replace or merge."""
        given = self.write_disposition
        return given if isinstance(given, str) else given.disposition

    @property
    def strategy(self) -> MergeStrategy | None:
        """How rows are merged, None for dlt's default."""
        given = self.write_disposition
        return None if isinstance(given, str) else given.strategy


def _or_none(value: object) -> object:
    """Take a key whose lines are all commented out for one that is not there."""
    return {} if value is None else value


def _refuse_truncating(value: object) -> object:
    if value == "truncate-and-insert":
        raise ValueError(
            "truncate-and-insert empties a table before it is loaded, for whoever reads it:"
            " insert-from-staging and staging-optimized replace it whole"
        )
    return value


class PipelineFile(StrictModel):
    """A dlt pipeline: where it reads, what it loads."""

    pipeline: StrictStr = Field(
        description="The pipeline's name: of its state, and the system in asset keys."
    )
    dataset: StrictStr = Field(description="The schema in database RAW that holds its tables.")
    source: dict[str, Any] = Field(
        description="One of `rest_api`, `sql_database`, `filesystem` (dlt's own configuration) and"
        " `python` (`module:function`, with `args` beside it)."
    )
    loader_file_format: Literal["parquet", "jsonl", "csv"] = Field(
        "parquet", description="Format of the staged files."
    )
    replace_strategy: Annotated[
        Literal["insert-from-staging", "staging-optimized"], BeforeValidator(_refuse_truncating)
    ] = Field("insert-from-staging", description="How `replace` replaces a table.")
    config: Annotated[dict[str, Any], BeforeValidator(_or_none)] = Field(
        {}, description="dlt's own settings, as its `config.toml` has them."
    )
    defaults: Annotated[dict[str, Any], BeforeValidator(_or_none)] = Field(
        {}, description="What holds for every resource."
    )
    resources: Annotated[dict[StrictStr, dict[str, Any] | None], Field(min_length=1)] = Field(
        description="Each resource to load, by its name in the source."
    )
