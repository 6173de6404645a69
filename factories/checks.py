"""Asset checks from YAML: rows, columns and schema, each one query after a load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, Protocol

import dagster as dg
from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from factories.models import Names, StrictModel
from factories.sql_text import identifier

COLUMN_SCHEMA = "dagster/column_schema"
Outcome = tuple[bool, dict[str, Any], str | None]
Check = Callable[[], Outcome]


class RowsCheck(StrictModel):
    """How many rows the table must have."""

    min: Annotated[StrictInt, Field(ge=0)] | None = Field(None, description="At least this many.")
    max: Annotated[StrictInt, Field(ge=0)] | None = Field(None, description="At most this many.")

    @model_validator(mode="after")
    def _bounds_something(self) -> RowsCheck:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min must not be greater than max")
        return self


class ColumnsCheck(StrictModel):
    """What must hold for the values of columns."""

    not_null: Names = Field((), description="Columns without nulls.")
    unique: Names = Field((), description="Columns whose values differ in every row.")

    @field_validator("not_null", "unique")
    @classmethod
    def _each_once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        lower = [column.lower() for column in columns]
        for column in columns:
            if lower.count(column.lower()) > 1:
                raise ValueError(f"the column {column} is listed twice")
        return columns


class ChecksSpec(StrictModel):
    """Checks of the whole table, run after each load, in the same step."""

    rows: RowsCheck | None = Field(None, description="How many rows the table must have.")
    columns: ColumnsCheck | None = Field(None, description="What must hold for columns.")
    schema_: Literal["no_removed_columns"] | None = Field(
        None,
        alias="schema",
        description="`no_removed_columns`: every column of the last load is still there.",
    )
    blocking: StrictBool = Field(
        True, description="Whether a failed check holds back the assets downstream."
    )


class QueryFailedError(Exception):
    """The warehouse refuses a statement, or does not answer; the text is its own."""


class Query(Protocol):
    """Runs one SQL statement and returns its rows."""

    def __call__(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return all rows of the statement's result.

        Raises:
            QueryFailedError: When there is no result.
        """
        ...


@dataclass(frozen=True)
class LoadedTable:
    """What the checks look at.

    Attributes:
        relation: The table, as SQL calls it.
        columns: The columns' types by name, as the warehouse has them now.
        previous_columns: The columns' names at the last materialization before this one.
        query: Runs a statement on the warehouse.
    """

    relation: str
    columns: Mapping[str, str]
    previous_columns: Sequence[str] | None
    query: Query


def check_names(spec: ChecksSpec | None) -> list[str]:
    """Return the names of the checks that a `checks` block describes."""
    if spec is None:
        return []
    names = ["row_count"] if spec.rows else []
    if spec.columns:
        names += [f"not_null_{column.lower()}" for column in spec.columns.not_null]
        names += [f"unique_{column.lower()}" for column in spec.columns.unique]
    return [*names, "no_removed_columns"] if spec.schema_ else names


def check_specs(key: dg.AssetKey, spec: ChecksSpec | None) -> list[dg.AssetCheckSpec]:
    """Return the Dagster specs of the checks of one asset."""
    if spec is None:
        return []
    return [
        dg.AssetCheckSpec(name, asset=key, blocking=spec.blocking) for name in check_names(spec)
    ]


def run_checks(
    key: dg.AssetKey, spec: ChecksSpec, table: LoadedTable
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of one table; a check that cannot run has failed, and spares the others."""
    for name, run in _checks(spec, table):
        try:
            passed, details, description = run()
        except QueryFailedError as error:
            passed, details, description = False, {}, str(error)
        yield dg.AssetCheckResult(
            passed=passed,
            asset_key=key,
            check_name=name,
            metadata=details,
            description=description,
        )


def _checks(spec: ChecksSpec, table: LoadedTable) -> Iterator[tuple[str, Check]]:
    """Yield each check's name, as `check_names` has it, and what runs it."""
    if spec.rows:
        yield "row_count", partial(_rows, spec.rows, table)
    if spec.columns:
        for column in spec.columns.not_null:
            sql = f"select count(*) from {table.relation} where {{column}} is null"  # noqa: S608 - names from the project's own YAML
            yield f"not_null_{column.lower()}", partial(_column, column, sql, table)
        for column in spec.columns.unique:
            sql = f"select count({{column}}) - count(distinct {{column}}) from {table.relation}"  # noqa: S608 - as above
            yield f"unique_{column.lower()}", partial(_column, column, sql, table)
    if spec.schema_:
        yield "no_removed_columns", partial(_no_removed_columns, table)


def _rows(rule: RowsCheck, table: LoadedTable) -> Outcome:
    count = int(table.query(f"select count(*) from {table.relation}")[0][0])  # noqa: S608 - as above
    low = rule.min is None or count >= rule.min
    high = rule.max is None or count <= rule.max
    bounds = {
        name: value for name, value in (("min", rule.min), ("max", rule.max)) if value is not None
    }
    return low and high, {"rows": count, **bounds}, None


def _column(column: str, sql: str, table: LoadedTable) -> Outcome:
    found = next((known for known in table.columns if known.lower() == column.lower()), None)
    if found is None:
        return False, {"columns": list(table.columns)}, f"The table has no column {column}."
    wrong = int(table.query(sql.format(column=identifier(found)))[0][0])
    return wrong == 0, {"rows_that_fail": wrong}, None


def _no_removed_columns(table: LoadedTable) -> Outcome:
    now = {column.lower() for column in table.columns}
    removed = [column for column in table.previous_columns or () if column.lower() not in now]
    return not removed, {"removed_columns": removed}, None


def previous_columns(
    instance: dg.DagsterInstance, key: dg.AssetKey, *, before: float | None = None
) -> list[str] | None:
    """Return the column names that the last materialization of an asset recorded.

    Args:
        instance: Dagster's.
        key: The asset.
        before: The time before which it was materialized; without it, up to now.
    """
    if before is None:
        event = instance.get_latest_materialization_event(key)
    else:
        earlier = dg.AssetRecordsFilter(asset_key=key, before_timestamp=before)
        records = instance.fetch_materializations(earlier, limit=1).records
        event = records[0].event_log_entry if records else None
    materialization = event.asset_materialization if event else None
    value = materialization.metadata.get(COLUMN_SCHEMA) if materialization else None
    if not isinstance(value, dg.TableSchemaMetadataValue):
        return None
    return [column.name for column in value.schema.columns]
