"""Processes of handlers that end as no handler should."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local_snowflake.routines.handler_processes.process import (
    HandlerEndedError,
    HandlerProcess,
    start_handler_process,
)

Start = Callable[[str], HandlerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes = []

    def started(code: str) -> HandlerProcess:
        command = [sys.executable, "-c", code, str(tmp_path)]
        process = start_handler_process(command, {"PATH": os.environ["PATH"]}, tmp_path)
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.close()


def test_one_that_is_killed_is_told_from_one_that_ends(start: Start):
    with pytest.raises(HandlerEndedError, match=r"killed \(signal 9\).*when memory runs out"):
        start("import os; os.kill(os.getpid(), 9)").receive()
    with pytest.raises(HandlerEndedError, match=r"(?s)ended \(status 3\).*out of luck"):
        start("import sys; print('out of luck', file=sys.stderr); sys.exit(3)").receive()


def test_its_end_is_seen_while_a_child_of_its_own_holds_the_pipes(start: Start):
    dies = "import os, time\nif os.fork() == 0: time.sleep(1000)\nos.kill(os.getpid(), 9)"
    with pytest.raises(HandlerEndedError, match="killed"):
        start(dies).receive()
    with pytest.raises(HandlerEndedError, match="killed"):
        start(dies).send(bytes(1_000_000))  # more than a pipe holds


def test_closing_does_not_wait_for_a_child_that_has_left(start: Start, tmp_path: Path):
    process = start(
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "pathlib.Path(sys.argv[1], 'child').write_text(str(child.pid))\n"
        "sys.stdout.buffer.write(bytes(8)); sys.stdout.flush(); time.sleep(1000)"
    )
    process.receive()
    process.close()
    child = int((tmp_path / "child").read_text())
    assert psutil.pid_exists(child)  # nobody can know of it
    os.kill(child, signal.SIGKILL)


def test_what_it_prints_without_an_end_of_line_is_not_kept_whole(start: Start):
    with pytest.raises(HandlerEndedError) as caught:
        start("import sys\nfor i in range(1000): sys.stderr.write('x' * 10_000)").receive()
    assert "xxx" in str(caught.value)
    assert len(str(caught.value)) < 1_000_000


def test_one_that_does_not_answer_in_time_is_ended(start: Start):
    process = start("import time; time.sleep(1000)")
    with pytest.raises(HandlerEndedError, match=r"did not start within 0\.1 seconds"):
        process.receive(0.1)
    process.close()
    assert not process.is_alive
