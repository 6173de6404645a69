"""The demo's features are what a plain computation says, and know nothing of the future."""

from __future__ import annotations

import pandas as pd

from tests.snowpark_demo import oracle

NOW = pd.Timestamp("2013-03-08 15:00")  # snow in New York: many flights were late
CHECKED = 200


def test_every_flight_that_was_not_cancelled_has_one_row(marts, built, features_module):
    flights = marts["flights"]
    expected = flights[~flights["is_cancelled"]]["flight_id"].sort_values()
    assert built.index.tolist() == expected.tolist()
    assert ["flight_id", *built.columns] == list(features_module.FEATURES)


def test_features_are_those_of_a_plain_computation(marts, built):
    prepared = oracle.prepared(marts)
    chosen = built.sample(CHECKED, random_state=1).index
    expected = pd.DataFrame(
        [oracle.features_of(flight, prepared, marts) for flight in chosen], index=chosen
    )
    compared = built.loc[chosen].drop(columns="flight_date")
    compared["is_late"] = compared["is_late"].astype(float)
    pd.testing.assert_frame_equal(
        compared, expected[compared.columns], check_dtype=False, check_names=False, rtol=1e-9
    )
    # The sample has every case: of each column some values, and nulls where there can be any.
    assert compared.notna().any().all()
    assert compared["turnaround_slack_minutes"].isna().any()
    assert compared["aircraft_age_years"].isna().any()


def test_the_label_is_15_minutes_and_null_for_a_diverted_flight(marts, built):
    delays = marts["flights"].set_index("flight_id")["arr_delay_minutes"].loc[built.index]
    diverted = delays.isna()
    assert diverted.any()
    assert built["is_late"][diverted].isna().all()
    at_the_bound = delays[delays.isin([14, 15]).fillna(value=False)]
    assert set(at_the_bound) == {14, 15}
    assert (built["is_late"][~diverted].astype(bool) == (delays[~diverted] >= 15)).all()


def test_what_is_not_yet_known_changes_no_feature(build, built, marts):
    """What happened after a moment is made another; flights until then keep their features."""
    known = oracle.prepared(marts)
    later = known["scheduled_departure_at"] > NOW
    not_departed, not_arrived = later | (known["left"] >= NOW), later | (known["came"] >= NOW)
    flights = marts["flights"].copy()
    for column, unknown in (
        ("dep_delay_minutes", not_departed),
        ("arr_delay_minutes", not_arrived),
    ):
        flights.loc[unknown, column] = flights[column][unknown].fillna(0) + 60
    flights["is_cancelled"] |= later & (flights["flight_id"] % 2 == 0)
    after = build(flights)

    until = pd.Index(known["flight_id"][~later]).intersection(built.index)
    assert (not_arrived & ~later).sum() > 5
    pd.testing.assert_frame_equal(
        after.loc[until].drop(columns="is_late"), built.loc[until].drop(columns="is_late")
    )
    beyond = after.index.difference(until)
    assert not after.loc[beyond].equals(built.loc[beyond])  # what changes does reach features


def test_a_flights_own_outcome_changes_no_feature_of_it(build, built, marts):
    """Least of all an early departure, which came before the moment that its features are of."""
    flights = marts["flights"].copy()
    left_early = flights["dep_delay_minutes"] < -5
    own = flights["flight_id"] == flights["flight_id"][left_early].iloc[200]
    flights.loc[own, ["dep_delay_minutes", "arr_delay_minutes"]] = [-20, 300]
    after, flight = build(flights), flights["flight_id"][own].iloc[0]
    assert (built["is_late"].loc[flight], after["is_late"].loc[flight]) == (False, True)
    pd.testing.assert_frame_equal(
        after.loc[[flight]].drop(columns="is_late"), built.loc[[flight]].drop(columns="is_late")
    )


def test_flights_without_a_tail_number_are_no_legs_of_one_aircraft(build, built, marts):
    after = build(marts["flights"].assign(tailnum=pd.Series(pd.NA, dtype="str")))
    assert (after["aircraft_legs_before"] == 0).all()
    assert after["minutes_since_previous_leg"].isna().all()
    assert after["aircraft_seats"].isna().all()
    assert len(after) == len(built)
