"""What the built-in automation conditions do, tick after tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from factories.core.meta.condition_lookup import automation_condition
from factories.core.meta.named_conditions import Condition


def condition(name: str, **config: Any) -> Condition | None:
    """Return a built-in condition; one with a cron ticks at two unless it says otherwise."""
    at_two = {"cron_schedule": "0 2 * * *"} if "cron" in name else {}
    return automation_condition(name, **{**at_two, **config})


def at(day: int, hour: int) -> datetime:
    return datetime(2024, 1, day, hour, tzinfo=UTC)


class Clock:
    """Evaluates the conditions of some assets tick after tick."""

    def __init__(self, *assets: Any) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.defs = dg.Definitions(assets=list(assets))
        self.cursor: Any = None

    def requested(self, moment: datetime) -> set[str]:
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, evaluation_time=moment, cursor=self.cursor
        )
        self.cursor = result.cursor
        return {
            key.to_user_string()
            for outcome in result.results
            if (key := outcome.key) and outcome.true_subset.size
        }

    def update(self, *keys: str) -> None:
        for key in keys:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(asset_key=[key]))

    def check(self, key: str, *, passed: bool) -> None:
        """Tell what the asset's check `rows` found of its latest materialization."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=dg.AssetKey([key]), check_name="rows", passed=passed)
        )


def asset(name: str, found: Condition | None = None, deps: Sequence[str] = ()) -> Any:
    @dg.asset(name=name, deps=list(deps), automation_condition=found)
    def load() -> None: ...

    return load


def make_checked_asset(name: str, *, blocking: bool) -> Any:
    check = dg.AssetCheckSpec("rows", asset=name, blocking=blocking)

    @dg.multi_asset(specs=[dg.AssetSpec(name)], check_specs=[check])
    def load() -> Iterator[Any]:
        yield dg.MaterializeResult()

    return load


def test_on_cron_no_deps_requests_once_a_tick_whatever_the_dependencies_state() -> None:
    clock = Clock(asset("up"), asset("down", condition("on_cron_no_deps"), ["up"]))
    assert clock.requested(at(1, 1)) == set()
    assert clock.requested(at(1, 3)) == {"down"}
    clock.update("down")
    assert clock.requested(at(1, 4)) == set()
    assert clock.requested(at(2, 1)) == set()
    assert clock.requested(at(2, 3)) == {"down"}


def test_on_cron_ticks_in_its_own_time_zone() -> None:
    # 02:00 in New York is 07:00 UTC in January.
    clock = Clock(asset("a", condition("on_cron_no_deps", cron_timezone="America/New_York")))
    clock.requested(at(1, 1))
    assert clock.requested(at(1, 6)) == set()
    assert clock.requested(at(1, 8)) == {"a"}


@pytest.mark.parametrize("name", ["on_cron_no_deps", "on_cron_with_deps", "on_upstream_change"])
def test_nothing_is_requested_while_the_asset_is_in_progress(name: str) -> None:
    def due(clock: Clock) -> set[str]:
        """Let the cron tick, then the upstream asset be updated: any condition's occasion."""
        ticked = clock.requested(at(1, 3))
        clock.update("up")
        return ticked | clock.requested(at(1, 4))

    due_inside: list[set[str]] = []

    @dg.asset(deps=["up"], automation_condition=condition(name))
    def down() -> None:
        due_inside.append(due(busy))

    busy, idle = Clock(asset("up"), down), Clock(asset("up"), down)
    busy.requested(at(1, 1))
    idle.requested(at(1, 1))
    dg.materialize([down], instance=busy.instance)
    assert due_inside == [set()]
    assert due(idle) == {"down"}


def test_on_cron_with_deps_waits_for_every_upstream_asset_since_the_tick() -> None:
    clock = Clock(
        asset("one"), asset("two"), asset("down", condition("on_cron_with_deps"), ["one", "two"])
    )
    clock.requested(at(1, 1))
    assert clock.requested(at(1, 3)) == set()
    clock.update("one")
    assert clock.requested(at(1, 4)) == set()
    clock.update("two")
    assert clock.requested(at(1, 5)) == {"down"}
    assert clock.requested(at(1, 6)) == set()


def test_on_upstream_change_requests_when_an_upstream_asset_was_updated() -> None:
    clock = Clock(
        asset("one"), asset("two"), asset("down", condition("on_upstream_change"), ["one", "two"])
    )
    clock.update("one")
    assert clock.requested(at(1, 1)) == set()  # `two` is missing
    clock.update("two", "down")
    clock.requested(at(1, 2))
    clock.update("one")
    assert clock.requested(at(1, 3)) == {"down"}
    assert clock.requested(at(1, 4)) == set()


@pytest.mark.parametrize("name", ["on_cron_with_deps", "on_upstream_change"])
@pytest.mark.parametrize(
    ("blocking", "ignore", "held_back"),
    [(True, [], True), (False, [], False), (True, ["up"], False)],
)
def test_a_failed_blocking_check_upstream_holds_back_until_it_passes(
    name: str, *, blocking: bool, ignore: list[str], held_back: bool
) -> None:
    down = asset("down", condition(name, ignore=ignore), ["up", "other"])
    clock = Clock(make_checked_asset("up", blocking=blocking), asset("other"), down)
    clock.requested(at(1, 1))
    clock.requested(at(1, 3))
    clock.update("up", "other")
    clock.check("up", passed=False)
    first = clock.requested(at(1, 4))
    clock.update("up")
    clock.check("up", passed=True)
    second = clock.requested(at(1, 5))

    assert first == (set() if held_back else {"down"})
    if held_back:
        assert second == {"down"}


@pytest.mark.parametrize("name", ["on_cron_with_deps", "on_upstream_change"])
def test_a_check_upstream_that_has_never_run_holds_nothing_back(name: str) -> None:
    clock = Clock(make_checked_asset("up", blocking=True), asset("down", condition(name), ["up"]))
    clock.requested(at(1, 1))
    clock.requested(at(1, 3))
    clock.update("up")
    assert clock.requested(at(1, 4)) == {"down"}


@pytest.mark.parametrize("name", ["on_cron_with_deps", "on_upstream_change"])
def test_an_ignored_upstream_asset_is_not_waited_for(name: str) -> None:
    clock = Clock(
        asset("one"), asset("slow"), asset("down", condition(name, ignore="slow"), ["one", "slow"])
    )
    clock.requested(at(1, 1))
    clock.requested(at(1, 3))
    clock.update("one")
    assert clock.requested(at(1, 4)) == {"down"}


@pytest.mark.parametrize("name", ["on_cron_with_deps", "on_upstream_change"])
def test_an_external_source_that_nobody_observes_does_not_block(name: str) -> None:
    clock = Clock(
        dg.AssetSpec("src"),
        asset("up"),
        asset("down", condition(name), ["src", "up", "undeclared"]),
    )
    clock.requested(at(1, 1))
    clock.requested(at(1, 3))
    clock.update("up")
    assert clock.requested(at(1, 4)) == {"down"}


def test_manual_only_never_requests() -> None:
    clock = Clock(asset("up"), asset("down", condition("manual_only"), ["up"]))
    clock.requested(at(1, 1))
    clock.update("up")
    assert clock.requested(at(1, 3)) == set()
