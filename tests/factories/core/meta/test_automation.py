"""Automation conditions: every name means something, and does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
import yaml

from factories.core.meta.automation import (
    BUILT_IN,
    AutomationConditions,
    Condition,
    NamedCondition,
    NoConfig,
    named_condition,
)
from factories.core.yaml.models import StrictModel
from factories.core.yaml.problems import Problem
from tests.factories.conftest import YamlProject, places_of

CRON = {"cron_schedule": "0 2 * * *"}
NAMES = ["on_cron_no_deps", "on_cron_with_deps", "on_upstream_change", "manual_only"]


def condition(name: str, own: Sequence[NamedCondition] = (), **config: Any) -> Condition | None:
    """Resolve a name as YAML does; it must be right."""
    problems: list[Problem] = []
    conditions = AutomationConditions(own)
    if "cron_schedule" in conditions.config_keys[name]:
        config = {**CRON, **config}
    found = conditions.resolve(name, config, places_of(""), problems)
    assert problems == []
    return found


def mistakes(text: str, name: str | None, config: dict[str, Any] | None) -> list[str]:
    problems: list[Problem] = []
    assert AutomationConditions().resolve(name, config, places_of(text), problems) is None
    return [str(problem) for problem in problems]


def test_the_names_are_those_that_are_documented() -> None:
    assert [named.name for named in BUILT_IN] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_but_manual_only_yields_a_condition_with_its_label(name: str) -> None:
    found = condition(name)
    if name == "manual_only":
        assert found is None
    else:
        assert found is not None
        assert found.get_label() == name


def test_no_name_is_no_condition() -> None:
    assert mistakes("", None, None) == []


def test_an_unknown_name_is_an_error_and_never_an_asset_that_does_not_run() -> None:
    assert mistakes("automation_condition: on_corn_no_deps", "on_corn_no_deps", CRON) == [
        (
            "spec.yaml:1:23: 'on_corn_no_deps' is not an automation condition; did you mean"
            " 'on_cron_no_deps'? (allowed: on_cron_no_deps, on_cron_with_deps, on_upstream_change,"
            " manual_only)"
        )
    ]


@pytest.mark.parametrize(
    ("name", "config", "problem"),
    [
        (
            "on_cron_no_deps",
            "{}",
            (
                "spec.yaml:1:23: on_cron_no_deps needs automation_condition_config:"
                " {cron_schedule: …}"
            ),
        ),
        (
            "on_cron_no_deps",
            "{cron_timezone: Europe/Berlin}",
            "spec.yaml:2:1: the key 'cron_schedule' is missing",
        ),
        (
            "on_cron_no_deps",
            "{cron_schedule: 0 25 * * *}",
            "spec.yaml:2:46: cron_schedule: '0 25 * * *' is not a cron schedule of five fields",
        ),
        (
            "on_cron_no_deps",
            "{cron_schedule: 0 2 * * *, ignore: [a]}",
            "spec.yaml:2:57: unknown key 'ignore' (allowed: cron_schedule, cron_timezone)",
        ),
        (
            "on_cron_with_deps",
            "{cron_schedule: 0 2 * * *, cron_timezone: Europe/Berln}",
            (
                "spec.yaml:2:72: cron_timezone: 'Europe/Berln' is not a time zone like"
                " America/New_York; did you mean 'Europe/Berlin'?"
            ),
        ),
        (
            "on_upstream_change",
            "{cron_schedule: 0 2 * * *}",
            "spec.yaml:2:31: unknown key 'cron_schedule' (allowed: ignore)",
        ),
        (
            "on_upstream_change",
            "{ignore: ['a//b']}",
            "spec.yaml:2:40: ignore[0]: 'a//b' is not an asset key like flight_ops/raw/flights",
        ),
        ("manual_only", "{x: 1}", "spec.yaml:2:31: unknown key 'x'"),
    ],
)
def test_wrong_config_is_reported_at_its_place(name: str, config: str, problem: str) -> None:
    text = f"automation_condition: {name}\nautomation_condition_config: {config}"
    (found,) = mistakes(text, name, yaml.safe_load(config))
    assert found.startswith(problem)


def test_the_same_words_make_one_condition() -> None:
    conditions = AutomationConditions()
    problems: list[Problem] = []
    first, again = (
        conditions.resolve("on_cron_no_deps", dict(CRON), places_of(""), problems) for _ in "ab"
    )
    other = conditions.resolve(
        "on_cron_no_deps", {"cron_schedule": "0 3 * * *"}, places_of(""), problems
    )
    assert first is again
    assert first != other


# --- a company's own ---


class Patience(StrictModel):
    """Config of a company's own condition."""

    hours: int


@named_condition("on_missing")
def on_missing(_config: NoConfig) -> Condition:
    return dg.AutomationCondition.on_missing()


@named_condition("on_patience")
def on_patience(config: Patience) -> Condition:
    return dg.AutomationCondition.on_missing().with_label(f"waits {config.hours} h")


def test_a_company_registers_its_own_condition(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        """
        public.orders:
          meta: {dagster: {automation_condition: on_patience,
                           automation_condition_config: {hours: 3}}}
        public.items: {meta: {dagster: {automation_condition: on_missing}}}
        """
    )
    assert yaml_project.problems([on_missing, on_patience]) == []
    found = condition("on_patience", [on_patience], hours=3)
    assert found is not None
    assert found.get_label() == "waits 3 h"


def test_a_companys_own_config_is_checked_like_ours(yaml_project: YamlProject) -> None:
    yaml_project.replication(
        """
        public.orders:
          meta: {dagster: {automation_condition: on_patience,
                           automation_condition_config: {huors: 3}}}
        """
    )
    problems = yaml_project.problems([on_patience])
    assert any("unknown key 'huors'; did you mean 'hours'?" in text for text in problems)


def test_a_name_that_is_taken_is_refused() -> None:
    @named_condition("manual_only")
    def another(_config: NoConfig) -> None: ...

    with pytest.raises(ValueError, match="two automation conditions are named 'manual_only'"):
        AutomationConditions([another])


def test_a_condition_without_a_config_argument_says_what_it_needs() -> None:
    def no_arguments() -> Condition:
        return dg.AutomationCondition.eager()

    with pytest.raises(TypeError, match="no_arguments: an automation condition takes its config"):
        named_condition("broken")(no_arguments)  # type: ignore[arg-type]  # the mistake


# --- what they do ---


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
