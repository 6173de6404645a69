"""Automation conditions: every name means something, and a company adds its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest
import yaml

from factories.core.conditions.rule import condition_name
from factories.core.meta.built_in_conditions import BUILT_IN
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.named_conditions import (
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
        assert condition_name(found.get_label() or "") == name


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
            "{cron_schedule: 0 2 * * *, deps_since: tick}",
            (
                "spec.yaml:2:57: unknown key 'deps_since' (allowed: retry, catch_up, debounce,"
                " environments, cron_schedule, cron_timezone, ignore)"
            ),
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
            "{catch_up: lastest}",
            "spec.yaml:2:41: catch_up: 'lastest' is not latest, all or a number of partitions;",
        ),
        (
            "on_upstream_change",
            "{environments: [prd]}",
            "spec.yaml:2:46: environments[0]: 'prd' is not one of the allowed values; did you",
        ),
        (
            "on_upstream_change",
            "{retry: {max: many}}",
            "spec.yaml:2:44: max: must be a whole number, not 'many'",
        ),
        (
            "on_upstream_change",
            "{cron_schedule: 0 2 * * *}",
            (
                "spec.yaml:2:31: unknown key 'cron_schedule' (allowed: retry, catch_up, debounce,"
                " environments, ignore)"
            ),
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
