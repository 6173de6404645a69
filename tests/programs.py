"""Which tests start programs, and the proof that the others start none.

`make test-fast` runs the tests without the mark `programs`. A test has it by its fixtures, or when
its module imports what starts programs; any other says `pytest.mark.programs`. What lacks the mark
and starts one fails in `make test-fast` by its name.
"""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

NONE = "not programs"
FIXTURES = frozenset(
    {"dp", "flight_ops", "own_dir", "postgres", "sample", "shared_dir", "shop", "warehouse"}
    | {"weather_dir"}
)
IMPORTS = frozenset(
    {"FunctionWorkers", "HandlerProcess", "Program", "WrittenProject", "prepare", "subprocess"}
)
STARTS = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
)


def mark_programs(items: list[pytest.Item]) -> None:
    """Mark the tests that start programs by their fixtures or by what their module imports."""
    for item in items:
        module = getattr(item, "module", None)
        if FIXTURES & set(getattr(item, "fixturenames", ())) or IMPORTS & set(vars(module or item)):
            item.add_marker("programs")


class NoPrograms:
    """Fails each test that starts a program."""

    def __init__(self) -> None:
        """Watch this process from now on: an audit hook cannot be taken away."""
        self._in_test = False
        self._started: list[str] = []
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in STARTS and self._in_test:
            self._started.append(f"{event} {arguments[:2]}")
            raise PermissionError(f"without the mark `programs`: {self._started[-1]}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self._in_test = True
        try:
            return (yield)
        finally:
            self._in_test = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fail the test even when what it tests has passed over the error."""
        self._started.clear()
        result = yield
        if self._started:
            pytest.fail(f"lacks the mark `programs`, but starts one: {self._started[0]}")
        return result
