"""What the built-in automation conditions ask for, case by case, each met by somebody."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.observe import observe as observe_assets

from factories.core.conditions.causes import CauseFinder
from factories.core.conditions.memory import Asked, Cause, Memory
from factories.core.conditions.rule import AutomationRule
from factories.core.conditions.tick_facts import TickFacts
from factories.core.execution.failures import build_step_failure, permanent_failure
from factories.core.execution.reexecution import made_before
from tests.factories.core.conditions.story import Story, condition
from tests.factories.step_failures import resume

EACH = pytest.mark.parametrize(
    "name", ["on_cron_no_deps", "on_cron_with_deps", "on_upstream_change"]
)
CRONS = pytest.mark.parametrize("name", ["on_cron_no_deps", "on_cron_with_deps"])
WITH_DEPS = pytest.mark.parametrize("name", ["on_cron_with_deps", "on_upstream_change"])

# What Dagster's operators cannot do.
NODE = pytest.mark.parametrize("story", ["node"], indirect=True)


@pytest.fixture(params=["node", "operators"])
def story(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DP_CONDITIONS", request.param)
    return Story()


def have_cause(story: Story, name: str = "") -> None:
    """Let the cron tick and the upstream asset be updated: any condition's occasion."""
    story.at("01:00")
    story.run("up")
    if name != "missing":
        story.run("d")
    story.tick()
    story.at("02:30")
    story.run("up")


@EACH
def test_first_tick(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    assert story.tick() == {"d"}


@EACH
def test_own_run_fails_and_is_asked_for_again_after_a_delay_a_bounded_number_of_times(
    story: Story, name: str
) -> None:
    found = condition(name, retry={"max": 2, "delay": "5m"})
    story.define(story.asset("up"), story.asset("d", found, ["up"]))
    have_cause(story)
    story.failing.add("d")
    assert story.run_what_is_asked() == {"d"}
    for _ in range(2):
        story.later(minutes=1)
        assert story.tick() == set()
        assert story.says("d", "tried again at")
        story.later(minutes=6)
        assert story.run_what_is_asked() == {"d"}
    for _ in range(5):
        story.later(hours=1)
        assert story.tick() == set()
    assert story.says("d", "Given up until the next cause: it failed 3 times")


@EACH
def test_what_was_given_up_runs_again_at_the_next_cause(story: Story, name: str) -> None:
    found = condition(name, retry={"max": 0})
    story.define(story.asset("up"), story.asset("d", found, ["up"]))
    have_cause(story)
    story.failing.add("d")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=30)
    assert story.tick() == set()
    story.at("02:30", day=2)
    story.run("up")
    assert story.tick() == {"d"}


@EACH
def test_only_what_failed_is_asked_for_again(story: Story, name: str) -> None:
    one = story.asset("d", condition(name), ["up"])
    story.define(story.asset("up"), one, story.asset("e", condition(name), ["up"]))
    have_cause(story)
    story.run("e")
    story.at("02:31")
    story.run("up")
    story.failing.add("d")
    assert {"d"} <= story.run_what_is_asked() <= {"d", "e"}
    story.later(minutes=1)
    story.tick()
    story.later(minutes=6)
    assert story.tick() == {"d"}


@EACH
@pytest.mark.parametrize("canceled", [True, False])
def test_a_requested_run_never_started_or_was_cancelled(
    story: Story, name: str, *, canceled: bool
) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    assert story.tick() == {"d"}
    run_id = story.begin_run("d")
    story.later(minutes=1)
    assert story.tick() == set()
    story.end_run(run_id, canceled=canceled)
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=6)
    assert story.tick() == {"d"}


@NODE
@pytest.mark.parametrize(("name", "unit"), [("whole", ""), ("days", "2024-01-01")])
def test_a_run_that_comes_during_the_evaluation_has_no_result_yet(
    story: Story, name: str, unit: str
) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01")
    story.define(story.asset("whole"), story.asset("days", partitions_def=days))
    facts = TickFacts(AssetGraphView.for_test(story.definitions, story.instance, story.now))
    assert not facts.open_runs
    story.begin_run(name, partition=unit or None)
    memory = Memory(0, 0, 0.0, asked={unit: Asked(Cause("a tick", 0.0, 0, 0), 0.0, 0, "")})
    finder = CauseFinder(AutomationRule(name="on_cron_no_deps"), facts, dg.AssetKey(name), [])
    finder.update(memory)
    assert not memory.causes
    assert [*memory.asked] == [unit]


