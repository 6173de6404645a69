"""What is wrong is found by the test, the unit test or the contract that is for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection

from tests.dbt_project.dbt_runs import DbtProject
from tests.dbt_project.stages import Stage

pytestmark = pytest.mark.xdist_group("dbt_project")


@pytest.fixture
def faulty_source(raw: SnowflakeConnection, after_week: Stage) -> Iterator[None]:
    """Rows at the source that break a rule each; afterwards they are gone."""
    cursor = raw.cursor()
    cursor.execute("create table FLIGHT_OPS.SOUND as select * from FLIGHT_OPS.FLIGHTS")
    changes = {
        "carrier": "'ZZ'",  # no airline
        "dest": "'XXX'",  # no airport
        "dep_delay": "3000",  # more than two days
        "scheduled_departure": "'2016-01-01 10:00:00'",  # not in the calendar
    }
    for flight_id, (column, value) in enumerate(changes.items(), start=990_001):
        cursor.execute(f"""
            insert into FLIGHT_OPS.FLIGHTS
            select * replace ({flight_id} as flight_id, {value} as {column})
            from FLIGHT_OPS.FLIGHTS where flight_id = 1
        """)
    # Two rows of one flight are not a fault: staging keeps the newer one.
    cursor.execute("""
        insert into FLIGHT_OPS.FLIGHTS
        select * replace (dateadd('day', -1, updated_at) as updated_at, 'ZZ' as carrier)
        from FLIGHT_OPS.FLIGHTS where flight_id = 2
    """)
    cursor.execute("""
        insert into WEATHER_API.OBSERVATIONS
        select * replace (361 as wind_dir, '2012-01-01 00:00:00+00:00' as time_hour)
        from WEATHER_API.OBSERVATIONS order by time_hour limit 1
    """)
    yield
    cursor.execute("delete from WEATHER_API.OBSERVATIONS where wind_dir = 361")
    cursor.execute("create or replace table FLIGHT_OPS.FLIGHTS as select * from FLIGHT_OPS.SOUND")
    after_week.rows("delete from MARTS.FCT_FLIGHTS where flight_id > 990000")


@pytest.mark.usefixtures("faulty_source")
def test_planted_errors_fail_their_tests_and_hold_back_what_follows(
    project: DbtProject,
) -> None:
    outcome = project.dbt("build", "--select", "fct_flights+")
    assert not outcome.success
    assert outcome.failed == {
        "relationships_fct_flights_carrier__carrier__ref_dim_carrier_",
        "relationships_fct_flights_dest__airport__ref_dim_airport_",
        "relationships_fct_flights_flight_date__date_day__ref_dim_date_",
        "within_range_fct_flights_dep_delay_minutes__2880___180",
    }
    assert outcome.status["carrier_monthly"] == outcome.status["origin_daily"] == "skipped"
    assert outcome.status["unique_fct_flights_flight_id"] == "pass"
    wind = project.dbt("test", "--select", "stg_weather_api__observations")
    assert wind.failed == {
        "within_range_stg_weather_api__observations_wind_direction_degrees__360__0"
    }


def test_broken_rule_and_broken_contract_stop_their_models(
    project: DbtProject, after_week: Stage, tmp_path
) -> None:
    faulty = project.copy(
        tmp_path / "project",
        ("models/intermediate/operations/int_flights__outcome.sql", "< 15", "<= 15"),
        ("models/marts/common/dim_carrier.sql", "profiles.flies_for", "1 as flies_for"),
    )
    outcome = faulty.dbt("build", "--select", "int_flights__outcome", "dim_carrier")
    assert outcome.failed == {"on_time_is_less_than_15_minutes_late", "dim_carrier"}
    assert outcome.status["int_flights__outcome"] == "skipped"
    message = outcome.messages["dim_carrier"]
    assert "enforced contract" in message
    assert "FLIES_FOR" in message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{window_start: '2013-02-01'}", "window_end is None"),
        ("{window_start: soon, window_end: '2013-03-01'}", "window_start is soon"),
        ("{window_start: '2013-02-01', window_end: '2013-02-01'}", "must come after window_start"),
    ],
)
def test_window_that_is_none_is_refused(
    project: DbtProject, after_week: Stage, given: str, message: str
) -> None:
    outcome = project.dbt("run", "--select", "fct_flights", "--vars", given)
    assert not outcome.success
    assert message in outcome.error
