"""The `checks` block: what must hold for an asset's table, as Dagster's check specs."""

from __future__ import annotations

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from factories.core.yaml.models import Names, StrictModel


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
