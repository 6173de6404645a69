"""What belongs to one incident, and when who is told, by the clock alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from factories.alerts.causes import Cause, find_cause, incident_key, last_lines
from factories.alerts.incidents import FORGET_AFTER, Incident, Incidents, hold, observe
from factories.alerts.models import Route
from factories.alerts.mutes import Mute, is_muted
from factories.alerts.notices import (
    Channel,
    Notice,
    drop_finished,
    find_notices,
    group,
    note_told,
)
from factories.alerts.occurrences import JobSucceeded, Made, Occurrence, Recovery
from factories.alerts.routing import routes_of
from factories.core.dagster_internals import SerializableErrorInfo

CHANNEL = Channel("team/HOOK", remind_every=100.0)
FAILED = Occurrence(
    "k", "run_failed", "error", 10.0, subject="a", text="boom", location="l", run_id="r1",
    assets=("a",), group="r1",
)  # fmt: skip


def due(incidents: Incidents, now: float, *channels: Channel) -> list[Notice]:
    def to_all(_: Incident) -> Iterable[Channel]:
        return channels or (CHANNEL,)

    return find_notices(incidents, to_all, lambda *_: False, now)


def kinds(incidents: Incidents, now: float) -> list[str]:
    return [notice.kind for notice in due(incidents, now)]


def test_a_window_opens_only_when_the_post_has_succeeded() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    assert kinds(incidents, 10) == ["alert"]
    assert kinds(incidents, 5_000) == ["alert"]  # nothing was told so far

    note_told(due(incidents, 5_000)[0], 5_000)
    assert kinds(incidents, 5_099) == []
    assert kinds(incidents, 5_100) == ["reminder"]


def test_what_becomes_more_severe_is_told_at_once_and_once() -> None:
    incidents: Incidents = {}
    observe(incidents, [replace(FAILED, severity="warning")], 10)
    note_told(due(incidents, 10)[0], 10)
    observe(incidents, [replace(FAILED, at=20.0, run_id="r2")], 20)
    assert kinds(incidents, 20) == ["alert"]

    note_told(due(incidents, 20)[0], 20)
    observe(incidents, [replace(FAILED, severity="warning", at=30.0, run_id="r3")], 30)
    assert kinds(incidents, 30) == []


def test_the_same_run_read_twice_counts_once() -> None:
    incidents: Incidents = {}
    observe(incidents, [replace(FAILED, times=2)], 10)
    observe(incidents, [replace(FAILED, times=3), replace(FAILED, run_id="r2", at=11.0)], 11)

    assert incidents["k"].count == 4
    assert incidents["k"].first_at == 10.0
    assert incidents["k"].last_at == 11.0


def test_what_is_read_out_of_order_is_judged_in_order() -> None:
    incidents: Incidents = {}
    observe(incidents, [Recovery("k", 12.0), FAILED], 12)
    assert not incidents["k"].is_open
    observe(incidents, [replace(FAILED, at=14.0, run_id="r2"), Recovery("k", 13.0)], 14)
    assert incidents["k"].is_open


def test_an_end_before_the_last_failure_ends_nothing() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    observe(incidents, [Recovery("k", 9.0), Recovery("other", 11.0)], 11)

    assert incidents["k"].is_open


def test_what_is_over_before_it_was_told_is_told_once_and_dropped() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED, Recovery("k", 12.0)], 12)
    assert kinds(incidents, 12) == ["alert"]
    note_told(due(incidents, 12)[0], 12)
    drop_finished(incidents, lambda _: [CHANNEL], due(incidents, 12), 12)

    assert incidents == {}


def test_it_stays_until_each_channel_was_told_of_its_end() -> None:
    slow = Channel("team/MAIL", remind_every=100.0)
    silent = Channel("pager/KEY", remind_every=100.0, tells_recovery=False)
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    for notice in due(incidents, 10, CHANNEL, slow, silent):
        note_told(notice, 10)
    observe(incidents, [Recovery("k", 12.0)], 12)
    first, second = due(incidents, 12, CHANNEL, slow, silent)
    note_told(first, 12)
    drop_finished(incidents, lambda _: [CHANNEL, slow, silent], [second], 12)
    assert [*incidents] == ["k"]

    observe(incidents, [replace(FAILED, at=13.0, run_id="r2")], 13)
    # Who was told that it is over is told that it is back; who was not, knows.
    assert [n.channel.name for n in due(incidents, 13, CHANNEL, slow)] == ["team/HOOK"]


def test_a_job_ends_what_makes_no_asset_and_only_its_partition() -> None:
    incidents: Incidents = {}
    of_job = replace(
        FAILED, assets=(), job="clean", step="s", partitions=("north",), ends_with_step=True
    )
    steps = frozenset({"s"})
    observe(incidents, [of_job, JobSucceeded("clean", "south", 11.0, steps)], 11)
    assert incidents["k"].is_open
    observe(incidents, [JobSucceeded("other", "north", 12.0, steps)], 12)
    assert incidents["k"].is_open
    observe(incidents, [JobSucceeded("clean", "north", 12.0)], 12)
    assert incidents["k"].is_open  # the step was not part of that run
    observe(incidents, [JobSucceeded("clean", "north", 12.0, steps)], 12)
    assert not incidents["k"].is_open


def test_it_is_over_when_all_that_failed_was_made_since() -> None:
    incidents: Incidents = {}
    of_two = replace(FAILED, assets=("a", "b"), partitions=("1", "2"))
    observe(incidents, [of_two, replace(of_two, at=20.0, run_id="r2", assets=("b",))], 20)
    made = [Made("k", asset, number, 15.0) for asset in "ab" for number in "12"]
    observe(incidents, made, 20)
    assert incidents["k"].is_open
    observe(incidents, [Made("k", "b", "1", 21.0), Made("k", "b", "2", 21.0)], 21)
    assert not incidents["k"].is_open


def test_what_nobody_runs_any_longer_is_forgotten_and_what_is_stale_is_not() -> None:
    incidents: Incidents = {}
    stale = replace(FAILED, key="s", event="freshness_violated", run_id="", group="freshness")
    observe(incidents, [FAILED, stale], 10)
    observe(incidents, [], 11 + FORGET_AFTER)

    assert [*incidents] == ["s"]


def test_what_is_held_back_waits_and_has_time_to_come_back() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    hold(incidents, lambda _: "upstream", 10, rest=50)
    assert kinds(incidents, 1_000) == []
    hold(incidents, lambda _: "", 1_000, rest=50)
    assert kinds(incidents, 1_049) == []
    assert kinds(incidents, 1_050) == ["alert"]


def test_what_came_back_while_it_was_held_is_never_told() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    hold(incidents, lambda _: "upstream", 10, rest=50)
    observe(incidents, [Recovery("k", 20.0)], 20)
    drop_finished(incidents, lambda _: [CHANNEL], due(incidents, 20), 20)

    assert incidents == {}


def test_alerts_are_grouped_by_run_and_more_than_a_few_become_one() -> None:
    def some(count: int) -> list[int]:
        incidents: Incidents = {}
        seen = [
            replace(FAILED, key=f"{n}.{m}", at=float(n), run_id=f"r{n}", group=f"r{n}")
            for n in range(count)
            for m in range(2)
        ]
        observe(incidents, seen, 10)
        return [len(notice.incidents) for notice in group(due(incidents, 10), most=3)]

    assert some(3) == [2, 2, 2]
    assert some(4) == [8]


def test_messages_begin_with_the_oldest() -> None:
    incidents: Incidents = {}
    observe(incidents, [replace(FAILED, key=str(at), at=at, group=str(at)) for at in (3, 1, 2)], 4)

    assert [notice.since for notice in group(due(incidents, 4), most=3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        ({}, True),
        ({"owners": "team:a"}, True),
        ({"owners": "b@example.com"}, False),
        ({"targets": ["prod", "dev"]}, True),
        ({"targets": "dev"}, False),
        ({"severity": "error"}, True),
        ({"severity": "critical"}, False),
        ({"events": "check_failed"}, False),
        ({"events": ["check_failed", "run_failed"]}, True),
        ({"assets": "some"}, True),
        ({"assets": "others"}, False),
        ({"code_locations": "l"}, True),
        ({"code_locations": "m"}, False),
    ],
)
def test_a_route_takes_what_it_names(route: dict[str, object], takes: bool) -> None:
    incidents: Incidents = {}
    observe(incidents, [replace(FAILED, owners=("team:a",))], 10)
    selected = {"some": frozenset({"a", "b"}), "others": frozenset({"b"})}
    routes = {"r": Route.model_validate({"to": "${HOOK}", **route})}

    found = routes_of(incidents["k"], routes, "prod", selected.__getitem__)
    assert found == (["r"] if takes else [])


def test_a_fallback_takes_what_no_other_route_takes() -> None:
    incidents: Incidents = {}
    observe(incidents, [FAILED], 10)
    routes = {
        "owner": Route.model_validate({"to": "${A}", "owners": "team:a"}),
        "rest": Route.model_validate({"to": "${B}", "fallback": True}),
    }

    def taken() -> list[str]:
        return routes_of(incidents["k"], routes, "prod", lambda _: frozenset())

    assert taken() == ["rest"]
    observe(incidents, [replace(FAILED, owners=("team:a",), run_id="r2")], 11)
    assert taken() == ["owner"]


def test_a_mute_holds_for_a_route_or_for_all_that_an_incident_concerns() -> None:
    mutes = [Mute(name="sales", until=9.0), Mute(name="a", until=9.0)]

    assert is_muted(mutes, "sales", ["x"])
    assert is_muted(mutes, "other", ["a"])
    assert not is_muted(mutes, "other", ["a", "b"])
    assert not is_muted(mutes, "other", [])


def test_the_users_error_is_below_those_of_dagster() -> None:
    own = SerializableErrorInfo("shop.errors.Locked: orders\n", [], "Locked")
    retry = SerializableErrorInfo("x\n", [], "RetryRequestedFromPolicy", cause=own)
    wrapped = SerializableErrorInfo("y\n", [], "DagsterExecutionStepExecutionError", cause=retry)

    assert find_cause(wrapped) == Cause("Locked", "Locked: orders")
    # What a user's own error was raised from is not what failed.
    outer = SerializableErrorInfo("LoadError: no\n", [], "LoadError", cause=own)
    assert find_cause(outer) == Cause("LoadError", "LoadError: no")


def test_errors_that_differ_in_numbers_and_ids_are_the_same() -> None:
    first = Cause("E", "timeout after 31.5 s at 10:15:02, id 6fa4c0de99, row 3 of 0xab12")
    second = Cause("E", "timeout after 7 s at 23:00:00, id 00aa11bb22, row 12 of 0x77")
    assert first.identity == second.identity
    assert first.identity != Cause("F", first.text).identity
    assert first.identity != Cause("E", "no such table").identity
    assert incident_key("a", "b") != incident_key("ab", "")


def test_of_a_long_error_the_last_lines_are_told() -> None:
    text = "\n".join(f"line {number}" for number in range(40))
    assert last_lines(text).splitlines()[0] == "…"
    assert last_lines(text).splitlines()[-1] == "line 39"
    assert len(last_lines("x" * 5_000)) < 1_000
