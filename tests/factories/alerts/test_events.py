"""Each kind of event: checks, stale assets, steps, attempts, partitions and jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

# What Dagster's freshness daemon reports; not public in 1.13.
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from factories.alerts.sensor import REST
from factories.alerts.state import StateStore
from factories.core.execution.failures import build_step_failure
from tests.factories.alerts.channels import Webhook
from tests.factories.alerts.conftest import AlertingLocation, Source, code_location, shop


def test_each_asset_of_a_step_has_its_own_reason_owner_and_end(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()

    @dg.multi_asset(specs=[dg.AssetSpec("a", owners=["team:a"]), dg.AssetSpec("b")])
    def build() -> Any:
        yield dg.MaterializeResult("b")
        if source.wrong:
            raise build_step_failure("1 failed", {dg.AssetKey("a"): source.wrong})
        yield dg.MaterializeResult("a")

    location.write("routes: {team: {to: '${TEAM_HOOK}', owners: 'team:a'}}")
    location.define(build)
    location.tick()
    location.run()
    location.tick()
    source.wrong = ""
    location.run()
    location.tick()

    name = "[local] this code location: a"
    assert webhook.titles == [f"{name} failed", f"{name} works again"]
    assert "no such table: shop.orders" in webhook.texts[0]


def test_a_check_is_told_until_it_passes(location: AlertingLocation, webhook: Webhook) -> None:
    outcome = {"passed": False}

    @dg.asset(check_specs=[dg.AssetCheckSpec("has_rows", asset="orders")])
    def orders() -> Any:
        yield dg.MaterializeResult()
        yield dg.AssetCheckResult(passed=outcome["passed"], description="5 rows are missing")

    location.define(orders)
    location.tick()
    location.run()
    location.tick()
    location.run()
    location.tick()
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("orders"), check_name="has_rows", passed=True, metadata={}
    )
    location.instance.report_runless_asset_event(evaluation)
    of_another_location = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("orders"), check_name="is_theirs", passed=False, metadata={}
    )
    location.instance.report_runless_asset_event(of_another_location)
    location.tick()

    name = "[local] this code location: check has_rows of orders"
    assert webhook.titles == [f"{name} failed", f"{name} works again"]
    assert "5 rows are missing" in webhook.texts[0]


@pytest.mark.parametrize("events", ["[run_failed, check_failed]", "check_failed", "run_failed"])
def test_a_test_of_a_failed_step_is_not_told_beside_it(
    location: AlertingLocation, webhook: Webhook, events: str
) -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("unique_id", asset="orders", blocking=True)])
    def orders() -> Any:
        yield dg.MaterializeResult()
        yield dg.AssetCheckResult(passed=False, description="id 3 is there twice")
        raise build_step_failure("1 failed", {dg.AssetKey("orders"): "test unique_id: 1 row"})

    location.write(f"routes: {{team: {{to: '${{TEAM_HOOK}}', events: {events}}}}}")
    location.define(orders)
    location.tick()
    location.run()
    location.tick()
    location.tick()

    assert webhook.titles == ["[local] this code location: orders failed"]
    assert "test unique_id: 1 row" in webhook.texts[0]


def test_a_check_that_raises_is_over_when_it_runs_again(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source("access denied")

    @dg.asset(owners=["team:sales"])
    def orders() -> None: ...

    @dg.asset_check(asset=orders)
    def has_rows() -> dg.AssetCheckResult:
        source.read()
        return dg.AssetCheckResult(passed=True)

    location.write(
        "routes: {team: {to: '${TEAM_HOOK}', owners: 'team:sales', assets: 'key:orders'}}"
    )
    location.define(orders, asset_checks=[has_rows])
    location.tick()
    location.run()
    location.tick()
    job = location.definitions.get_repository_def().get_implicit_global_asset_job_def()
    job.get_subset(op_selection=["orders"]).execute_in_process(instance=location.instance)
    location.tick()  # the asset was made, and the check has not run
    source.wrong = ""
    location.run()
    location.tick()

    name = "[local] this code location: check has_rows of orders"
    assert webhook.titles == [f"{name} failed", f"{name} works again"]
    assert "LookupError: access denied" in webhook.texts[0]


def test_a_stale_asset_is_told_unless_a_failure_upstream_holds_it_back(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()
    policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36))

    @dg.asset
    def orders() -> None:
        source.read()

    @dg.asset(deps=[orders], freshness_policy=policy)
    def report() -> None: ...

    @dg.asset(freshness_policy=policy)
    def alone() -> None: ...

    location.define(orders, report, alone)
    location.tick()
    location.run("orders")
    for key in ("report", "alone"):
        report_freshness(location, key, "FAIL")
    location.tick()
    location.tick(after=61)
    assert webhook.titles == [
        "[local] this code location: orders failed",
        "[local] this code location: alone is stale",
    ]
    assert "1 day, 12:00:00" in webhook.texts[1]
    assert location.state.incidents[stale_key(location, "report")].held_by == "orders"

    source.wrong = ""
    location.run("orders")
    report_freshness(location, "alone", "PASS")
    location.tick()
    location.tick(after=REST)
    assert webhook.titles[2:] == [
        "[local] this code location: 2 incidents are over",
        "[local] this code location: report is stale",
    ]


def test_a_failure_in_another_code_location_holds_a_stale_asset_back(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    location.run("orders")
    location.tick()

    @dg.asset(deps=["orders"])
    def features() -> None: ...

    @dg.asset(
        deps=[features],
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36)),
    )
    def scores() -> None: ...

    location.origin = code_location("ml")
    location.define(features, scores)
    location.tick()
    report_freshness(location, "scores", "FAIL")
    location.tick()
    location.tick(after=61)

    assert webhook.titles == ["[local] this code location: orders failed"]
    (stale,) = StateStore(location.instance, "local").read("ml").incidents.values()
    assert stale.held_by == "orders"

    # That location has been taken away: nobody would ever say that orders work again.
    location.tick(after=2 * 3_600)
    location.tick(after=REST)
    assert webhook.titles[1:] == ["[local] ml: scores is stale"]


def report_freshness(location: AlertingLocation, key: str, state: str) -> None:
    """Report what Dagster's freshness daemon does."""
    change = FreshnessStateChange(
        key=dg.AssetKey(key),
        new_state=FreshnessState(state),
        previous_state=FreshnessState.UNKNOWN,
        state_change_timestamp=location.now,
    )
    location.instance._report_runless_asset_event(change)


