"""What is known of a flight before it departs, and whether it arrived late.

Each row is a flight that was not cancelled. Every feature is known at the scheduled departure: what
other flights did counts only if it was done by then. All of it is one query, run in the warehouse.

Columns, in their order:
    flight_id: Number of the scheduled departure; the key.
    flight_date: Date of the scheduled departure; splits the data in time, and is no feature.
    carrier, origin, dest: Codes, as scheduled.
    departure_minute: Minute of the day of the scheduled departure.
    iso_weekday: 1 is Monday, 7 is Sunday.
    scheduled_minutes: From the scheduled departure to the scheduled arrival.
    distance_miles: Between the two airports.
    aircraft_age_years, aircraft_seats: From the register; null where it lacks the aircraft.
    days_since_holiday, days_until_holiday: Days from the nearest federal holiday; 14 for more.
    temperature_f, wind_speed_mph, precipitation_in, visibility_miles: Weather at the origin in the
        hour of the scheduled departure; null where none was observed.
    aircraft_legs_before: Flights of the aircraft scheduled earlier on that day; 0 without a number.
    minutes_since_previous_leg: Between the scheduled departures of the last of these and this one.
    previous_leg_dep_delay_minutes: Its delay; null unless it had departed by now.
    previous_leg_arr_delay_minutes: Its delay; null unless it had arrived by now.
    turnaround_slack_minutes: Since it arrived, less its own scheduled duration, as the time that
        the way back takes; null unless it had arrived by now.
    origin_departures_2h, origin_dep_delay_2h: Departures from `origin` in the two hours before the
        scheduled departure, and their average delay in minutes; null where there were none.
    carrier_dep_delay_3h: Average delay of the carrier's departures there in the last three hours.
    dest_arr_delay_3h: Average delay of the flights that arrived at `dest` in the last three hours.
    route_arrivals_28d, route_late_share_28d: Arrivals from `origin` at `dest` in the 28 days before
        `flight_date`, and the share that was 15 minutes late or more; null where there were none.
    carrier_route_late_share_28d, carrier_late_share_28d: The same share of the carrier's own, on
        this route and on all of them.
    is_late: The label: whether it arrived 15 minutes late or more; null where it was diverted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from snowflake.snowpark import Column, DataFrame, Session, Window, WindowSpec
from snowflake.snowpark import functions as F  # noqa: N812 - as Snowpark's documentation has it

LATE_MINUTES = 15
HOUR = 60
HISTORY_DAYS = 28
HOLIDAY_DAYS = 14
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - times of the warehouse have no zone
# All origins lie in one zone, so their local times can be compared; arrivals are brought into it.
ORIGINS_ZONE = "America/New_York"
FEATURES = (
    "flight_id",
    "flight_date",
    "carrier",
    "origin",
    "dest",
    "departure_minute",
    "iso_weekday",
    "scheduled_minutes",
    "distance_miles",
    "aircraft_age_years",
    "aircraft_seats",
    "days_since_holiday",
    "days_until_holiday",
    "temperature_f",
    "wind_speed_mph",
    "precipitation_in",
    "visibility_miles",
    "aircraft_legs_before",
    "minutes_since_previous_leg",
    "previous_leg_dep_delay_minutes",
    "previous_leg_arr_delay_minutes",
    "turnaround_slack_minutes",
    "origin_departures_2h",
    "origin_dep_delay_2h",
    "carrier_dep_delay_3h",
    "dest_arr_delay_3h",
    "route_arrivals_28d",
    "route_late_share_28d",
    "carrier_route_late_share_28d",
    "carrier_late_share_28d",
    "is_late",
)


def flight_features(session: Session, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Return the features and the label of every flight that was not cancelled.

    Args:
        session: Not needed: the inputs belong to it.
        inputs: `flights` (fct_flights), `schedule` (stg_flight_ops__flights, for the scheduled
            arrival), `aircraft` (dim_aircraft), `airports` (dim_airport) and `dates` (dim_date).
    """
    del session
    flights = _flights(inputs["flights"], inputs["schedule"], inputs["airports"])
    taken_place = _with_previous_leg(flights).filter(~F.col("is_cancelled"))
    known = _with_arrivals(_with_departures(taken_place, flights), flights)
    on_days = known.join(_holidays(inputs["dates"]), "flight_date", "left")
    with_aircraft = _with_aircraft(on_days, inputs["aircraft"])
    return with_aircraft.select(*FEATURES)


