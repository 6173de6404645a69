"""The story of two code locations of plain assets, some ten minutes.

Each chapter says what happens and what must come of it; the first that does not come true ends the
story with status 1.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from automation_story.plain_project import write_project
from automation_story.served import ServedProject
from automation_story.story import Story

WAIT_SECONDS = 420
ASSETS = ["orders", "revenue", "report"]
TICK_SECONDS = 130  # a tick passes in it, for sure


class PlainAssets:
    """What the assets have written down, and what they are told."""

    def __init__(self, story: Story, folder: Path) -> None:
        """Take the folder that the assets write to."""
        self.folder = folder
        self._story = story

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

    def wait_for_cascade(self, after: int, expected: str) -> None:
        """Wait until all assets have run, in order, after some entries of the log."""
        self._story.wait_for(
            lambda: all(name in self.log[after:] for name in ASSETS),
            expected,
            lambda: f"the assets did: {' '.join(self.log)}",
        )

    def kill_step(self, name: str) -> None:
        """Kill the process of the step that makes an asset."""
        os.kill(int((self.folder / f"{name}.pid").read_text()), signal.SIGKILL)


def tell_plain_story(folder: Path) -> None:
    """Go through the chapters, in a folder."""
    story = Story(WAIT_SECONDS)
    written = folder / "story"
    written.mkdir()
    assets = PlainAssets(story, written)
    project = ServedProject(story, write_project(folder), folder / "local", {"STORY": str(written)})
    with project.served():
        assets.wait_for_cascade(0, "the first tick: orders, revenue and report were made")
        story.require(
            "" if assets.log == ASSETS else f"in this order, each once; it was {assets.log}"
        )
        _tell_failure(story, assets)
        _tell_killed_step(story, assets)

    story.tell("dp dev has ended; a tick passes; it is started again")
    time.sleep(TICK_SECONDS)
    before = len(assets.log)
    with project.served():
        assets.wait_for_cascade(before, "the missed tick was made up, and what reads it followed")

        story.tell("a code server is killed")
        project.kill("--location-name marts")
        assets.wait_for_cascade(len(assets.log), "everything still runs")

        story.tell("the daemon is killed")
        project.kill("dagster._daemon")
        time.sleep(30)
    before = len(assets.log)
    with project.served():
        assets.wait_for_cascade(before, "after the daemon's return everything runs")
    _tell_counts(story, assets)


def _tell_failure(story: Story, assets: PlainAssets) -> None:
    story.tell("orders begins to fail")
    assets.mark("orders.fails", on=True)
    before = len(assets.log)
    assets.mark("orders.pid", on=False)
    story.wait_for((assets.folder / "orders.pid").exists, "orders has failed")
    time.sleep(20)
    ran = any(name in assets.log[before + 3 :] for name in ASSETS)
    story.require("what is downstream of a failure is left alone" if ran else "")
    assets.mark("orders.fails", on=False)
    assets.wait_for_cascade(len(assets.log), "orders recovers, and so does what reads it")


def _tell_killed_step(story: Story, assets: PlainAssets) -> None:
    story.tell("the process of the step that makes revenue is killed")
    assets.mark("revenue.waits", on=True)
    assets.mark("revenue.pid", on=False)
    story.wait_for((assets.folder / "revenue.pid").exists, "revenue is being made")
    before = len(assets.log)
    assets.kill_step("revenue")
    assets.mark("revenue.waits", on=False)
    story.wait_for(lambda: "revenue" in assets.log[before:], "revenue was made after all")


def _tell_counts(story: Story, assets: PlainAssets) -> None:
    minutes = story.minutes
    counts = {name: assets.log.count(name) for name in ASSETS}
    story.tell(f"in {minutes:.0f} minutes: {counts}")
    # A tick is a reason to run once; what was killed may have written its line before.
    too_many = any(count > minutes / 2 + 2 for count in counts.values())
    story.require("nothing runs twice for one cause" if too_many else "")
