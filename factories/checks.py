"""Asset checks from YAML: rows, columns and schema, each one query after a load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import dagster as dg
from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from factories.models import Names, StrictModel

COLUMN_SCHEMA = "dagster/column_schema"


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


class Query(Protocol):
    """Runs one SQL statement and returns its rows."""

    def __call__(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return all rows of the statement's result."""
        ...


@dataclass(frozen=True)
class LoadedTable:
    """What the checks look at.

    Attributes:
        relation: Database, schema and table, quoted where needed.
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
    """Run the checks of one table; a check that cannot run (no such column) has failed."""
    if spec.rows:
        yield _rows(key, spec.rows, table)
    if spec.columns:
        for column in spec.columns.not_null:
            sql = f"select count(*) from {table.relation} where {{column}} is null"  # noqa: S608 - names from the project's own YAML
            yield _column(key, f"not_null_{column.lower()}", column, sql, table)
        for column in spec.columns.unique:
            sql = f"select count({{column}}) - count(distinct {{column}}) from {table.relation}"  # noqa: S608 - as above
            yield _column(key, f"unique_{column.lower()}", column, sql, table)
    if spec.schema_:
        yield _no_removed_columns(key, table)


def _rows(key: dg.AssetKey, rule: RowsCheck, table: LoadedTable) -> dg.AssetCheckResult:
    count = int(table.query(f"select count(*) from {table.relation}")[0][0])  # noqa: S608 - as above
    low = rule.min is None or count >= rule.min
    high = rule.max is None or count <= rule.max
    bounds = rule.model_dump(exclude_none=True)
    return dg.AssetCheckResult(
        passed=low and high,
        asset_key=key,
        check_name="row_count",
        metadata={"rows": count, **bounds},
    )


def _column(
    key: dg.AssetKey, name: str, column: str, sql: str, table: LoadedTable
) -> dg.AssetCheckResult:
    found = next((known for known in table.columns if known.lower() == column.lower()), None)
    if found is None:
        return dg.AssetCheckResult(
            passed=False,
            asset_key=key,
            check_name=name,
            description=f"The table has no column {column}.",
            metadata={"columns": list(table.columns)},
        )
    wrong = int(table.query(sql.format(column=f'"{found}"'))[0][0])
    return dg.AssetCheckResult(
        passed=wrong == 0, asset_key=key, check_name=name, metadata={"rows_that_fail": wrong}
    )


def _no_removed_columns(key: dg.AssetKey, table: LoadedTable) -> dg.AssetCheckResult:
    now = {column.lower() for column in table.columns}
    removed = [column for column in table.previous_columns or () if column.lower() not in now]
    return dg.AssetCheckResult(
        passed=not removed,
        asset_key=key,
        check_name="no_removed_columns",
        metadata={"removed_columns": removed},
    )


def previous_columns(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[str] | None:
    """Return the column names that the last materialization of an asset recorded."""
    event = instance.get_latest_materialization_event(key)
    materialization = event.asset_materialization if event else None
    value = materialization.metadata.get(COLUMN_SCHEMA) if materialization else None
    if not isinstance(value, dg.TableSchemaMetadataValue):
        return None
    return [column.name for column in value.schema.columns]