def _flights(flights: DataFrame, schedule: DataFrame, airports: DataFrame) -> DataFrame:
    """Return all flights, cancelled ones included, with their times on one clock.

    What a flight did is known when it was done, and never before its scheduled departure: one that
    left early would else be among the departures before its own.
    """
    zones = airports.select(F.col("airport").alias("dest"), "time_zone")
    arrivals = schedule.select("flight_id", "scheduled_arrival_at")
    zoned = flights.join(arrivals, "flight_id", "left").join(zones, "dest", "left")

    def on_the_clock(time: Column) -> Column:
        return F.call_function("convert_timezone", F.col("time_zone"), F.lit(ORIGINS_ZONE), time)

    scheduled, planned = F.col("scheduled_departure_at"), F.col("scheduled_arrival_at")
    departed = F.dateadd("minute", F.col("dep_delay_minutes"), scheduled)
    # Null for a diverted flight: when it came to its destination is not known.
    arrived = on_the_clock(F.dateadd("minute", F.col("arr_delay_minutes"), planned))
    return zoned.select(
        "flight_id",
        "flight_date",
        "scheduled_departure_at",
        "carrier",
        "tailnum",
        "origin",
        "dest",
        "distance_miles",
        "is_cancelled",
        "temperature_f",
        "wind_speed_mph",
        "precipitation_in",
        "visibility_miles",
        (F.hour(scheduled) * HOUR + F.minute(scheduled)).alias("departure_minute"),
        F.datediff("minute", scheduled, on_the_clock(planned)).alias("scheduled_minutes"),
        F.col("dep_delay_minutes").cast("float").alias("dep_delay"),
        F.col("arr_delay_minutes").cast("float").alias("arr_delay"),
        F.when(departed > scheduled, departed).otherwise(scheduled).alias("maybe_departed_at"),
        F.when(arrived > scheduled, arrived).otherwise(scheduled).alias("maybe_arrived_at"),
        (F.col("arr_delay_minutes") >= LATE_MINUTES).alias("is_late"),
    ).select(
        "*",
        F.iff(F.col("dep_delay").is_null(), None, F.col("maybe_departed_at")).alias("departed_at"),
        F.iff(F.col("arr_delay").is_null(), None, F.col("maybe_arrived_at")).alias("arrived_at"),
    )


def _with_previous_leg(flights: DataFrame) -> DataFrame:
    """Add what the aircraft's flight before, on the same day, was known to have done.

    Cancelled flights are legs too: they were scheduled, and nothing else is known of them.
    """
    day = Window.partition_by("tailnum", "flight_date").order_by(
        "scheduled_departure_at", "flight_id"
    )
    has_number = F.col("tailnum").is_not_null()

    def previous(name: str) -> Column:
        # Flights without a number are no aircraft's legs, though a window has them together.
        return F.iff(has_number, F.lag(F.col(name)).over(day), None).alias(f"previous_{name}")

    legs = flights.select(
        "*",
        F.iff(has_number, F.row_number().over(day) - 1, 0).alias("aircraft_legs_before"),
        previous("scheduled_departure_at"),
        previous("scheduled_minutes"),
        previous("departed_at"),
        previous("arrived_at"),
        previous("dep_delay"),
        previous("arr_delay"),
    )
    now = F.col("scheduled_departure_at")
    departed, arrived = F.col("previous_departed_at") < now, F.col("previous_arrived_at") < now
    since = F.datediff("minute", F.col("previous_scheduled_departure_at"), now)
    back = F.datediff("minute", F.col("previous_arrived_at"), now)
    slack = back - F.col("previous_scheduled_minutes")
    return legs.select(
        "*",
        since.alias("minutes_since_previous_leg"),
        F.when(departed, F.col("previous_dep_delay")).alias("previous_leg_dep_delay_minutes"),
        F.when(arrived, F.col("previous_arr_delay")).alias("previous_leg_arr_delay_minutes"),
        F.when(arrived, slack).alias("turnaround_slack_minutes"),
    )


