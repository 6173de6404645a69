"""What the sensors of YAML may say, kind by kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from factories.automation.schema import FilledText, SensorItem
from factories.core.meta.keys import AssetKeyNames
from factories.core.yaml.models import Names

TABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){2}")
COLUMN = re.compile(r"[A-Za-z_]\w*")


def _table(value: str) -> str:
    if not TABLE.fullmatch(value):
        raise ValueError(f"{value!r} is not a table like RAW.WEBHOOKS.EVENTS")
    return value


def _column(value: str) -> str:
    if not COLUMN.fullmatch(value):
        raise ValueError(f"{value!r} is not the name of a column: letters, digits and '_'")
    return value


TableText = Annotated[StrictStr, AfterValidator(_table)]
ColumnText = Annotated[StrictStr, AfterValidator(_column)]
Limit = Annotated[StrictInt, Field(ge=1, le=1000)]
PARTITION = "The partition to run, of a job that has partitions; placeholders are replaced."


class FilesSensor(SensorItem):
    """Runs something for each new or changed file."""

    placeholders: ClassVar[tuple[str, ...]] = ("path", "name", "stem", "size", "paths")

    type: Literal["files"] = Field(description="New and changed files.")
    path: FilledText = Field(
        description="The files, with `*`, `?`, `[…]` within a name and `**` for folders of any"
        " depth: `s3://bucket/in/*.csv`, or a local path."
    )
    storage_options: dict[StrictStr, Any] = Field(
        {}, description="Arguments of the fsspec file system; secrets as `${NAME}`."
    )
    ready_suffix: FilledText | None = Field(
        None,
        description="Take a file when one of its name and this ending lies beside it, and again"
        " when that one is new. Without it a file is taken when it is the same at two looks.",
    )
    files_per_run: Limit = Field(1, description="How many files one run gets at most.")
    files_per_tick: Limit = Field(
        100, description="How many files one look takes at most; the others are next."
    )
    take_existing: StrictBool = Field(
        True, description="Whether files that are there at the first look count as new."
    )
    partition: FilledText | None = Field(None, description=PARTITION)

    @model_validator(mode="after")
    def _takes_whole_runs(self) -> FilesSensor:
        if self.files_per_run > self.files_per_tick:
            raise ValueError("files_per_run must not be more than files_per_tick")
        return self


class AssetUpdateSensor(SensorItem):
    """Runs something when assets were updated, of any code location."""

    placeholders: ClassVar[tuple[str, ...]] = ("asset", "partition", "run_id")

    type: Literal["asset_update"] = Field(description="Updates of assets.")
    assets: AssetKeyNames = Field(description="Their keys, of any code location.", min_length=1)
    when: Literal["any", "all"] = Field(
        "any", description="Whether one updated asset is enough, or each must have been updated."
    )


class DbtModelUpdateSensor(SensorItem):
    """Runs something when models of dbt were updated."""

    placeholders: ClassVar[tuple[str, ...]] = AssetUpdateSensor.placeholders

    type: Literal["dbt_model_update"] = Field(description="Updates of this location's dbt models.")
    models: FilledText = Field(description="The models, in dbt's selection syntax.")
    models_exclude: FilledText | None = Field(None, description="What to leave out of `models`.")
    when: Literal["any", "all"] = Field(
        "any", description="Whether one updated model is enough, or each must have been updated."
    )


class RunStatusSensor(SensorItem):
    """Runs something when runs of a job have ended."""

    placeholders: ClassVar[tuple[str, ...]] = ("run_id", "ended_job", "location", "partition")

    type: Literal["run_status"] = Field(description="The end of runs.")
    jobs: Annotated[Names, Field(min_length=1)] = Field(
        description="Jobs of this code location, or `location/job`."
    )
    status: Literal["success", "failure", "canceled"] = Field(
        "success", description="How the runs ended."
    )
    partition: FilledText | None = Field(None, description=PARTITION)


class SqlSensor(SensorItem):
    """Runs something when the result of a query has changed."""

    placeholders: ClassVar[tuple[str, ...]] = ("value",)

    type: Literal["sql"] = Field(description="The result of a query on the target's warehouse.")
    query: FilledText = Field(
        description="The query; `{name}` stands for a table of `tables`. At most 1,000 rows."
    )
    tables: dict[ColumnText, TableText] = Field(
        {}, description="Tables by the names that the query gives them: RAW.FLIGHT_OPS.FLIGHTS."
    )


class WebhookQueueSensor(SensorItem):
    """Runs something for each row that something else has put into a table."""

    placeholders: ClassVar[tuple[str, ...]] = ("id", "payload")

    type: Literal["webhook_queue"] = Field(description="Rows of a table of the warehouse.")
    table: TableText = Field(description="The table, without the target's suffixes.")
    id_column: ColumnText = Field(
        "id", description="What no two rows have in common, deleted ones among them."
    )
    order_column: ColumnText | None = Field(
        None, description="What the rows are taken in the order of; by default `id_column`."
    )
    payload_column: ColumnText = Field("payload", description="JSON, or text.")
    acknowledged_column: ColumnText = Field(
        "acknowledged_at", description="A time: null until the row's run has been requested."
    )
    rows_per_tick: Limit = Field(100, description="How many rows one look takes at most.")
    partition: FilledText | None = Field(None, description=PARTITION)


AnySensor = (
    FilesSensor
    | AssetUpdateSensor
    | DbtModelUpdateSensor
    | RunStatusSensor
    | SqlSensor
    | WebhookQueueSensor
)
SENSORS: dict[str, type[SensorItem]] = {
    "files": FilesSensor,
    "asset_update": AssetUpdateSensor,
    "dbt_model_update": DbtModelUpdateSensor,
    "run_status": RunStatusSensor,
    "sql": SqlSensor,
    "webhook_queue": WebhookQueueSensor,
}
