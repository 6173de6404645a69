"""Reads the project's Dagster instance, which another process may be serving or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus

from factories.cli.serving.served_instance import read_served
from factories.core.conditions.times import moment_text
from factories.location_defaults import AUTOMATION

AUTOMATION_DAEMON = "ASSET"
SILENT_SECONDS = 120  # a daemon tells every half a minute that it lives


class InstanceUnreadableError(Exception):
    """The instance is there and cannot be read; the text says why."""


@contextmanager
def opened_instance(home: Path) -> Iterator[dg.DagsterInstance | None]:
    """Open the instance of a folder; None when there is none, and nothing is made.

    Raises:
        InstanceUnreadableError: When it cannot be opened.
    """
    if not (home / "dagster.yaml").is_file() and not (home / "history").is_dir():
        yield None
        return
    try:
        opened = dg.DagsterInstance.from_config(str(home))
    except Exception as error:  # noqa: BLE001 - what `dagster.yaml` names may raise anything
        first = next(iter(str(error).strip().splitlines()), "")
        raise InstanceUnreadableError(
            f"the Dagster instance in {home} cannot be read: {type(error).__name__}: {first}"
        ) from None
    with opened as instance:
        yield instance


def nothing_has_run(home: Path) -> str:
    """Return the sentence about an instance that is not there."""
    return f"nothing has run yet: there is no Dagster instance in {home}"


def why_automation_is_off(instance: dg.DagsterInstance, home: Path, now: float) -> str:
    """Return why no automation condition is evaluated at present; empty when they are."""
    heartbeat = instance.get_daemon_heartbeats().get(AUTOMATION_DAEMON)
    if heartbeat is None:
        return "no daemon has evaluated automation conditions: nothing runs by itself"
    if now - heartbeat.timestamp > SILENT_SECONDS:
        seen = moment_text(heartbeat.timestamp)
        return f"the daemon was last seen at {seen}: nothing runs by itself until one runs again"
    served = read_served(home)
    if served and served.command == "dp run" and not served.by.is_dead:
        return "`dp run` serves this instance, with automation off: nothing else runs by itself"
    if stopped := _locations_switched_off(instance):
        return f"the sensor {AUTOMATION} is switched off in {', '.join(stopped)}"
    return ""


def _locations_switched_off(instance: dg.DagsterInstance) -> list[str]:
    """Return the code locations whose automation somebody has switched off in the UI."""
    states = instance.all_instigator_state(instigator_statuses={InstigatorStatus.STOPPED})
    return sorted(
        state.origin.repository_origin.code_location_origin.location_name
        for state in states
        if state.instigator_name == AUTOMATION
    )


def iso(moment: float) -> str:
    """Return a moment for machines."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
