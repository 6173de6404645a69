"""The model of the YAML in `snowpark/`: features, models, scores and other tables of one area."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from factories.core.meta.keys import AssetKeyText
from factories.core.meta.times import DateText
from factories.core.yaml.models import StrictModel, as_list

Kind = Literal["features", "models", "scores", "tables"]
Mode = Literal["overwrite", "append", "merge"]
RunsIn = Literal["snowflake", "client"]
Direction = Literal["maximize", "minimize"]

NAME = re.compile(r"[a-z][a-z0-9_]*")
IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
COLUMN = re.compile(IDENTIFIER)
TABLE = re.compile(rf"{IDENTIFIER}\.{IDENTIFIER}\.{IDENTIFIER}")
# A name as PEP 508 has it, with the version specifiers that Snowflake's PACKAGES takes:
# https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-examples
VERSION = r"\s*(==\s*\w+(\.\w+)*(\.\*)?|[<>]=?\s*\w+(\.\w+)*)\s*"
PACKAGE = re.compile(
    rf"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?({VERSION}(,{VERSION})*)?", re.ASCII
)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(f"{value!r} must be lower-case letters, digits and _")
    return value


def _column(value: str) -> str:
    if not COLUMN.fullmatch(value):
        raise ValueError(f"{value!r} is not a column name: letters, digits and _, without quotes")
    return value


def _table(value: str) -> str:
    if not TABLE.fullmatch(value):
        raise ValueError(f"{value!r} is not a table like ML.DELAY.FEATURES")
    return value


def _package(value: str) -> str:
    if not PACKAGE.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a package that Snowflake can take, like numpy, numpy==2.3.* or"
            " numpy>=2.1,<3"
        )
    return value


def _each_once(columns: tuple[str, ...]) -> tuple[str, ...]:
    lower = [column.lower() for column in columns]
    for column in columns:
        if lower.count(column.lower()) > 1:
            raise ValueError(f"the column {column} is listed twice")
    return columns


NameText = Annotated[StrictStr, AfterValidator(_name)]
ColumnText = Annotated[StrictStr, AfterValidator(_column)]
TableText = Annotated[StrictStr, AfterValidator(_table)]
FunctionText = Annotated[StrictStr, Field(min_length=1)]
Packages = Annotated[
    tuple[Annotated[StrictStr, AfterValidator(_package)], ...], BeforeValidator(as_list)
]
Columns = Annotated[tuple[ColumnText, ...], AfterValidator(_each_once)]


class InputOptions(StrictModel):
    """An input in its long form."""

    asset: AssetKeyText = Field(description="The asset that is read.")
    table: TableText | None = Field(
        None, description="Its table, where the convention does not give it."
    )
    whole: StrictBool = Field(
        False,
        description="Give a run of some partitions all of its rows, as what looks back in time"
        " needs; of the rows that are made, those of the partitions are then taken.",
    )


class Output(StrictModel):
    """The table that is written."""

    table: TableText = Field(
        description="Database, schema and table, as in production; each may be a reserved word."
    )
    mode: Mode = Field(
        "overwrite", description="What happens to the rows that are there: see above."
    )
    keys: Annotated[Columns, BeforeValidator(as_list)] = Field(
        (),
        description="Columns that distinguish a row from all others. `merge` needs them; in every"
        " mode nothing is written when two rows share them or one is null.",
    )


class ScoreOutput(StrictModel):
    """The table that a model's values are written to: keys, value, `model_version`, `scored_at`."""

    table: TableText = Field(
        description="Database, schema and table, as in production; each may be a reserved word."
    )
    mode: Literal["merge", "overwrite"] = Field(
        "merge", description="`merge` replaces the values of the keys that are scored."
    )
    keys: Annotated[
        Columns,
        BeforeValidator(as_list),
        Field(min_length=1),
    ] = Field(description="Columns of the features that distinguish a row from all others.")
    column: ColumnText = Field("score", description="The column that takes the value.")


class _Item(StrictModel):
    """What every entry may have."""

    name: NameText = Field(description="Last part of the asset key `ml/<area>/<name>`.")
    description: StrictStr | None = Field(None, description="Shown in the catalog.")
    packages: Packages = Field(
        (),
        description="Packages that the function needs inside Snowflake, such as `numpy==2.3.*` or"
        " `numpy>=2.1,<3`.",
    )
    warehouse: StrictStr | None = Field(
        None, description="Virtual warehouse; by default that of the target."
    )
    meta: dict[str, Any] | None = Field(
        None, description="`meta.dagster` is the block of this reference."
    )


class FeatureItem(_Item):
    """A table of features, built in the warehouse from a data frame that a function describes."""

    function: FunctionText = Field(
        description="`module:function` in `snowpark/`: takes `(session, inputs)`, returns a"
        " Snowpark data frame."
    )
    inputs: dict[NameText, AssetKeyText | InputOptions] = Field(
        {}, description="The assets that are read, by the name under which `inputs` has them."
    )
    output: Output = Field(description="The table that is written.")


