"""Sensors, schedules, daemons and other code locations, by what Dagster's daemon stores of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType

# What the daemon stores; not public in 1.13.
from dagster._core.remote_origin import (
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat

from factories.core.dagster_internals import SerializableErrorInfo
from tests.factories.alerts.channels import Webhook
from tests.factories.alerts.conftest import AlertingLocation, code_location

HERE = "this code location"
PLATFORM = """
    watch: platform
    silent_after: 5m
    routes: {team: {to: "${TEAM_HOOK}"}}
"""


@pytest.fixture(scope="module")
def stored() -> Iterator[dg.DagsterInstance]:
    """An instance that keeps what the daemon does; making one takes a second."""
    with (
        tempfile.TemporaryDirectory() as folder,
        dg.DagsterInstance.local_temp(folder) as instance,
    ):
        yield instance


@pytest.fixture
def watching(location: AlertingLocation, stored: dg.DagsterInstance) -> AlertingLocation:
    """A location on an instance in which nothing has happened."""
    storage = stored.daemon_cursor_storage
    storage.set_cursor_values({f"dp/alerts/local/{HERE}": '{"location": "this code location"}'})
    stored.wipe_all_schedules()
    stored.wipe_daemon_heartbeats()
    location.instance = stored
    location.define(sensors=[named_sensor("news"), named_sensor("gone")])
    return location


def named_sensor(name: str) -> dg.SensorDefinition:
    return dg.SensorDefinition(name=name, evaluation_fn=lambda _: dg.SkipReason("never asked"))


def sensor(instance: dg.DagsterInstance, name: str, location: str, last: float) -> InstigatorState:
    """Store that the daemon has evaluated a sensor."""
    repository = RemoteRepositoryOrigin(code_location(location), "__repository__")
    state = InstigatorState(
        RemoteInstigatorOrigin(repository, name),
        InstigatorType.SENSOR,
        InstigatorStatus.DECLARED_IN_CODE,
        SensorInstigatorData(min_interval=30, last_tick_start_timestamp=last),
    )
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
    (instance.update_instigator_state if known else instance.add_instigator_state)(state)
    return state


def evaluated(
    instance: dg.DagsterInstance, of: InstigatorState, at: float, error: Exception | None = None
) -> None:
    """Store one evaluation of a sensor."""
    info = error and SerializableErrorInfo(f"{type(error).__name__}: {error}\n", [], "KeyError")
    instance.create_tick(
        TickData(
            instigator_origin_id=of.instigator_origin_id,
            instigator_name=of.instigator_name,
            instigator_type=of.instigator_type,
            status=TickStatus.FAILURE if error else TickStatus.SKIPPED,
            timestamp=at,
            end_timestamp=at + 1,
            error=info,
            selector_id=of.selector_id,
        )
    )


def beat(instance: dg.DagsterInstance, at: float, *kinds: str) -> None:
    for kind in kinds or instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(at, kind, "id"))


def test_an_evaluation_that_fails_is_told_until_it_works(
    watching: AlertingLocation, webhook: Webhook
) -> None:
    instance = watching.instance
    news = sensor(instance, "news", HERE, watching.now)
    other = sensor(instance, "other", "another code location", watching.now)
    watching.tick()
    for after in (5, 15):
        evaluated(instance, news, watching.now + after, KeyError("a new field"))
    evaluated(instance, other, watching.now + 5, KeyError("not ours"))
    watching.tick()
    evaluated(instance, news, watching.now + 5)
    watching.tick()

    name = f"[local] {HERE}: sensor news"
    assert webhook.titles == [f"{name} could not be evaluated", f"{name} works again"]
    assert "KeyError: 'a new field'" in webhook.texts[0]
    assert "/locations/this code location/sensors/news" in webhook.texts[0]


def test_what_is_switched_off_or_gone_is_not_told_for_ever(
    watching: AlertingLocation, webhook: Webhook
) -> None:
    instance = watching.instance
    watching.write(PLATFORM)
    states = [sensor(instance, name, HERE, watching.now) for name in ("news", "gone")]
    beat(instance, watching.now - 2_000, "BACKFILL")
    watching.tick()
    for each in states:
        evaluated(instance, each, watching.now + 5, KeyError(each.instigator_name))
    for _ in range(4):
        watching.tick(after=81)
    assert len(watching.state.incidents) == 3
    instance.update_instigator_state(states[0].with_status(InstigatorStatus.STOPPED))
    watching.define(sensors=[named_sensor("news")])  # Dagster still calls the other one running
    watching.write("routes: {team: {to: '${TEAM_HOOK}'}}")
    watching.tick()

    assert watching.state.incidents == {}
    assert "3 incidents are over" in webhook.titles[-1]
    watching.tick(after=30 * 86_400)
    assert "3 incidents are over" in webhook.titles[-1]


def test_a_silent_daemon_is_told(watching: AlertingLocation, webhook: Webhook) -> None:
    instance = watching.instance
    watching.write(PLATFORM)
    beat(instance, watching.now)
    watching.tick()
    for _ in range(4):
        beat(instance, watching.now + 80)
        beat(instance, watching.now - 2_000, "BACKFILL")
        watching.tick(after=81)
    assert webhook.titles == [f"[local] {HERE}: daemon BACKFILL is silent"]
    beat(instance, watching.now + 10)
    watching.tick()

    assert webhook.titles[1:] == [f"[local] {HERE}: daemon BACKFILL works again"]
    assert "http://127.0.0.1:3000/deployment/daemons" in webhook.texts[0]


def test_a_break_of_the_whole_daemon_is_told_when_it_is_over(
    watching: AlertingLocation, webhook: Webhook
) -> None:
    instance = watching.instance
    watching.write(PLATFORM)
    sensor(instance, "automation", "ml", watching.now)
    beat(instance, watching.now)
    watching.tick()
    watching.tick(after=3_600)

    # Daemons and other locations have time to be heard of, before they count as silent.
    assert webhook.titles == [f"[local] {HERE}: Dagster's daemon is silent; it works again"]
    assert "nothing was evaluated in between" in webhook.texts[0]


def test_a_location_that_does_not_load_is_seen_by_another(
    watching: AlertingLocation, webhook: Webhook
) -> None:
    instance = watching.instance
    watching.write(PLATFORM)
    (watching.root / "workspace.yaml").write_text(
        "load_from:\n"
        "  - python_module: {module_name: a, location_name: ml}\n"
        "  - python_module: {module_name: b, location_name: ingestion}\n"
    )
    sensor(instance, "automation", "ml", watching.now)
    sensor(instance, "automation", "taken_away", watching.now)
    watching.tick()
    for _ in range(4):
        beat(instance, watching.now + 80)
        sensor(instance, "automation", "ingestion", watching.now + 70)
        watching.tick(after=81)
    assert webhook.titles == ["[local] ml: code location ml does not load"]
    sensor(instance, "automation", "ml", watching.now + 20)
    watching.tick()

    assert webhook.titles[1:] == ["[local] ml: code location ml works again"]


def test_runs_alone_are_watched_unless_the_file_says_platform(
    watching: AlertingLocation, webhook: Webhook
) -> None:
    beat(watching.instance, watching.now - 2_000)
    watching.tick()
    watching.tick(after=3_600)

    assert webhook.titles == []
