"""What the `checks` block says of columns."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from factories.core.meta.check_options import (
    CheckOptions,
    ColumnName,
    Value,
    as_rules,
    check_each_once,
    short_form,
)
from factories.core.meta.keys import AssetKeyText
from factories.core.meta.times import TimezoneText
from factories.core.yaml.models import Duration, StrictModel, as_list


class NotNullCheck(CheckOptions):
    """A column without nulls, with options of its own."""

    column: ColumnName = Field(description="The column.")


class UniqueCheck(CheckOptions):
    """A column, or a combination of columns, whose values differ in every row.

    Rows in which one of them is null do not count.
    """

    column: ColumnName | None = Field(None, description="The column.")
    columns: Annotated[tuple[ColumnName, ...], BeforeValidator(as_list)] | None = Field(
        None, description="Columns whose values differ together, in place of `column`."
    )

    @field_validator("columns")
    @classmethod
    def _are_columns(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        check_each_once(columns or ())
        if columns is not None and not columns:
            raise ValueError("must not be empty")
        return columns

    @model_validator(mode="after")
    def _has_columns(self) -> UniqueCheck:
        if (self.column is None) == (self.columns is None):
            raise ValueError("give either column or columns")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return (self.column,) if self.column is not None else self.columns or ()


class AcceptedValuesCheck(CheckOptions):
    """The values that a column may have; nulls pass."""

    values: Annotated[tuple[Value, ...], BeforeValidator(as_list)] = Field(
        description="Texts, numbers, `true` or `false`."
    )

    @field_validator("values")
    @classmethod
    def _are_values(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not values:
            raise ValueError("must not be empty")
        seen: set[tuple[type, Any]] = set()
        for value in values:
            if (type(value), value) in seen:
                raise ValueError(f"{value!r} is listed twice")
            seen.add((type(value), value))
        return values


class RelationshipCheck(CheckOptions):
    """The values of a column are found in a column of another asset's table; nulls pass."""

    to: AssetKeyText = Field(
        description="The asset whose table holds the values: the one that it last recorded."
    )
    field: ColumnName | None = Field(
        None, description="The column there; by default the one of the same name."
    )


class ColumnFreshnessCheck(CheckOptions):
    """The newest value of a column of dates or timestamps is not older than a duration.

    A date counts from its beginning. A column without any value fails.
    """

    max_age: Duration = Field(description="The age at most.")
    timezone: TimezoneText = Field(
        "UTC", description="Time zone of dates and timestamps that have none (TIMESTAMP_NTZ)."
    )

    @field_validator("max_age")
    @classmethod
    def _is_some_time(cls, max_age: timedelta) -> timedelta:
        if not max_age:
            raise ValueError("nothing is ever that fresh")
        return max_age


NotNullRule = Annotated[
    NotNullCheck, short_form("id, or {column: id, severity: warn}", text="column")
]
UniqueRule = Annotated[
    UniqueCheck,
    short_form(
        "id, [day, code], or {column: id, severity: warn}", text="column", several="columns"
    ),
]
AcceptedValuesRule = Annotated[
    AcceptedValuesCheck,
    short_form("[a, b], or {values: [a, b], severity: warn}", text="values", several="values"),
]
RelationshipRule = Annotated[
    RelationshipCheck, short_form("shop/raw/orders, or {to: shop/raw/orders}", text="to")
]
FreshnessRule = Annotated[
    ColumnFreshnessCheck, short_form("36h, or {max_age: 36h, severity: warn}", text="max_age")
]


class ColumnsCheck(StrictModel):
    """What must hold for the values of columns."""

    not_null: Annotated[tuple[NotNullRule, ...], BeforeValidator(as_rules)] = Field(
        (),
        description="Columns without nulls. The check of `id` is `not_null_id`; a name with other"
        " characters than letters, digits and `_` gives its readable part and a digest.",
    )
    unique: Annotated[tuple[UniqueRule, ...], BeforeValidator(as_rules)] = Field(
        (), description="Columns whose values differ in every row; checks named as above."
    )
    accepted_values: dict[ColumnName, AcceptedValuesRule] = Field(
        {}, description="The only values of a column: `{origin: [EWR, JFK, LGA]}`."
    )
    relationships: dict[ColumnName, RelationshipRule] = Field(
        {},
        description="The asset that has the values of a column: `{carrier: ops/raw/airlines}`.",
    )
    freshness: dict[ColumnName, FreshnessRule] = Field(
        {}, description="How old a column's newest value may be: `{updated_at: 36h}`."
    )

    @field_validator("not_null")
    @classmethod
    def _not_null_once(cls, checks: tuple[NotNullCheck, ...]) -> tuple[NotNullCheck, ...]:
        check_each_once([check.column for check in checks])
        return checks

    @field_validator("unique")
    @classmethod
    def _unique_once(cls, checks: tuple[UniqueCheck, ...]) -> tuple[UniqueCheck, ...]:
        check_each_once([", ".join(check.names) for check in checks])
        return checks
