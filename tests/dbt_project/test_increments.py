"""What a run changes: nothing, the flights that changed, one month, or all."""

from __future__ import annotations

import pytest
from snowflake.connector import SnowflakeConnection

from tests.dbt_project.conftest import Bounds, Week
from tests.dbt_project.dbt_runs import DbtProject
from tests.dbt_project.stages import Stage

pytestmark = pytest.mark.xdist_group("dbt_project")

AGGREGATES = ("CARRIER_MONTHLY", "ORIGIN_DAILY")


def test_first_build_passes_all_tests(built: Stage) -> None:
    assert built.outcome.failed == set()
    kinds = list(built.outcome.status.values())
    assert (kinds.count("pass"), kinds.count("warn")) == (81, 0)


def test_second_run_writes_no_flight(built: Stage, built_again: Stage) -> None:
    assert built_again.outcome.rows["fct_flights"] == 0
    assert built_again.outcome.rows["snap_flight_ops__planes"] == 0
    for mart in ("FCT_FLIGHTS", "DIM_AIRCRAFT", *AGGREGATES):
        assert built_again.equals(built, mart), mart


def test_only_flights_that_changed_are_merged(
    built_again: Stage, after_week: Stage, week: Week
) -> None:
    assert len(week.written) == 6_156 + 330
    assert len(week.without_weather) > 200
    expected = {*week.written, week.late, *week.without_weather}
    assert after_week.changed(built_again) == expected
    assert after_week.outcome.rows["fct_flights"] == len(expected)


def test_flight_gets_the_weather_that_comes_after_it(
    built_again: Stage, after_week: Stage, week: Week
) -> None:
    query = """
        select flight_id from {stage}.FCT_FLIGHTS
        where flight_date = '2013-12-31' and temperature_f is not null
    """
    assert built_again.rows(query) == []
    assert {int(str(row[0])) for row in after_week.rows(query)} == week.without_weather


@pytest.mark.parametrize("mart", ["FCT_FLIGHTS", *AGGREGATES])
def test_increments_equal_a_full_refresh(after_week: Stage, refreshed: Stage, mart: str) -> None:
    assert refreshed.outcome.status[mart.lower()] == "success"
    assert after_week.equals(refreshed, mart)


def test_backfill_touches_one_month(refreshed: Stage, backfilled: Stage, bounds: Bounds) -> None:
    assert backfilled.changed(refreshed) == bounds.inside
    assert refreshed.changed(backfilled) == set()
    assert backfilled.number(
        "select count(*) from {stage}.FCT_FLIGHTS where month(flight_date) = 2"
    ) == 24_951 + len(bounds.inside)


def test_backfill_removes_what_the_source_dropped(backfilled: Stage, bounds: Bounds) -> None:
    query = f"select count(*) from {{stage}}.FCT_FLIGHTS where flight_id = {bounds.dropped}"
    assert backfilled.number(query) == 0


def test_run_after_a_backfill_into_an_empty_table_loads_all_the_rest(
    project: DbtProject, backfilled: Stage, raw: SnowflakeConnection, bounds: Bounds
) -> None:
    backfilled.connection.cursor().execute("drop table MARTS.FCT_FLIGHTS")
    december = "{window_start: '2013-12-01', window_end: '2014-01-01'}"
    assert project.dbt("run", "--select", "fct_flights", "--vars", december).success
    months = "select distinct to_char(flight_date, 'YYYY-MM') from MARTS.FCT_FLIGHTS"
    assert backfilled.rows(months) == [("2013-12",)]
    assert project.dbt("run", "--select", "fct_flights").success
    here = Stage.keep(backfilled.connection, "AFTER_EMPTY", backfilled.outcome)
    assert here.changed(backfilled) == bounds.outside
    assert backfilled.changed(here) == set()


def test_changed_aircraft_has_two_versions(after_week: Stage) -> None:
    assert after_week.rows("""
        select seats, to_char(valid_from, 'YYYY-MM-DD'), to_char(valid_to, 'YYYY-MM-DD'), is_current
        from {stage}.DIM_AIRCRAFT where tailnum = 'N10156' order by valid_from
    """) == [(55, "2013-01-10", "2014-01-05", False), (60, "2014-01-05", None, True)]


def test_aircraft_that_left_the_register_is_not_current(
    built_again: Stage, after_week: Stage
) -> None:
    query = "select is_current from {stage}.DIM_AIRCRAFT where tailnum = 'N102UW'"
    assert built_again.rows(query) == [(True,)]
    assert after_week.rows(query) == [(False,)]
    assert after_week.number("select count(*) from {stage}.DIM_AIRCRAFT") == 3_322 + 1
