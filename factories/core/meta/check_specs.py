"""The `checks` block: what must hold for an asset's table, as Dagster's check specs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from factories.core.meta.names import dagster_name, digest
from factories.core.yaml.models import Names, StrictModel

LONGEST_COLUMN = 255  # as Snowflake has it


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

    not_null: Names = Field(
        (),
        description="Columns without nulls. The check of `id` is `not_null_id`; a name with other"
        " characters than letters, digits and `_` gives its readable part and a digest.",
    )
    unique: Names = Field(
        (), description="Columns whose values differ in every row; checks named as above."
    )

    @field_validator("not_null", "unique")
    @classmethod
    def _each_once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        for column in columns:
            if not column:
                raise ValueError("the name of a column is empty")
            if len(column) > LONGEST_COLUMN:
                raise ValueError(f"{column[:20]}… is longer than {LONGEST_COLUMN} characters")
            if columns.count(column) > 1:
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


@dataclass(frozen=True)
class ColumnCheck:
    """One check of one column.

    Attributes:
        name: The check's name in Dagster, which differs from those of the other columns.
        column: The column, as YAML names it.
        unique: Whether the values must differ; else none may be null.
    """

    name: str
    column: str
    unique: bool

    @property
    def description(self) -> str:
        """What must hold, as a sentence."""
        if self.unique:
            return f"The values of the column {self.column} differ in every row."
        return f"The column {self.column} has no nulls."


def column_checks(spec: ChecksSpec) -> Iterator[ColumnCheck]:
    """Yield the checks of columns that a `checks` block describes."""
    if spec.columns:
        for column, name in _name_checks("not_null", spec.columns.not_null).items():
            yield ColumnCheck(name, column, unique=False)
        for column, name in _name_checks("unique", spec.columns.unique).items():
            yield ColumnCheck(name, column, unique=True)


def _name_checks(kind: str, columns: Sequence[str]) -> dict[str, str]:
    """Return the name of each column's check, in the order of the columns.

    Of columns that differ in case alone, the one in lower case has the plain name.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for column in sorted(columns, reverse=True):
        name = f"{kind}_{dagster_name(column.lower())}"
        while name in taken:
            name = f"{name}_{digest(column)}"
        taken.add(name)
        names[column] = name
    return {column: names[column] for column in columns}


def check_names(spec: ChecksSpec | None) -> list[str]:
    """Return the names of the checks that a `checks` block describes."""
    if spec is None:
        return []
    names = ["row_count"] if spec.rows else []
    names += [check.name for check in column_checks(spec)]
    return [*names, "no_removed_columns"] if spec.schema_ else names


def check_specs(key: dg.AssetKey, spec: ChecksSpec | None) -> list[dg.AssetCheckSpec]:
    """Return the Dagster specs of the checks of one asset."""
    if spec is None:
        return []
    of_columns = {check.name: check for check in column_checks(spec)}
    return [
        dg.AssetCheckSpec(
            name,
            asset=key,
            blocking=spec.blocking,
            description=of_columns[name].description if name in of_columns else None,
            metadata={"column": of_columns[name].column} if name in of_columns else None,
        )
        for name in check_names(spec)
    ]
