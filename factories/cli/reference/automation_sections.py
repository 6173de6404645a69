"""The sections of the reference on jobs, schedules and sensors."""

from __future__ import annotations

from factories.automation.schema import AutomationFile, JobItem, ScheduleItem, SensorItem
from factories.automation.sensor_schema import (
    AssetUpdateSensor,
    DbtModelUpdateSensor,
    FilesSensor,
    RunStatusSensor,
    SqlSensor,
    WebhookQueueSensor,
)
from factories.cli.reference.section import Section

SENSORS = "mapping of names to sensors: [files](#sensor-files)," + ",".join(
    f" [{title}](#sensor-{title})"
    for title in ("asset_update", "dbt_model_update", "run_status", "sql", "webhook_queue")
)

AUTOMATION_SECTIONS = (
    Section(
        "Automation",
        AutomationFile,
        "`automation.yaml` in the folder of a code location, or `jobs.yaml`, `schedules.yaml` and"
        " `sensors.yaml` beside it, each with its key.",
        """\
jobs:
  load_flight_ops: {selection: group:flight_ops}
schedules:
  nightly: {cron: "0 5 * * *", timezone: America/New_York, job: load_flight_ops}
sensors:
  new_files: {type: files, path: "s3://landing/flights/*.csv", job: load_files}
""",
        types={
            "jobs": "mapping of names to [jobs](#a-job)",
            "schedules": "mapping of names to [schedules](#a-schedule)",
            "sensors": SENSORS,
        },
    ),
    Section(
        "A job",
        JobItem,
        "Give `selection` or `dbt_select`. It has the partitions of what it selects, of one kind.",
        "{selection: group:flight_ops, tags: {team: flight-ops}}\n",
        level=3,
    ),
    Section(
        "A schedule",
        ScheduleItem,
        "Give `job`, `selection` or `dbt_select`. Of assets with partitions by time it runs those"
        " that have ended since the tick before; of static ones, all.",
        '{cron: "0 5 * * *", timezone: America/New_York, dbt_select: tag:daily,'
        " environments: prod}\n",
        level=3,
    ),
    Section(
        "A sensor",
        SensorItem,
        "Every sensor takes these keys, and those of its type. Give `job`, `selection` or"
        " `dbt_select`."
        " In `run_config` and `tags` what the type says stands for what the sensor has seen,"
        " between braces; `{{` and `}}` stand for braces.",
        level=3,
    ),
    Section(
        "Sensor `files`",
        FilesSensor,
        "`{path}`, `{name}`, `{stem}` (the name without its ending) and `{size}` stand for the"
        " file's; `{paths}` for the list of them, also where a run gets several. A partition that"
        " is new is added, where the job's are dynamic.",
        """\
type: files
path: s3://landing/flights/*.csv
storage_options: {key: "${LANDING_KEY}", secret: "${LANDING_SECRET}"}
job: load_file
run_config: {ops: {load_file: {config: {path: "{path}"}}}}
""",
        level=3,
        without=SensorItem,
    ),
    Section(
        "Sensor `asset_update`",
        AssetUpdateSensor,
        "A job with partitions runs that of the update. `{asset}`, `{partition}` and `{run_id}`"
        " stand for the latest update.",
        "{type: asset_update, assets: [flight_ops/raw/flights], job: report}\n",
        level=3,
        without=SensorItem,
    ),
    Section(
        "Sensor `dbt_model_update`",
        DbtModelUpdateSensor,
        example='{type: dbt_model_update, models: "tag:daily", when: all, job: report}\n',
        level=3,
        without=SensorItem,
    ),
    Section(
        "Sensor `run_status`",
        RunStatusSensor,
        "`{ended_job}`, `{location}`, `{run_id}` and `{partition}` stand for the run that ended.",
        "{type: run_status, jobs: [ingestion/load_flight_ops], job: report}\n",
        level=3,
        without=SensorItem,
    ),
    Section(
        "Sensor `sql`",
        SqlSensor,
        "`{value}` stands for the first column of the result's first row.",
        """\
type: sql
query: select max(loaded_at) from {loads}
tables: {loads: RAW.FLIGHT_OPS.LOADS}
job: report
""",
        level=3,
        without=SensorItem,
    ),
    Section(
        "Sensor `webhook_queue`",
        WebhookQueueSensor,
        "`{id}` and `{payload}` stand for the row's; `{payload.order.id}` for a field of the"
        " payload.",
        """\
type: webhook_queue
table: RAW.WEBHOOKS.EVENTS
job: handle_event
run_config: {ops: {handle_event: {config: {payload: "{payload}"}}}}
""",
        level=3,
        without=SensorItem,
    ),
)
