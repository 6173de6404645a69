"""The story of the demo: from nothing to predictions, a week later, and kills in mid-work.

Sling, dlt, dbt and Snowpark run in their code locations, under the real daemon, with crons of two
minutes. Nobody helps: what is killed has to come back by itself, and the tables have to be whole.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from automation_story.alert_server import AlertServer
from automation_story.demo_project import ALERTS_VARIABLE, copy_demo
from automation_story.figures import find_differences, read_source
from automation_story.instance_facts import InstanceFacts, UnderWay, opened_facts
from automation_story.kills import DAEMON, KILLS, Kill
from automation_story.lineage import Upstream, find_automated, find_doubles, find_wrong_order
from automation_story.served import ServedProject, kill
from automation_story.story import Story
from factories.cli.looking.assets import read_assets
from local_snowflake.process import control
from sample_sources.systems import SYSTEMS

WAIT_SECONDS = 1800
DAYS = 7
MODEL = "ml/delay/arrival_delay"
MOST_NAMED = 5
LINES_OF_AN_ALERT = 3


@dataclass(frozen=True)
class Killed:
    """What was killed.

    Attributes:
        kill: Which kill it was.
        at: When.
        interrupted: The runs of its code location that were under way.
        told: How many alerts had been sent before.
    """

    kill: Kill
    at: float
    interrupted: UnderWay
    told: int


class Demo:
    """The demo as it is served, and what it must be like."""

    def __init__(self, story: Story, project: ServedProject, upstream: Upstream) -> None:
        """Take the project, and the assets that conditions make, with what is upstream of each."""
        self._story = story
        self.project = project
        self.upstream = upstream

    def find_unmade(self, facts: InstanceFacts, since: float = 0.0) -> list[str]:
        """Return the assets that were not made since a moment."""
        return [
            f"{asset} was not made" for asset in self.upstream if facts.last_made(asset) <= since
        ]

    def wait_until_whole(self, expected: str) -> None:
        """Wait until every table holds what the sources hold, each row once."""
        self._story.wait_until_nothing_lacks(self._find_differences, expected)

    def _find_differences(self) -> list[str]:
        source = read_source()
        if source is None:
            return ["a sample system does not run"]
        with opened_facts(self.project.home) as facts:
            return find_differences(source, len(facts.made(MODEL, [])))

    def check_causes(self) -> None:
        """Nothing was made twice for one cause."""
        with opened_facts(self.project.home) as facts:
            made = {asset: facts.made(asset, ups) for asset, ups in self.upstream.items()}
        self._story.require("; ".join(find_doubles(made)))
        count = sum(map(len, made.values()))
        self._story.tell(f"{count} materializations, none twice for one cause")


def tell_demo_story(folder: Path) -> None:
    """Go through the chapters, in a folder."""
    story, alerts = Story(WAIT_SECONDS), AlertServer()
    with alerts.listening():
        variables = {
            ALERTS_VARIABLE: alerts.url,
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        project = ServedProject(story, folder / "project", folder / "local", variables)
        copy_demo(project.root, project.environment)
        with _own_systems(project):
            assets, problems = read_assets(project.root)
            story.require("; ".join(map(str, problems)))
            demo = Demo(story, project, find_automated(assets))
            with project.served() as dev:
                _tell_beginning(story, demo)
                _tell_week(story, demo)
                for each in KILLS:
                    _tell_kill(story, demo, alerts, each)
                killed = _tell_death_of_the_daemon(story, demo, alerts, dev)
            story.tell("whoever started dp dev starts it again")
            with project.served():
                _wait_until_healed(story, demo, alerts, killed)
                _tell_end(story, demo, alerts, killed.at)


@contextmanager
def _own_systems(project: ServedProject) -> Iterator[None]:
    """Have this process, too, work on the story's folder; its systems end with the block."""
    with patch.dict(os.environ, project.environment, clear=True):
        try:
            yield
        finally:
            control.stop()
            for system in SYSTEMS:
                system.down()


def _tell_beginning(story: Story, demo: Demo) -> None:
    story.tell(f"nothing was loaded yet; conditions are to make {len(demo.upstream)} assets")

    def lacks() -> list[str]:
        with opened_facts(demo.project.home) as facts:
            story.require("; ".join(facts.failed_runs()))
            return demo.find_unmade(facts)

    story.wait_until_nothing_lacks(lacks, "every asset was made by its condition; no run failed")
    with opened_facts(demo.project.home) as facts:
        made = {asset: facts.made(asset, ups) for asset, ups in demo.upstream.items()}
        story.require("; ".join(facts.failed_ticks()))
    story.require("; ".join(find_wrong_order(demo.upstream, made)))
    story.tell("each after what is upstream of it")
    demo.check_causes()
    demo.wait_until_whole("tables and predictions hold what the sources hold, each row once")