def _with_departures(flights: DataFrame, before: DataFrame) -> DataFrame:
    """Add how late departures have been in the hours before each flight's own.

    Flights and what happened lie on one timeline: a window then finds what came before each
    scheduled departure in one pass, where a join by time would compare every pair. What happened
    has no `flight_id`.
    """
    departures = before.filter(F.col("departed_at").is_not_null()).select(
        "carrier",
        "origin",
        _minute("departed_at").alias("minute"),
        F.col("dep_delay").alias("left_late"),
    )
    timeline = flights.select("*", _minute("scheduled_departure_at").alias("minute"))
    timeline = timeline.union_all_by_name(departures, allow_missing_columns=True)
    left = F.col("left_late")
    origin = _last(2 * HOUR, "minute", "origin")
    carrier = _last(3 * HOUR, "minute", "carrier", "origin")
    known = timeline.select(
        "*",
        F.count(left).over(origin).alias("origin_departures_2h"),
        F.avg(left).over(origin).alias("origin_dep_delay_2h"),
        F.avg(left).over(carrier).alias("carrier_dep_delay_3h"),
    )
    return known.filter(F.col("flight_id").is_not_null())


def _with_arrivals(flights: DataFrame, before: DataFrame) -> DataFrame:
    """Add how late arrivals have been in the hours, and in the days, before each flight.

    Days are those of the arrival, which can be later than the flight's.
    """
    arrivals = before.filter(F.col("arrived_at").is_not_null()).select(
        "carrier",
        "origin",
        "dest",
        _day("arrived_at").alias("day"),
        _minute("arrived_at").alias("minute"),
        F.col("arr_delay").alias("came_late"),
        F.iff(F.col("is_late"), F.lit(1), F.lit(0)).cast("float").alias("was_late"),
    )
    timeline = flights.select("*", _day("flight_date").alias("day"))
    timeline = timeline.union_all_by_name(arrivals, allow_missing_columns=True)
    came, late = F.col("came_late"), F.col("was_late")
    dest = _last(3 * HOUR, "minute", "dest")
    route = _last(HISTORY_DAYS, "day", "origin", "dest")
    carrier_route = _last(HISTORY_DAYS, "day", "carrier", "origin", "dest")
    all_routes = _last(HISTORY_DAYS, "day", "carrier")
    known = timeline.select(
        "*",
        F.avg(came).over(dest).alias("dest_arr_delay_3h"),
        F.count(late).over(route).alias("route_arrivals_28d"),
        F.avg(late).over(route).alias("route_late_share_28d"),
        F.avg(late).over(carrier_route).alias("carrier_route_late_share_28d"),
        F.avg(late).over(all_routes).alias("carrier_late_share_28d"),
    )
    return known.filter(F.col("flight_id").is_not_null())


def _last(length: int, unit: str, *keys: str) -> WindowSpec:
    """Return the rows with the same keys in the time before a row's own minute or day."""
    return Window.partition_by(*keys).order_by(unit).range_between(-length, -1)


def _minute(time: str) -> Column:
    return F.datediff("minute", F.lit(EPOCH), F.col(time))


def _day(time: str) -> Column:
    return F.datediff("day", F.lit(EPOCH), F.col(time))


def _holidays(dates: DataFrame) -> DataFrame:
    """Return the days of the calendar with their distance from the holidays around them."""
    day = F.col("date_day")
    holiday = F.when(F.col("is_holiday"), day)
    in_order = Window.order_by("date_day")
    before = in_order.rows_between(Window.UNBOUNDED_PRECEDING, Window.CURRENT_ROW)
    after = in_order.rows_between(Window.CURRENT_ROW, Window.UNBOUNDED_FOLLOWING)
    since = F.datediff("day", F.max(holiday).over(before), day)
    until = F.datediff("day", day, F.min(holiday).over(after))

    def limited(days: Column) -> Column:
        return F.coalesce(F.least(days, F.lit(HOLIDAY_DAYS)), F.lit(HOLIDAY_DAYS))

    return dates.select(
        day.alias("flight_date"),
        "iso_weekday",
        limited(since).alias("days_since_holiday"),
        limited(until).alias("days_until_holiday"),
    )


def _with_aircraft(flights: DataFrame, aircraft: DataFrame) -> DataFrame:
    """Add the register's entry for the aircraft that held when the flight was to depart."""
    versions = aircraft.select(
        F.col("tailnum").alias("registered"),
        "valid_from",
        "valid_to",
        "manufactured_year",
        F.col("seats").alias("aircraft_seats"),
    )
    now = F.col("scheduled_departure_at")
    holds = (F.col("valid_from") <= now) & (F.col("valid_to").is_null() | (F.col("valid_to") > now))
    joined = flights.join(versions, (F.col("tailnum") == F.col("registered")) & holds, "left")
    age = F.year("flight_date") - F.col("manufactured_year")
    return joined.select("*", age.alias("aircraft_age_years"))
