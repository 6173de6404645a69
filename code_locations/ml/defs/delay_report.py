"""When are flights late, and does the model know it? A table, a plot, a check and a job.

A team's own Python beside the YAML: docs/guides/your-own-python.md.
"""

import base64
import io
from collections.abc import Sequence

import dagster as dg

from factories import SnowflakeResource, automation_condition, warehouse_names

REPORT = dg.AssetKey(["ml", "reports", "delay_by_hour"])
FLIGHTS = dg.AssetKey(["marts", "operations", "fct_flights"])
PREDICTIONS = dg.AssetKey(["ml", "delay", "arrival_delay_predictions"])


@dg.asset(
    key=REPORT,
    deps=[FLIGHTS, PREDICTIONS],
    description="Flights by the hour of departure: the share that was late, and the predicted one.",
    group_name="reports",
    owners=["team:operations-analytics"],
    tags={"domain": "operations"},
    kinds={"snowflake", "python"},
    automation_condition=automation_condition("on_upstream_change"),
)
def delay_by_hour(snowflake: SnowflakeResource) -> dg.MaterializeResult[None]:
    """Compare, for each hour of the day, the delays that came with those that were predicted."""
    names = warehouse_names()
    flights = names.relation("ANALYTICS", "MARTS", "FCT_FLIGHTS").sql
    predictions = names.relation("ML", "DELAY", "PREDICTIONS").sql
    report = names.relation("ML", "REPORTS", "DELAY_BY_HOUR")
    schema = report.sql.rpartition(".")[0]
    with snowflake.get_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"create schema if not exists {schema}")
        cursor.execute(f"""
            create or replace table {report.sql} as
            select
                hour(flights.scheduled_departure_at) as departure_hour,
                count(*) as flights,
                avg(iff(flights.arr_delay_minutes >= 15, 1, 0)) as late_share,
                avg(predictions.probability) as predicted_share
            from {flights} as flights
            inner join {predictions} as predictions on flights.flight_id = predictions.flight_id
            where flights.arr_delay_minutes is not null
            group by 1
        """)  # noqa: S608 - names of the target, not what somebody types
        cursor.execute(f"select * from {report.sql} order by departure_hour")  # noqa: S608 - as above
        rows = [(int(hour), int(n), float(late), float(p)) for hour, n, late, p in cursor]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "dagster/table_name": str(report),
            "flights": sum(n for _, n, _, _ in rows),
            "latest_hour": max(rows, key=lambda row: row[2])[0] if rows else None,
            "plot": dg.MetadataValue.md(f"![Delays by hour](data:image/png;base64,{_plot(rows)})"),
        }
    )


@dg.asset_check(asset=REPORT, description="The model is off by at most 10 points in any busy hour.")
def predictions_fit(snowflake: SnowflakeResource) -> dg.AssetCheckResult:
    """Look for an hour with 1,000 flights or more in which the model is far off."""
    report = warehouse_names().relation("ML", "REPORTS", "DELAY_BY_HOUR").sql
    with snowflake.get_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"""
            select max(abs(late_share - predicted_share)) from {report} where flights >= 1000
        """)  # noqa: S608 - as above
        ((worst,),) = cursor.fetchall()
    return dg.AssetCheckResult(
        passed=worst is not None and float(worst) <= 0.1,  # noqa: PLR2004 - the check's description
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"worst_difference": float(worst or 0)},
    )


delay_report_job = dg.define_asset_job(
    "delay_report", [REPORT], description="Writes the report of delays by hour, and checks it."
)
delay_report_schedule = dg.ScheduleDefinition(
    name="delay_report_on_mondays",
    job=delay_report_job,
    cron_schedule="0 7 * * 1",
    execution_timezone="America/New_York",
    description="Writes the report of delays each Monday, whatever its condition says.",
)  # off until somebody switches it on: the condition above requests the report already


def _plot(rows: Sequence[tuple[int, int, float, float]]) -> str:
    """Return a picture of both shares by hour, as the text of a PNG."""
    # Imported here, and without pyplot, which would look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.3 s
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(5.2, 3.2), dpi=80, layout="constrained")
    axes = figure.add_subplot()
    hours = [hour for hour, _, _, _ in rows]
    axes.bar(hours, [late for _, _, late, _ in rows], color="lightgrey", label="late")
    axes.plot(hours, [share for _, _, _, share in rows], marker="o", label="predicted")
    axes.set_xlabel("scheduled hour of departure")
    axes.set_ylabel("share of flights")
    axes.legend()
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png")
    return base64.b64encode(content.getvalue()).decode()
