"""Sensors of YAML as Dagster's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import dagster as dg

from factories.automation.entries import Entry
from factories.automation.run_requests import RunRequests
from factories.automation.schema import SensorItem
from factories.automation.sensor_schema import (
    AssetUpdateSensor,
    DbtModelUpdateSensor,
    FilesSensor,
    RunStatusSensor,
    SqlSensor,
    WebhookQueueSensor,
)
from factories.automation.sensors.asset_update import look_for_updates
from factories.automation.sensors.files import look_for_files
from factories.automation.sensors.run_status import look_for_ended_runs
from factories.automation.sensors.sql import look_for_change
from factories.automation.sensors.tick import Look, Tick, evaluation
from factories.automation.sensors.webhook_queue import look_for_rows
from factories.automation.status import describe, is_on
from factories.automation.templates import placeholders
from factories.core.meta.environments import why_off_here
from factories.core.meta.keys import parse_key


def build_sensor(
    entry: Entry[SensorItem], requests: RunRequests, models: Sequence[dg.AssetKey]
) -> dg.SensorDefinition:
    """Return a sensor of YAML.

    Args:
        entry: What YAML says.
        requests: Makes its runs.
        models: The models whose updates it looks for, where it looks for those.
    """
    item = entry.item
    running = dg.DefaultSensorStatus.RUNNING
    return dg.SensorDefinition(
        name=entry.name,
        evaluation_fn=evaluation(requests, _in_its_environments(item, _look(item, models))),
        job_name=requests.job,
        minimum_interval_seconds=max(1, round(item.minimum_interval.total_seconds())),
        description=describe(item),
        # What stands for something else in the tags of runs would mean nothing to its readers.
        tags={key: text for key, text in item.tags.items() if not [*placeholders(text)]},
        default_status=running if is_on(item) else dg.DefaultSensorStatus.STOPPED,
    )


def _look(item: SensorItem, models: Sequence[dg.AssetKey]) -> Look:
    match item:
        case FilesSensor():
            return look_for_files(item)
        case AssetUpdateSensor():
            return look_for_updates([parse_key(key) for key in item.assets], item.when)
        case DbtModelUpdateSensor():
            return look_for_updates(models, item.when)
        case RunStatusSensor():
            return look_for_ended_runs(item)
        case SqlSensor():
            return look_for_change(item)
        case _:
            return look_for_rows(cast("WebhookQueueSensor", item))


def _in_its_environments(item: SensorItem, look: Look) -> Look:
    """Return a look that finds nothing elsewhere, also when somebody has switched the sensor on."""
    if elsewhere := why_off_here(item.environments, os.environ):
        return lambda tick: dg.SensorResult(
            skip_reason=dg.SkipReason(elsewhere), cursor=tick.context.cursor
        )
    return _at_its_location(look)


def _at_its_location(look: Look) -> Look:
    """Return a look that calls the code location as the workspace does, where Dagster tells."""

    def look_there(tick: Tick) -> dg.SensorResult:
        origin = tick.context.code_location_origin
        if origin is None:
            return look(tick)
        return look(replace(tick, requests=replace(tick.requests, location=origin.location_name)))

    return look_there
