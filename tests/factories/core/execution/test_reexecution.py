"""A run that starts again from a failed step repeats of the step what has failed, and no more."""

from __future__ import annotations

import dagster as dg

from factories.core.execution.reexecution import made_before, rematerialize_for_waiting_steps
from tests.factories.step_failures import resume

CHECKS = [
    dg.AssetCheckSpec("ok", asset="good", blocking=True),
    dg.AssetCheckSpec("ok", asset="spoiled", blocking=True),
]


def test_what_was_made_stays_and_reaches_the_steps_that_wait_for_it() -> None:
    failing, loaded = {"bad", "spoiled"}, []

    @dg.multi_asset(
        specs=[dg.AssetSpec(name) for name in ("good", "bad", "spoiled", "unread")],
        check_specs=CHECKS,
        can_subset=True,
    )
    def load(context):
        before = made_before(context)
        yield from rematerialize_for_waiting_steps(context, before)
        for key in sorted(context.selected_asset_keys - before.runs.keys()):
            name = key.to_user_string()
            loaded.append(name)
            if name == "bad" and name in failing:
                continue
            yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": 7})
            if name in ("good", "spoiled"):
                passed = name not in failing
                yield dg.AssetCheckResult(asset_key=key, check_name="ok", passed=passed)
        if failing:
            raise dg.Failure("bad fails", allow_retries=False)

    @dg.asset(deps=["good"])
    def below() -> None: ...

    job = dg.Definitions([load, below]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = []
        for mended in ({}, {"spoiled"}, {"bad"}):
            failing -= set(mended)
            tags = resume(runs[-1].run_id) if runs else {}
            runs.append(job.execute_in_process(instance=instance, raise_on_error=False, tags=tags))

    assert [run.success for run in runs] == [False, False, True]
    assert loaded == ["bad", "good", "spoiled", "unread", "bad", "spoiled", "bad"]
    made = runs[2].get_asset_materialization_events()
    assert {event.asset_key.to_user_string() for event in made} == {"good", "bad", "below"}
    (good,) = (event for event in made if event.asset_key.path == ["good"])
    assert good.materialization.metadata["dagster/row_count"].value == 7
    assert "left_as_built_by" in good.materialization.metadata