def stale_key(location: AlertingLocation, asset: str) -> str:
    incidents = location.state.incidents.values()
    return next(each.key for each in incidents if each.assets == [asset])


def test_steps_are_told_while_their_run_goes_on_where_a_route_asks_for_it(
    location: AlertingLocation, webhook: Webhook
) -> None:
    said: list[list[str]] = []

    @dg.asset
    def b_wrong() -> None:
        raise ValueError("wrong")

    @dg.asset
    def c_looks() -> None:
        location.tick()
        said.append([*webhook.titles])

    location.write("""
        routes:
          team:
            to: ${TEAM_HOOK}
            events: [attempt_failed, step_failed, run_failed, asset_recovered]
    """)
    location.define(b_wrong, c_looks)
    location.tick()
    location.run()
    location.tick()

    assert said == [["[local] this code location: b_wrong failed, its run goes on"]]
    assert webhook.titles == said[0]


def test_an_attempt_that_fails_is_told_and_that_the_next_works(
    location: AlertingLocation, webhook: Webhook
) -> None:
    attempts: list[int] = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1))
    def flaky() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("reset by peer")
        location.tick()

    location.write("""
        routes: {team: {to: "${TEAM_HOOK}", events: [attempt_failed, asset_recovered]}}
    """)
    location.define(flaky)
    location.tick()
    location.run()
    location.tick()

    name = "[local] this code location: flaky"
    assert webhook.titles == [f"{name} failed and is tried again", f"{name} works again"]
    assert "ConnectionError: reset by peer" in webhook.texts[0]