@NODE
@EACH
def test_a_requested_run_never_came(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    assert story.tick() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=10)
    assert story.tick() == set()
    story.later(minutes=6)
    assert story.tick() == {"d"}


@WITH_DEPS
def test_up_and_d_in_one_run_up_fails_and_is_run_again_by_hand(story: Story, name: str) -> None:
    cron = condition("on_cron_no_deps")
    story.define(story.asset("up", cron), story.asset("d", condition(name), ["up"]))
    story.run("up")
    story.run("d")
    story.tick()
    story.at("02:30")
    story.failing.add("up")
    assert story.run_what_is_asked() == {"up", "d"}
    story.failing.clear()
    story.later(minutes=1)
    assert story.tick() == set()
    story.run("up")
    story.later(minutes=1)
    assert story.tick() == {"d"}


@WITH_DEPS
@pytest.mark.parametrize("fails", ["up", "up:rows"])
def test_up_fails_and_is_run_again_before_the_next_evaluation(
    story: Story, name: str, fails: str
) -> None:
    """The run that left `d` out tells so, whatever was run since."""
    cron = condition("on_cron_no_deps", retry={"max": 0})
    d = story.asset("d", condition(name, retry={"max": 0}), ["mid"])
    story.define(story.checked_asset("up", cron), story.asset("mid", cron, ["up"]), d)
    story.run("up", "mid", "d")
    story.tick()
    story.at("02:30")
    story.failing.add(fails)
    assert story.run_what_is_asked() == {"up", "mid", "d"}
    story.failing.clear()
    story.run("up", "mid")
    story.later(minutes=1)
    assert story.tick() == {"d"}


def test_what_a_failed_check_held_back_in_a_run_is_not_tried_again(
    story: Story,
) -> None:
    cron = condition("on_cron_no_deps")
    story.define(story.checked_asset("up", cron), story.asset("d", cron, ["up"]))
    story.tick()
    story.at("02:30")
    story.failing.add("up:rows")
    assert story.run_what_is_asked() == {"up", "d"}
    for _ in range(3):
        story.later(minutes=10)
        assert story.tick() == set()


def test_what_a_run_from_failure_left_as_it_was_is_not_asked_for_again(story: Story) -> None:
    cron = condition("on_cron_no_deps")
    specs = [dg.AssetSpec(name, automation_condition=cron) for name in ("good", "bad")]

    @dg.multi_asset(specs=specs, can_subset=True)
    def load(context):
        before = made_before(context)
        if not before.runs:
            yield dg.MaterializeResult(asset_key="good")
        raise build_step_failure("1 of 2 failed", {dg.AssetKey("bad"): "no table"})

    story.define(load)
    story.tick()
    story.at("02:05")
    assert story.run_what_is_asked() == {"good", "bad"}
    (first,) = story.instance.get_runs()
    story.run("good", "bad", tags={**first.tags, **resume(first.run_id)})
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=6)
    assert story.tick() == {"bad"}


