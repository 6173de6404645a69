"""A process is told from a later one that has its number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from factories.core.process_identity import ProcessIdentity


def test_process_that_has_ended_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = ProcessIdentity.of(process.pid)
        read = ProcessIdentity.parse(str(identity))
        assert read is not None
        assert not read.is_dead
        process.kill()
        process.wait()

    assert read.is_dead
    assert not ProcessIdentity("another.machine", os.getpid(), 1.0).is_dead


@pytest.mark.parametrize("text", ["", "host", "host/12", "/12@3", "host/x@3", "host/12@"])
def test_text_that_names_no_process_is_none(text: str) -> None:
    assert ProcessIdentity.parse(text) is None