def _let_a_week_pass(story: Story, demo: Demo) -> None:
    command = [demo.project.dp, "sample", "advance", "--days", str(DAYS)]
    done = subprocess.run(
        command, env=demo.project.environment, check=True, capture_output=True, text=True
    )
    story.tell(f"a week passes at the sources: {done.stdout.strip()}")


def _tell_week(story: Story, demo: Demo) -> None:
    _let_a_week_pass(story, demo)
    demo.wait_until_whole("all that came with it, and what was corrected, is in every table")
    with opened_facts(demo.project.home) as facts:
        story.require("; ".join(facts.failed_ticks()))


def _tell_kill(story: Story, demo: Demo, alerts: AlertServer, each: Kill) -> None:
    killed = _kill_in_mid_work(story, demo, alerts, each)
    _wait_until_healed(story, demo, alerts, killed)


def _tell_death_of_the_daemon(
    story: Story, demo: Demo, alerts: AlertServer, dev: subprocess.Popen[bytes]
) -> Killed:
    killed = _kill_in_mid_work(story, demo, alerts, DAEMON)
    story.wait_for(lambda: dev.poll() is not None, "dp dev ends with it")
    said = (demo.project.local / "dev.log").read_text().splitlines()[-1]
    story.tell(f"its status is {dev.returncode}, and it says: {said}")
    story.require("" if dev.returncode else "its status says that it failed")
    return killed


def _kill_in_mid_work(story: Story, demo: Demo, alerts: AlertServer, each: Kill) -> Killed:
    """Wait until a run is in the middle of its work, and kill."""
    found: list[UnderWay] = []

    def is_killed() -> bool:
        programs = each.programs(demo.project)
        if not programs:
            return False
        with opened_facts(demo.project.home) as facts:
            under_way = facts.under_way(each.location)
        victims = each.victims(demo.project, programs[0])
        if under_way.runs and victims:
            kill(victims)
            found.append(under_way)
        return bool(found)

    told = len(alerts.alerts)
    story.wait_for(is_killed, f"{each.what} is killed, while a run of {each.location} goes on")
    return Killed(each, time.time(), found[0], told)


def _wait_until_healed(story: Story, demo: Demo, alerts: AlertServer, killed: Killed) -> None:
    runs, since = killed.interrupted.runs, killed.interrupted.since
    assets = killed.interrupted.assets & demo.upstream.keys()

    def lacks() -> list[str]:
        with opened_facts(demo.project.home) as facts:
            stuck = [f"run {run[:8]} goes on" for run in runs & facts.open_runs().keys()]
            unmade = [f"{a} was not made" for a in sorted(assets) if facts.last_made(a) < since]
            again = facts.has_run_since(killed.kill.location, killed.at)
            slots = facts.taken_slots()
        found = stuck + unmade[:MOST_NAMED] + [f"a slot is taken: {slot}" for slot in slots]
        return found if again else [*found, f"no run of {killed.kill.location} came after it"]

    story.wait_until_nothing_lacks(
        lacks, f"its {len(assets)} assets are made, no run is stuck, no slot of a pool is lost"
    )
    seconds = time.time() - killed.at
    with opened_facts(demo.project.home) as facts:
        story.tell(facts.endings(runs))
    demo.wait_until_whole(f"healed {seconds:.0f} s after the kill; every row is there, once")
    for alert in alerts.alerts[killed.told :]:
        text = "\n            ".join(alert.body.splitlines()[:LINES_OF_AN_ALERT])
        story.tell(f"    alert: {alert.title}\n            {text}")


def _open_incidents(demo: Demo) -> list[str]:
    with opened_facts(demo.project.home) as facts:
        return facts.open_incidents()


def _tell_end(story: Story, demo: Demo, alerts: AlertServer, at: float) -> None:
    _let_a_week_pass(story, demo)  # below what has not changed nothing would be made

    def lacks() -> list[str]:
        with opened_facts(demo.project.home) as facts:
            return demo.find_unmade(facts, since=at)

    story.wait_until_nothing_lacks(lacks, "every asset was made once more since the last kill")
    demo.wait_until_whole("every table holds what the sources hold, each row once")
    story.wait_until_nothing_lacks(
        lambda: _open_incidents(demo), "every alert that was sent was followed by its end"
    )
    demo.check_causes()
    story.tell(f"{len(alerts.alerts)} alerts, {story.minutes:.0f} minutes: all of it healed")
