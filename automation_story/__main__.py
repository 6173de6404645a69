"""`make automation-story`: let the real daemon run two code locations, and disturb it.

Each chapter says what happens and what must come of it; the first that does not come true ends the
story with status 1. It takes some ten minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from automation_story.project import PYTHON, ROOT, write_project
from factories.cli.serving.dagster_process import find_dagster, find_free_port

WAIT_SECONDS = 420
ASSETS = ["orders", "revenue", "report"]


class Story:
    """The project, what its assets wrote down, and the `dp dev` that serves it."""

    def __init__(self, folder: Path) -> None:
        """Write the project into a folder; nothing is started."""
        self.folder = folder / "story"
        self.folder.mkdir()
        self.root = write_project(folder)
        self.local = folder / "local"
        self.started = time.monotonic()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DP_", "DAGSTER"))},
            "DP_LOCAL_DIR": str(self.local),
            "DP_PROJECT_DIR": str(self.root),
            "PYTHONPATH": str(ROOT),
            "STORY": str(self.folder),
        }

    def tell(self, text: str) -> None:
        """Print a line of the story, with the time since its beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"{minutes:02}:{seconds:02}  {text}", flush=True)

    @property
    def log(self) -> list[str]:
        """What the assets have done, in order."""
        path = self.folder / "log"
        return path.read_text().split() if path.exists() else []

    def mark(self, name: str, *, on: bool) -> None:
        """Let an asset fail or wait, by `orders.fails` or `orders.waits`, or no longer."""
        path = self.folder / name
        if on:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def wait_for(self, what: Callable[[], bool], expected: str) -> None:
        """Wait until something has come true.

        Raises:
            SystemExit: When it does not within some minutes.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while not what():
            if time.monotonic() > deadline:
                self.tell(f"NOT SO: {expected}; the assets did: {' '.join(self.log)}")
                raise SystemExit(1)
            time.sleep(0.5)
        self.tell(expected)

    def wait_for_cascade(self, after: int, expected: str) -> None:
        """Wait until all assets have run, in order, after some entries of the log."""

        def came() -> bool:
            left = self.log[after:]
            return all(name in left for name in ASSETS)

        self.wait_for(came, expected)

    @contextmanager
    def served(self) -> Iterator[None]:
        """Have `dp dev` serve the project."""
        with (self.local / "dev.log").open("a") as log:
            process = subprocess.Popen(
                [
                    str(PYTHON.with_name("dp")),
                    "dev",
                    "--port",
                    str(find_free_port()),
                ],
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                home = self.local / "dagster"
                self.wait_for(lambda: find_dagster(home) is not None, "dp dev serves the project")
                yield
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                process.wait(120)

    def kill(self, command: str) -> int:
        """Kill the processes of this project whose command line holds a text; return how many."""
        found = []
        for process in psutil.process_iter():
            try:
                own = process.environ().get("DP_LOCAL_DIR") == str(self.local)
                if own and command in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        for process in found:
            process.kill()
        return len(found)

    def kill_step(self, name: str) -> None:
        """Kill the process of the step that makes an asset."""
        os.kill(int((self.folder / f"{name}.pid").read_text()), signal.SIGKILL)


def tell_story(story: Story) -> None:
    """Go through the chapters."""
    with story.served():
        story.wait_for_cascade(0, "the first tick: orders, revenue and report were made")
        if story.log != ASSETS:
            story.tell(f"NOT SO: in this order, each once; it was {' '.join(story.log)}")
            raise SystemExit(1)

        story.tell("orders begins to fail")
        story.mark("orders.fails", on=True)
        before = len(story.log)
        story.mark("orders.pid", on=False)
        story.wait_for((story.folder / "orders.pid").exists, "orders has failed")
        time.sleep(20)
        if any(name in story.log[before + 3 :] for name in ASSETS):
            story.tell("NOT SO: what is downstream of a failure is left alone")
            raise SystemExit(1)
        story.mark("orders.fails", on=False)
        story.wait_for_cascade(len(story.log), "orders recovers, and so does what reads it")

        story.tell("the process of the step that makes revenue is killed")
        story.mark("revenue.waits", on=True)
        story.mark("revenue.pid", on=False)
        story.wait_for((story.folder / "revenue.pid").exists, "revenue is being made")
        before = len(story.log)
        story.kill_step("revenue")
        story.mark("revenue.waits", on=False)
        story.wait_for(lambda: "revenue" in story.log[before:], "revenue was made after all")

    story.tell("dp dev has ended; a tick passes; it is started again")
    time.sleep(130)
    before = len(story.log)
    with story.served():
        story.wait_for_cascade(before, "the missed tick was made up, and what reads it followed")

        story.tell("a code server is killed")
        story.kill("--location-name marts")
        story.wait_for_cascade(len(story.log), "everything still runs")

        story.tell("the daemon is killed")
        story.kill("dagster._daemon")
        time.sleep(30)
    before = len(story.log)
    with story.served():
        story.wait_for_cascade(before, "after the daemon's return everything runs")
    _tell_counts(story)


def _tell_counts(story: Story) -> None:
    minutes = (time.monotonic() - story.started) / 60
    counts = {name: story.log.count(name) for name in ASSETS}
    story.tell(f"in {minutes:.0f} minutes: {counts}")
    # A tick is a reason to run once; what was killed may have written its line before.
    if any(count > minutes / 2 + 2 for count in counts.values()):
        story.tell("NOT SO: nothing runs twice for one cause")
        raise SystemExit(1)


def main() -> int:
    """Tell the story in a folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="dp-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "local").mkdir()
        tell_story(Story(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