class TableItem(_Item):
    """Any other table: a function like that of features, or a query."""

    function: FunctionText | None = Field(
        None,
        description="`module:function` in `snowpark/`: takes `(session, inputs)`, returns a"
        " Snowpark data frame.",
    )
    sql: Annotated[StrictStr, Field(min_length=1)] | None = Field(
        None, description="A query; `{name}` stands for the table of the input of that name."
    )
    inputs: dict[NameText, AssetKeyText | InputOptions] = Field(
        {}, description="The assets that are read, by the name under which the query has them."
    )
    output: Output = Field(description="The table that is written.")


class Split(StrictModel):
    """Which rows are for training, validation and test: by time, each bound is the next's first."""

    by: ColumnText = Field(description="The column of the features that holds a row's time.")
    train_until: DateText = Field(description="Rows before it are for training.")
    validate_until: DateText = Field(
        description="Rows before it are for validation; the rest is for the test, and training"
        " never sees it."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Split:
        first, second = (
            datetime.fromisoformat(text) for text in (self.train_until, self.validate_until)
        )
        if first >= second:
            raise ValueError("validate_until must come after train_until")
        return self


class Promote(StrictModel):
    """When a new version becomes the champion, judged on the candidate's own validation rows."""

    metric: StrictStr = Field(description="One of the model's metrics.")
    better_than_champion_by: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="How much better than the champion it must be, at least; 0: better at all."
    )
    at_least: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="The value that it must reach; of a metric that is maximized."
    )
    at_most: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="The value that it must not exceed; of a metric that is minimized."
    )

    @field_validator("better_than_champion_by", "at_least", "at_most", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        if isinstance(value, bool | str):
            raise ValueError("must be a number")  # noqa: TRY004 - what pydantic collects
        return value


class ModelItem(_Item):
    """A model that is trained on features, and its versions in the registry `ML.<AREA>.MODELS`."""

    features: StrictStr = Field(description="The features of this file that it is trained on.")
    target: ColumnText = Field(description="The column of the features that it predicts.")
    function: FunctionText = Field(
        description="`module:function` in `snowpark/`: takes `(training_data, params)`, a pandas"
        " data frame with columns in lower case and the parameters; returns a fitted estimator."
    )
    split: Split = Field(description="Which rows are for training, validation and test.")
    params: dict[StrictStr, Any] = Field({}, description="What the function takes as `params`.")
    metrics: Annotated[dict[StrictStr, Direction], Field(min_length=1)] = Field(
        description="What is measured on validation and test, and whether more is better."
    )
    promote: Promote | None = Field(
        None, description="When a new version becomes the champion; without it, never by itself."
    )
    runs_in: RunsIn = Field("snowflake", description="Where it is trained: there, or in the step.")


class ModelVersion(StrictModel):
    """A model's version."""

    name: StrictStr = Field(description="The model of this file.")
    version: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None, description="Its version; by default the champion."
    )


class ScoreItem(_Item):
    """What a model says of each row of its features."""

    model: StrictStr | ModelVersion = Field(
        description="The model of this file, whose champion is used; or a version of it."
    )
    function: FunctionText = Field(
        description="`module:function` in `snowpark/`: takes `(model, features)`, the estimator and"
        " a pandas data frame with columns in lower case; returns one value per row."
    )
    output: ScoreOutput = Field(description="The table that is written.")
    runs_in: RunsIn = Field("snowflake", description="Where it runs: there, or in the step.")

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.model if isinstance(self.model, str) else self.model.name

    @property
    def version(self) -> int | None:
        """The version that is named; None for the champion."""
        return None if isinstance(self.model, str) else self.model.version


class Defaults(StrictModel):
    """What holds for every entry of the file that does not say otherwise."""

    packages: Packages = Field((), description="As in an entry.")
    warehouse: StrictStr | None = Field(None, description="As in an entry.")
    runs_in: RunsIn | None = Field(None, description="As in a model or score.")
    meta: dict[str, Any] | None = Field(
        None, description="`meta.dagster` is the block of this reference."
    )


class AreaFile(StrictModel):
    """What is made with Snowpark for one area, which is the file's name without its ending."""

    defaults: dict[StrictStr, Any] = Field({}, description="What holds for every entry.")
    features: tuple[dict[StrictStr, Any], ...] = Field((), description="Tables of features.")
    models: tuple[dict[StrictStr, Any], ...] = Field((), description="Models, and their training.")
    scores: tuple[dict[StrictStr, Any], ...] = Field((), description="What models say of rows.")
    tables: tuple[dict[StrictStr, Any], ...] = Field((), description="Any other tables.")
