"""The names of Dagster that are not public do what the factories need, in the installed version."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from dagster._core.definitions.freshness import FreshnessStateChange
from dagster._utils.error import serializable_error_info_from_exc_info

from factories.core.dagster_internals import (
    RUNLESS_RUN_ID,
    CodeLocationConfigError,
    FreshnessState,
    RetryRequestedFromPolicy,
    TickError,
    TickStatus,
    is_reconstruction,
    parse_selection,
    planned_by,
    ticks_before,
)
from factories.core.yaml.problems import Problem


def test_a_step_that_reads_definitions_again_is_distinguished_from_a_code_server() -> None:
    assert not is_reconstruction()

    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        assert is_reconstruction()


def test_a_selection_is_read_by_dagsters_parser_which_says_what_is_wrong() -> None:
    assert parse_selection("group:shop or kind:dbt").to_selection_str() == (
        'group:"shop" or kind:"dbt"'
    )
    with pytest.raises(ValueError, match="line 1, column 14: mismatched input '<EOF>'"):
        parse_selection("group:shop and")


def test_the_runs_that_were_to_make_an_asset_are_told_the_latest_first() -> None:
    @dg.asset
    def a() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        first, second = (dg.materialize([a], instance=instance) for _ in range(2))
        planned = planned_by(instance, a.key, limit=10)
        made = instance.fetch_materializations(a.key, limit=1).records[0]
        assert [run_id for _, run_id in planned] == [second.run_id, first.run_id]
        assert planned[1][0] < planned[0][0] < made.storage_id
        assert planned_by(instance, a.key, limit=1) == planned[:1]


def test_ticks_before_a_moment_are_the_schedulers() -> None:
    moment = dt.datetime(2024, 3, 11, 12, tzinfo=dt.UTC)  # a day after the clocks went forward
    ticks = list(itertools.islice(ticks_before(moment, "0 5 * * *", "America/New_York"), 2))
    assert [tick.astimezone(dt.UTC).isoformat() for tick in ticks] == [
        "2024-03-11T09:00:00+00:00",
        "2024-03-10T09:00:00+00:00",
    ]


def test_dagster_shows_why_a_tick_failed_as_one_sentence() -> None:
    try:
        raise TickError("The folder in does not exist")  # noqa: TRY301 - as below
    except TickError:
        shown = serializable_error_info_from_exc_info(sys.exc_info())

    assert shown.to_string().strip() == "The folder in does not exist"


def test_dagster_shows_a_configuration_error_as_its_report_alone() -> None:
    problem = Problem("sling/shop.yaml", 3, 5, "unknown key 'x'")
    try:
        raise CodeLocationConfigError([problem])  # noqa: TRY301 - Dagster needs its traceback
    except CodeLocationConfigError:
        shown = serializable_error_info_from_exc_info(sys.exc_info())

    assert "sling/shop.yaml:3:5: unknown key 'x'" in shown.to_string()
    assert "Traceback" not in shown.to_string()
    assert not shown.stack


def test_an_instance_stores_what_alerts_read_under_these_names() -> None:
    change = FreshnessStateChange(
        key=dg.AssetKey("a"),
        new_state=FreshnessState.FAIL,
        previous_state=FreshnessState.PASS,
        state_change_timestamp=1.0,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance._report_runless_asset_event(change)
        records = instance.get_records_for_run(RUNLESS_RUN_ID).records
        states = instance.get_freshness_state_records([dg.AssetKey("a")])

    assert [record.event_log_entry.run_id for record in records] == [RUNLESS_RUN_ID]
    assert states[dg.AssetKey("a")].freshness_state is FreshnessState.FAIL
    assert {status.value for status in TickStatus} >= {"SUCCESS", "SKIPPED", "FAILURE"}


def test_a_step_that_is_tried_again_fails_in_the_error_of_the_policy() -> None:
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
    def locked() -> None:
        raise TimeoutError

    @dg.job
    def job() -> None:
        locked()

    events = job.execute_in_process(raise_on_error=False).all_events
    by_type: dict[Any, Any] = {event.event_type: event.event_specific_data for event in events}
    error, names = by_type[dg.DagsterEventType.STEP_FAILURE].error, []
    while error is not None:
        names.append(error.cls_name)
        error = error.cause

    assert names == [RetryRequestedFromPolicy.__name__, "TimeoutError"]
    retried = by_type[dg.DagsterEventType.STEP_UP_FOR_RETRY].error
    assert retried.cls_name == RetryRequestedFromPolicy.__name__
