"""The seconds that a benchmark reads from a run's events."""

from __future__ import annotations

from types import SimpleNamespace

from benchmarks import load_run


def test_steps_of_a_run_are_timed_together_and_each():
    events = [
        SimpleNamespace(dagster_event_type=kind, step_key=step, timestamp=at)
        for kind, step, at in (
            (None, None, 0.0),
            (load_run.STARTED, "first", 1.0),
            (load_run.ENDED, "first", 3.0),
            (load_run.STARTED, "second", 4.0),
            (load_run.ENDED, "second", 8.0),
        )
    ]
    assert load_run.seconds(events) == {"seconds": 7.0, "first": 2.0, "second": 4.0}
