"""A pipeline with a resource of each write disposition, and one that reads the sample API."""

from __future__ import annotations

from kill_matrix.projects.project import (
    SOURCE_FIRST,
    SOURCE_SECOND,
    SOURCE_TABLE,
    Project,
    Work,
)

# Many files: the table has the rows of some while others are still to be copied.
SHOP = """\
pipeline: shop
dataset: shop
source:
  sql_database: {credentials: "${FLIGHT_OPS_URL}", schema: shop}
config: {normalize: {data_writer: {file_max_items: 100}}}
resources:
  appended: {write_disposition: append, incremental: {cursor_path: changed_at}}
  merged: {write_disposition: merge, primary_key: id, incremental: {cursor_path: changed_at}}
  replaced: {write_disposition: replace}
"""
# Many pages: the fifth is the one that is waited for.
WEATHER = """\
pipeline: weather
dataset: weather
source:
  rest_api:
    client:
      base_url: ${WEATHER_API_URL}
      paginator: {type: cursor, cursor_path: next_cursor, cursor_param: cursor}
    resources:
      - name: observations
        endpoint:
          path: observations
          data_selector: data
          params: {page_size: 200, since: "{incremental.start_value}"}
resources:
  observations:
    write_disposition: merge
    primary_key: [origin, time_hour]
    incremental: {cursor_path: time_hour, initial_value: "2013-12-01T00:00:00Z"}
"""
WORKS = {"append": "appended", "merge": "merged", "replace": "replaced"}
PROJECT = Project(
    tool="dlt",
    environment="ingestion",
    definitions='dlt="dlt_pipelines"',
    files={"dlt_pipelines/shop.yaml": SHOP, "dlt_pipelines/weather.yaml": WEATHER},
    works=[
        *(
            Work(name, f"shop/raw/{table}", f"RAW.SHOP.{table.upper()}")
            for name, table in WORKS.items()
        ),
        Work(
            "merge from an API",
            "weather/raw/observations",
            "RAW.WEATHER.OBSERVATIONS",
            ("origin", "time_hour", "temp", "wind_speed"),
        ),
    ],
    first=[f"shop/raw/{table}" for table in WORKS.values()],
    source=[
        *SOURCE_TABLE,
        *(
            f"create view shop.{view} as select * from shop.orders where shop.gate(id)"
            for view in WORKS.values()
        ),
        SOURCE_FIRST,
    ],
    source_changes=SOURCE_SECOND,
)