@NODE
@EACH
def test_a_person_runs_up_and_d_and_d_fails(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()
    story.failing.add("d")
    story.run("up", "d")
    story.later(minutes=1)
    story.tick()
    story.later(minutes=6)
    assert story.tick() == {"d"}


@EACH
def test_blocking_check_of_up_failed(story: Story, name: str) -> None:
    story.define(story.checked_asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    story.failing.add("up:rows")
    story.run("up")
    assert story.tick() == set()
    assert story.says("d", "the blocking check rows of up has failed")
    story.failing.clear()
    story.run("up")
    story.later(minutes=1)
    assert story.tick() == {"d"}


@NODE
@EACH
def test_evaluated_between_ups_materialization_and_its_check(story: Story, name: str) -> None:
    story.define(story.checked_asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    inside = []
    story.inside["up:before rows"] = lambda: inside.append(story.tick())
    story.run("up")
    assert inside == [set()]
    assert story.tick() == {"d"}


@NODE
@EACH
def test_the_check_of_up_is_run_once_more_by_itself(story: Story, name: str) -> None:
    rows = dg.AssetCheckSpec("rows", asset="up", blocking=True)

    @dg.multi_asset_check(specs=[rows])
    def check_up():
        story._work("check_up")
        yield dg.AssetCheckResult(asset_key="up", check_name="rows", passed=True)

    alone = dg.define_asset_job("alone", dg.AssetSelection.checks(rows.key))
    story.define(story.asset("up"), check_up, story.asset("d", condition(name), ["up"]))
    have_cause(story)
    inside = []
    story.inside["check_up"] = lambda: inside.append(story.tick())
    job = dg.Definitions.merge(story.definitions, dg.Definitions(jobs=[alone]))
    with story.clock():
        job.resolve_job_def("alone").execute_in_process(instance=story.instance)
    assert inside == [set()]
    assert story.says("d", "has still to come")
    assert story.tick() == {"d"}


@NODE
@EACH
def test_the_check_of_up_came_to_no_result(story: Story, name: str) -> None:
    story.define(story.checked_asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    story.failing.add("up:before rows")
    story.run("up")
    assert story.tick() == set()
    assert story.says("d", "did not come to a result")


@WITH_DEPS
def test_up_is_updated_while_d_runs(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    asked = story.tick()

    def meanwhile() -> None:
        story.later(minutes=5)
        story.run("up")
        assert story.tick() == set()

    story.inside["d"] = meanwhile
    story.carry_out(asked)
    story.later(minutes=1)
    again = {"d"} if name == "on_upstream_change" else set()
    assert story.tick() == again


def test_a_second_upstream_is_updated_in_the_evaluation_after_the_request(story: Story) -> None:
    d = story.asset("d", condition("on_upstream_change"), ["one", "two"])
    story.define(story.asset("one"), story.asset("two"), d)
    story.run("one", "two", "d")
    story.tick()
    story.run("one")
    asked = story.tick()
    assert asked == {"d"}
    run_id = story.begin_run("d")
    story.run("two")
    story.later(minutes=1)
    assert story.tick() == set()
    story.end_run(run_id, canceled=True)
    story.report("d")
    story.later(minutes=1)
    story.tick()
    story.run("one")
    story.later(minutes=1)
    assert story.tick() == {"d"}


@CRONS
def test_a_run_by_hand_ends_in_the_window_in_which_the_tick_falls(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    story.run("up")
    story.at("01:55")
    story.tick()
    story.at("01:59")
    story.run("d")
    story.at("02:01")
    story.run("up")
    assert story.tick() == {"d"}


@NODE
@CRONS
def test_a_run_by_hand_ends_after_the_tick(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    story.run("up")
    story.at("01:59")
    story.tick()
    story.inside["d"] = lambda: story.at("02:01")
    story.run("d")
    story.run("up")
    story.later(minutes=1)
    assert story.tick() == {"d"}


@NODE
@CRONS
def test_the_tick_passes_while_d_runs(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    story.run("up")
    story.at("01:30")
    story.tick()
    inside = []

    def meanwhile() -> None:
        story.at("02:05")
        story.run("up")
        inside.append(story.tick())

    story.inside["d"] = meanwhile
    story.run("d")
    assert inside == [set()]
    story.later(minutes=1)
    assert story.tick() == {"d"}


@EACH
def test_daemon_down_while_d_is_run_by_hand_and_up_updated(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    story.run("up")
    story.run("d")
    story.tick()
    story.at("01:30")
    story.run("d")
    story.at("02:10")
    story.run("up")
    story.at("05:00", day=3)
    if name == "on_cron_with_deps":
        story.run("up")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_run_by_hand_after_a_missed_tick_meets_it(story: Story) -> None:
    story.define(story.asset("d", condition("on_cron_no_deps")))
    story.tick()
    story.at("02:30")
    story.run("d")
    story.at("03:00")
    assert story.tick() == set()


@CRONS
def test_three_missed_ticks_make_one_run(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    story.tick()
    story.at("03:00", day=4)
    story.run("up")
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=30)
    assert story.tick() == set()


def test_on_upstream_change_asset_added_below_existing_tables(story: Story) -> None:
    up = story.asset("up")
    story.define(up)
    story.run("up")
    story.tick()
    story.define(up, story.asset("d", condition("on_upstream_change"), ["up"]))
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()


def test_on_upstream_change_asset_waits_for_its_missing_upstream(story: Story) -> None:
    story.define(
        story.asset("one"),
        story.asset("two"),
        story.asset("d", condition("on_upstream_change"), ["one", "two"]),
    )
    assert story.tick() == set()
    story.run("one")
    story.later(minutes=1)
    assert story.tick() == set()
    assert story.says("d", "two was never made")
    story.run("two")
    story.later(minutes=1)
    assert story.tick() == {"d"}


def test_cron_asset_added_waits_for_its_first_tick(story: Story) -> None:
    story.at("03:00")
    story.define(story.asset("d", condition("on_cron_no_deps")))
    assert story.tick() == set()
    story.at("01:00", day=2)
    assert story.tick() == set()
    story.at("02:00", day=2)
    assert story.tick() == {"d"}


def test_cron_changed_counts_from_then(story: Story) -> None:
    story.at("01:10")
    story.define(story.asset("d", condition("on_cron_no_deps")))
    story.tick()
    story.define(story.asset("d", condition("on_cron_no_deps", cron_schedule="0 1 * * *")))
    story.at("01:30")
    assert story.tick() == set()
    story.at("02:30")
    assert story.tick() == set()
    story.at("01:00", day=2)
    assert story.tick() == {"d"}


def test_daylight_saving(story: Story) -> None:
    """2:30 does not exist in New York on 10 March 2024, and 1:30 comes twice on 3 November."""
    zone = {"cron_timezone": "America/New_York"}
    story.define(
        story.asset("spring", condition("on_cron_no_deps", cron_schedule="30 2 * * *", **zone)),
        story.asset("autumn", condition("on_cron_no_deps", cron_schedule="30 1 * * *", **zone)),
    )
    asked: dict[str, int] = {"spring": 0, "autumn": 0}
    for month, day in ((3, 10), (11, 3)):
        story.now = datetime(2024, month, day, 4, tzinfo=UTC)
        story.cursor = None
        story.tick()
        for _ in range(24):
            story.later(hours=1)
            for name in story.run_what_is_asked():
                asked[name] += 1
    assert asked == {"spring": 2, "autumn": 2}


def test_diamond_runs_once(story: Story) -> None:
    change = condition("on_upstream_change")
    story.define(
        story.asset("top", condition("on_cron_no_deps")),
        story.asset("left", change, ["top"]),
        story.asset("right", change, ["top"]),
        story.asset("bottom", change, ["left", "right"]),
    )
    story.run("top", "left", "right", "bottom")
    story.tick()
    story.at("02:30")
    assert story.run_what_is_asked() == {"top", "left", "right", "bottom"}
    for _ in range(3):
        story.later(minutes=1)
        assert story.tick() == set()


def test_one_slow_upstream_is_waited_for(story: Story) -> None:
    d = story.asset("d", condition("on_cron_with_deps"), ["fast", "slow"])
    story.define(story.asset("fast"), story.asset("slow"), d)
    story.run("fast", "slow", "d")
    story.tick()
    story.at("02:05")
    story.run("fast")
    assert story.tick() == set()
    assert story.says("d", "slow was not updated since 2024-01-01 02:00 UTC")
    story.at("05:00")
    story.run("slow")
    assert story.tick() == {"d"}


@WITH_DEPS
def test_external_upstream_that_nobody_observes_holds_nothing(story: Story, name: str) -> None:
    story.define(
        dg.AssetSpec("src"), story.asset("up"), story.asset("d", condition(name), ["up", "src"])
    )
    have_cause(story)
    assert story.tick() == {"d"}


@NODE
def test_observable_source_has_a_new_version(story: Story) -> None:
    versions = iter(["1", "1", "2"])

    @dg.observable_source_asset(name="src")
    def src() -> dg.DataVersion:
        return dg.DataVersion(next(versions))

    def observe() -> None:
        with story.clock():
            observe_assets([src], instance=story.instance)
        story.later(minutes=1)

    story.define(src, story.asset("d", condition("on_upstream_change"), ["src"]))
    observe()
    story.run("d")
    story.tick()
    observe()
    assert story.tick() == set()
    observe()
    assert story.tick() == {"d"}


@EACH
def test_deploying_over_standing_failures_asks_for_nothing(story: Story, name: str) -> None:
    d = story.asset("d", condition(name), ["up"])
    story.define(story.asset("up"), d)
    story.run("up", "d")
    story.failing.add("d")
    story.run("up", "d")
    for _ in range(3):
        assert story.tick() == set()
        story.later(minutes=10)


@WITH_DEPS
def test_an_asset_without_output_does_not_loop(story: Story, name: str) -> None:
    @dg.asset(name="d", deps=["up"], automation_condition=condition(name), output_required=False)
    def d() -> None: ...

    @dg.asset(name="d", deps=["up"], automation_condition=condition(name), output_required=False)
    def empty():
        if False:
            yield dg.Output(None)

    del d
    story.define(story.asset("up"), empty)
    have_cause(story, "missing")
    assert story.run_what_is_asked() == {"d"}
    for _ in range(4):
        story.later(minutes=10)
        assert story.tick() == set()


def fail(error: Exception) -> None:
    raise error


@EACH
def test_a_permanent_failure_is_not_tried_again(story: Story, name: str) -> None:
    story.define(story.asset("up"), story.asset("d", condition(name), ["up"]))
    have_cause(story)
    story.inside["d"] = lambda: fail(permanent_failure("the password is wrong"))
    story.carry_out(story.tick())
    for _ in range(4):
        story.later(minutes=10)
        assert story.tick() == set()
    assert story.says("d", "trying again cannot mend")


@EACH
def test_retries_of_steps_runs_and_conditions_do_not_multiply(story: Story, name: str) -> None:
    found = condition(name, retry={"max": 1, "delay": "5m"})
    tried: list[int] = []

    @dg.asset(
        name="d",
        deps=["up"],
        automation_condition=found,
        retry_policy=dg.RetryPolicy(max_retries=1),
    )
    def d() -> None:
        tried.append(1)
        story._work("d")

    story.define(story.asset("up"), d)
    have_cause(story)
    story.failing.add("d")
    tried.clear()
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    first = story.instance.get_run_records(limit=1)[0].dagster_run
    # Dagster repeats the run by itself, with the tags that it had.
    again = {"dagster/parent_run_id": first.run_id, "dagster/root_run_id": first.run_id}
    story.run("d", tags={**first.tags, **again})
    asked = []
    for _ in range(12):
        story.later(minutes=10)
        asked += [*story.run_what_is_asked()]

    # Once by the condition, and once by Dagster; had they multiplied, there were four runs.
    assert asked == ["d"]
    assert len(tried) == 3 * 2


@NODE
def test_an_asset_that_has_checks_only_holds_nothing_and_does_not_loop(story: Story) -> None:
    found = condition("on_cron_no_deps")
    spec = dg.AssetCheckSpec("fresh", asset="ext", blocking=True, automation_condition=found)

    @dg.multi_asset_check(specs=[spec])
    def fresh():
        yield dg.AssetCheckResult(asset_key="ext", check_name="fresh", passed=True)

    with_deps = condition("on_cron_with_deps")
    on_change = condition("on_upstream_change")
    story.define(
        dg.AssetSpec("ext"),
        fresh,
        story.asset("d", with_deps, ["ext"]),
        story.asset("e", on_change, ["ext"]),
    )
    story.run("d", "e")
    story.tick()
    story.at("02:05")
    assert story.tick() == {"ext:fresh", "d"}
    story.run("d")
    result = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("ext"), check_name="fresh", passed=True, metadata={}
    )
    with story.clock():
        story.instance.report_runless_asset_event(result)
    for _ in range(3):
        story.later(minutes=10)
        assert story.tick() <= {"ext:fresh"}


def test_environments_switch_a_condition_off_elsewhere(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_prod = condition("on_cron_no_deps", environments=["prod"])
    assert "is for prod" in str(for_prod.get_label()) or str(for_prod.get_label()).endswith(
        "off here"
    )
    story.define(story.asset("d", for_prod))
    story.tick()
    story.at("02:30")
    assert story.tick() == set()
    assert story.says("d", "Switched off here: it is for prod, and this target is local.")
    monkeypatch.setenv("DP_TARGET", "prod")
    story.define(story.asset("d", condition("on_cron_no_deps", environments=["prod"])))
    story.cursor = None
    story.at("01:00")
    story.tick()
    story.at("02:30")
    assert story.tick() == {"d"}


@NODE
def test_debounce_collects_changes(story: Story) -> None:
    d = story.asset("d", condition("on_upstream_change", debounce="5m"), ["one", "two"])
    story.define(story.asset("one"), story.asset("two"), d)
    story.run("one", "two", "d")
    story.tick()
    story.run("one")
    assert story.tick() == set()
    story.later(minutes=3)
    story.run("two")
    assert story.tick() == set()
    story.later(minutes=3)
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=6)
    assert story.tick() == set()


@NODE
@pytest.mark.parametrize(
    ("since", "asked"), [("tick", set()), ("midnight", {"d"}), ("0 1 * * *", set())]
)
def test_deps_since(story: Story, since: str, asked: set[str]) -> None:
    d = story.asset("d", condition("on_cron_with_deps", deps_since=since), ["up"])
    story.define(story.asset("up"), d)
    story.at("00:10")
    story.run("up")
    story.tick()
    story.at("02:05")
    assert story.tick() == asked


def test_no_starvation_when_one_upstream_always_runs(story: Story) -> None:
    names = ["one", "two", "three"]
    d = story.asset("d", condition("on_upstream_change"), names)
    story.define(*(story.asset(name) for name in names), d)
    story.run(*names, "d")
    story.tick()
    asked: list[set[str]] = []
    open_run = story.begin_run("one")
    for turn in range(4):
        story.run("two")
        story.later(seconds=30)
        asked.append(story.tick())
        story.end_run(open_run, canceled=True)
        story.report("one")
        open_run = story.begin_run(names[turn % 3])
        story.later(seconds=30)
        asked.append(story.tick())
    assert {"d"} in asked


@NODE
def test_a_check_with_a_condition_of_its_own(story: Story) -> None:
    found = condition("on_cron_no_deps", retry={"max": 1, "delay": "5m"})
    spec = dg.AssetCheckSpec("fresh", asset="up", automation_condition=found)

    @dg.multi_asset_check(specs=[spec])
    def fresh():
        story._work("fresh")
        yield dg.AssetCheckResult(asset_key="up", check_name="fresh", passed=True)

    def run() -> None:
        job = story.definitions.resolve_implicit_global_asset_job_def()
        with story.clock():
            selection = dg.AssetSelection.checks(spec.key)
            job.get_subset(asset_selection=set(), asset_check_selection={spec.key})
            dg.Definitions.merge(
                story.definitions, dg.Definitions(jobs=[dg.define_asset_job("one", selection)])
            ).resolve_job_def("one").execute_in_process(
                instance=story.instance, raise_on_error=False
            )

    story.define(story.asset("up"), fresh)
    story.run("up")
    assert story.tick() == set()
    story.at("02:05")
    assert story.tick() == {"up:fresh"}
    story.failing.add("fresh")
    run()
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=6)
    assert story.tick() == {"up:fresh"}
    story.failing.clear()
    run()
    story.later(minutes=10)
    assert story.tick() == set()
    assert story.says("up:fresh", "the cron ticks next at")


@NODE
def test_an_update_in_a_run_that_left_d_out_is_not_lost(story: Story) -> None:
    d = story.asset("d", condition("on_upstream_change"), ["up", "other"])
    story.define(story.asset("up"), story.asset("other"), d)
    story.run("up", "other", "d")
    story.tick()
    story.later(minutes=1)
    story.failing.add("other")
    story.run("up", "other", "d")
    story.later(minutes=1)
    assert story.run_what_is_asked() == {"d"}
    story.later(minutes=1)
    assert story.tick() == set()


@NODE
def test_a_success_by_hand_ends_that_it_was_given_up(story: Story) -> None:
    story.define(story.asset("d", condition("on_cron_no_deps", retry={"max": 0})))
    story.tick()
    story.at("02:05")
    story.failing.add("d")
    story.run_what_is_asked()
    story.later(minutes=1)
    story.tick()
    assert story.says("d", "Given up")
    story.failing.clear()
    story.run("d")
    story.later(minutes=1)
    story.tick()
    assert story.says("d", "Nothing to do")


@NODE
@WITH_DEPS
def test_while_another_code_location_loads_again_its_assets_are_waited_for(
    story: Story, name: str
) -> None:
    d = story.asset("d", condition(name), ["up", "other"])
    story.define(story.asset("up"), story.asset("other"), d)
    story.run("up", "other", "d")
    story.tick()
    story.at("02:05")
    story.define(story.asset("other"), d)  # `up` is of a code location that is not loaded
    story.run("other")
    assert story.tick() == set()
    assert story.says("d", "the code location that makes up is not loaded")
    story.define(story.asset("up"), story.asset("other"), d)
    story.run("up")
    story.later(minutes=1)
    assert story.tick() == {"d"}


@NODE
def test_what_was_never_made_is_waited_for_also_while_its_code_location_is_not_loaded(
    story: Story,
) -> None:
    d = story.asset("d", condition("on_upstream_change"), ["up"])
    story.define(story.asset("up"), d)
    assert story.tick() == set()
    story.later(hours=2)
    assert story.tick() == set()
    assert story.says("d", "up was never made")
    story.define(d)
    story.later(minutes=1)
    assert story.tick() == set()
    story.later(minutes=30)
    assert story.tick() == set()
    assert story.says("d", "the code location that makes up is not loaded")
    story.later(hours=1)  # its code location has gone for good: it is made elsewhere
    assert story.tick() == {"d"}
