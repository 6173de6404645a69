"""The `checks` block of YAML: what must hold for an asset's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from factories.core.meta.check_columns import ColumnsCheck
from factories.core.meta.check_options import (
    CheckOptions,
    Number,
    Percentage,
    Severity,
    as_rules,
    check_bounds,
    check_each_once,
    short_form,
)
from factories.core.meta.names import PLAIN
from factories.core.meta.sql_expression import SqlExpression
from factories.core.yaml.models import StrictModel

Expectation = Literal["no_removed_columns", "unchanged"]


class RowsChange(CheckOptions):
    """How far the number of rows may be from that of earlier runs.

    Compared are the rows of the whole table with the median of those that the last runs recorded,
    whichever partitions these loaded. Without such a run the check passes and says so.
    """

    min: Percentage | None = Field(
        None, description="The change at least: `-20%` allows a fifth fewer rows."
    )
    max: Percentage | None = Field(
        None, description="The change at most: `50%` allows half as many again."
    )
    runs: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
        7, description="How many runs are looked back at."
    )

    @model_validator(mode="after")
    def _bounds_something(self) -> RowsChange:
        check_bounds(self.min, self.max)
        if self.min is not None and self.min < -100:  # noqa: PLR2004 - percent
            raise ValueError("min: a table cannot lose more than -100% of its rows")
        return self


class RowsCheck(CheckOptions):
    """How many rows the table must have; its `severity` and `blocking` hold for `change` too."""

    min: Annotated[StrictInt, Field(ge=0)] | None = Field(None, description="At least this many.")
    max: Annotated[StrictInt, Field(ge=0)] | None = Field(None, description="At most this many.")
    change: RowsChange | None = Field(
        None,
        description="How far it may be from earlier runs: the check `row_count_change`.",
        examples=[{"min": "-20%", "max": "50%"}],
    )

    @model_validator(mode="after")
    def _bounds_something(self) -> RowsCheck:
        if self.change is None or (self.min, self.max) != (None, None):
            check_bounds(self.min, self.max, beside="change")
        return self


class SqlCheck(CheckOptions):
    """A condition that must hold in every row, or a figure of the whole table with its bounds.

    A condition that is null, and a figure that is null, pass, as with SQL's own CHECK.
    """

    condition: SqlExpression | None = Field(
        None, description="A condition of a row, in the warehouse's SQL: `arrival >= departure`."
    )
    value: SqlExpression | None = Field(
        None, description="An aggregate of the table, in the warehouse's SQL: `avg(delay)`."
    )
    min: Number | None = Field(None, description="The `value` at least.")
    max: Number | None = Field(None, description="The `value` at most.")
    description: StrictStr | None = Field(
        None, description="What it means; by default the SQL in words."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> SqlCheck:
        if (self.condition is None) == (self.value is None):
            raise ValueError("give either condition, or value with min and max")
        if self.value is not None:
            check_bounds(self.min, self.max)
        elif (self.min, self.max) != (None, None):
            raise ValueError("min and max go with value, not with condition")
        return self


class SchemaCheck(CheckOptions):
    """A rule about the table's columns, with options of its own."""

    expect: Expectation = Field(description="The rule.")


SchemaRule = Annotated[
    SchemaCheck, short_form("unchanged, or {expect: unchanged, severity: warn}", text="expect")
]
SqlRule = Annotated[SqlCheck, short_form("a >= b, or {value: avg(a), max: 9}", text="condition")]


class ChecksSpec(StrictModel):
    """Checks of the whole table, run after each load, in the same step, by one query."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "condition": "belongs below a name below sql",
        "change": "belongs below rows",
    }

    rows: RowsCheck | None = Field(
        None, description="How many rows the table must have: the check `row_count`."
    )
    columns: ColumnsCheck | None = Field(None, description="What must hold for columns.")
    schema_: Annotated[tuple[SchemaRule, ...], BeforeValidator(as_rules)] = Field(
        (),
        alias="schema",
        description="`no_removed_columns`: every column of the last load is still there."
        " `unchanged`: no column was added or removed, none has another type; the check"
        " `schema_unchanged`. One of them, or a list.",
    )
    sql: dict[StrictStr, SqlRule] = Field(
        {}, description="Conditions and figures of your own, by the names of their checks."
    )
    severity: Severity = Field(
        "error", description="Of the checks that say none; `warn` holds nothing back."
    )
    blocking: StrictBool = Field(
        True, description="Whether a failed check holds back the assets downstream."
    )

    @field_validator("schema_")
    @classmethod
    def _rules_once(cls, rules: tuple[SchemaCheck, ...]) -> tuple[SchemaCheck, ...]:
        check_each_once([rule.expect for rule in rules], what="")
        return rules

    @field_validator("sql")
    @classmethod
    def _are_names(cls, checks: Mapping[str, SqlCheck]) -> Mapping[str, SqlCheck]:
        for name in checks:
            if not PLAIN.fullmatch(name):
                raise ValueError(f"{name!r} is not a check's name: letters, digits and '_'")
        return checks
