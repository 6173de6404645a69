"""The garbage collector's pause while definitions are built."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from factories.core.garbage_collection import gc_paused


@pytest.fixture(autouse=True)
def collector_restored() -> Iterator[None]:
    yield
    gc.enable()


def test_collector_is_paused_only_inside() -> None:
    with gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collector_runs_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="broken"), gc_paused():
        raise ValueError("broken")
    assert gc.isenabled()


def test_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with gc_paused():
        pass
    assert not gc.isenabled()


def test_what_is_created_meanwhile_is_not_walked_afterwards() -> None:
    script = """
import gc
from factories.core.garbage_collection import gc_paused
walked = []
gc.callbacks.append(lambda phase, info: walked.append(info["generation"]))
with gc_paused():
    kept = [[number] for number in range(300_000)]
again = [[number] for number in range(100)]
assert walked == [], walked
assert gc.isenabled() and gc.get_freeze_count() == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