def test_a_partition_is_over_when_that_partition_was_made(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["north", "south"]))
    def sales() -> None:
        source.read()

    location.define(sales)
    location.tick()
    location.run(partition_key="north")
    location.tick()
    source.wrong = ""
    location.run(partition_key="south")
    location.tick()
    assert len(webhook.posts) == 1
    assert "partitions: north" in webhook.texts[0]
    location.run(partition_key="north")
    location.tick()
    assert len(webhook.posts) == 2


def test_what_was_made_between_two_failures_is_not_waited_for(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["north", "south"]))
    def sales() -> None:
        source.read()

    location.define(sales)
    location.tick()
    for partition, source.wrong in [("north", "no"), ("north", ""), ("south", "no")]:
        location.run(partition_key=partition)
    location.tick()
    location.tick()
    assert [each.is_open for each in location.state.incidents.values()] == [True]
    source.wrong = ""
    location.run(partition_key="south")
    location.tick()

    name = "[local] this code location: sales"
    assert webhook.titles == [f"{name} failed", f"{name} works again"]
    assert "partitions: north, south" in webhook.texts[0]


def test_a_job_of_ops_is_over_when_a_run_of_it_succeeds(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()

    @dg.op
    def clean() -> None:
        source.read()

    @dg.job
    def housekeeping() -> None:
        clean()

    location.define(jobs=[housekeeping])
    location.tick()
    for source.wrong in ("no space left", ""):
        housekeeping.execute_in_process(instance=location.instance, raise_on_error=False)
        location.tick()

    name = "[local] this code location: step clean"
    assert webhook.titles == [f"{name} failed", f"{name} works again"]


def test_a_step_of_many_parts_is_one_incident(location: AlertingLocation, webhook: Webhook) -> None:
    @dg.op(out=dg.DynamicOut())
    def find() -> Any:
        for number in range(5):
            yield dg.DynamicOutput(number, mapping_key=str(number))

    @dg.op
    def load(number: int) -> None:
        raise ValueError(f"part {number} is empty")

    @dg.job
    def parts() -> None:
        find().map(load)

    location.define(jobs=[parts])
    location.tick()
    parts.execute_in_process(instance=location.instance, raise_on_error=False)
    location.tick()

    assert webhook.titles == ["[local] this code location: step load[…] failed"]
    assert "4 more times" in webhook.texts[0]


def test_a_run_is_not_told_before_dagster_has_said_whether_it_repeats_it(
    location: AlertingLocation, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    location.define(*shop(Source()))
    location.tick(after=0)
    repeated, lost = location.run("orders"), location.run("stores")
    monkeypatch.setattr(dg.DagsterInstance, "run_retries_enabled", True)
    location.tick(after=5)  # the tag that says it comes a moment after the run's end
    assert webhook.titles == []
    location.instance.add_run_tags(repeated.run_id, {"dagster/will_retry": "true"})
    location.tick(after=5)
    assert webhook.titles == []
    location.tick(after=60)

    assert webhook.titles == ["[local] this code location: stores failed"]
    assert lost.run_id in webhook.texts[0]


def test_a_run_that_was_lost_after_it_had_made_everything_ends_with_the_next_one(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source("")))
    location.tick()
    lost = location.run()
    run = location.instance.get_run_by_id(lost.run_id)
    assert run is not None
    location.instance.report_run_failed(run, "its process is gone")
    location.tick()
    location.run("orders")
    location.tick()
    assert webhook.titles == ["[local] this code location: a run of assets failed"]
    location.run("stores", "report")
    location.tick()

    assert webhook.titles[1:] == ["[local] this code location: a run of assets works again"]


def test_a_run_that_dagster_could_not_repeat_is_told(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    run = location.run("orders", tags={"dagster/will_retry": "true"})
    location.tick()
    assert webhook.titles == []
    location.instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})
    location.tick()
    location.tick()

    assert webhook.titles == ["[local] this code location: orders failed"]
    assert "more time" not in webhook.texts[0]


def test_a_run_that_dagster_repeats_is_told_when_the_last_one_has_failed(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    location.run("orders", tags={"dagster/will_retry": "true"})
    location.tick()
    assert webhook.titles == []
    location.run("orders", tags={"dagster/will_retry": "false"})
    location.tick()

    assert webhook.titles == ["[local] this code location: orders failed"]
