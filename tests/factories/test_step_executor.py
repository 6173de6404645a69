"""The processes of steps are forked from one that has imported what they need."""

from __future__ import annotations

import subprocess
import sys


def test_step_shares_the_imports_of_its_server() -> None:
    # A process of its own, because there is one server of this kind in each.
    done = subprocess.run(
        [sys.executable, "-m", "tests.factories.frozen_step"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
