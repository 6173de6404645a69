"""A tool's program ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from factories.core.execution.subprocesses import Program, describe_end

GONE_SECONDS = 20


def test_lines_of_both_outputs_come_in_order_and_the_status_is_reported(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd()); print(os.environ['X'], file=sys.stderr); exit(3)"

    with Program([sys.executable, "-u", "-c", script], {"X": "y"}, folder=tmp_path) as program:
        lines = [line.text for line in program.lines()]
        status = program.wait()

    assert lines == [str(tmp_path), "y"]
    assert status == 3


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (3, "dbt ended with status 3"),
        (-9, "dbt was ended by SIGKILL"),
        (-40, "dbt was ended by signal 40"),
    ],
)
def test_a_signal_that_ended_a_program_is_named(status: int, sentence: str) -> None:
    assert describe_end("dbt", status) == sentence


def test_program_and_its_children_end_with_the_block() -> None:
    script = "sleep 300 & echo $!; wait"

    with Program(["bash", "-c", script], {}) as program:
        child = int(next(program.lines()).text)

    assert _gone(child)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs Linux's setpriv")
def test_program_ends_when_the_process_that_started_it_is_killed() -> None:
    script = (
        "from factories.core.execution.subprocesses import Program\n"
        "with Program(['bash', '-c', 'echo $$; exec sleep 300'], {}) as program:\n"
        "    for line in program.lines():\n"
        "        print(line.text, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(starter.pid, signal.SIGKILL)

    assert _gone(pid)


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + GONE_SECONDS
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False
