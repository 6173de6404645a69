"""The sensor `webhook_queue`: each row of a table once, in order.

A row is acknowledged by the look after the one that requested its run, when Dagster has that run:
whatever ends in between, the row is neither lost nor run twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from factories.automation.sensor_schema import WebhookQueueSensor
from factories.automation.sensors.partition import RunPartitions
from factories.automation.sensors.tick import Look, SourceError, Tick, skip
from factories.automation.sensors.warehouse import Warehouse, open_warehouse, relation_of
from factories.automation.templates import TemplateError
from factories.core.conditions.run_tags import LOCATION_TAG
from factories.core.warehouse.names import Relation, warehouse_names

RUN_KEY = "dagster/run_key"
SENSOR_NAME = "dagster/sensor_name"


def look_for_rows(item: WebhookQueueSensor) -> Look:
    """Return what a sensor of a queue does at each tick."""

    def look(tick: Tick) -> dg.SensorResult:
        table = relation_of(item.table, warehouse_names())
        with open_warehouse(tick) as warehouse:
            rows = _unacknowledged(warehouse, table, item)
            requested = _requested(tick, item, rows)
            if requested:
                _acknowledge(warehouse, table, item, requested)
                rows = _unacknowledged(warehouse, table, item)
                again = _requested(tick, item, rows)  # more than one tick has requested
                rows = [row for row in rows if row[0] not in again]
        if not rows:
            return skip(f"{len(requested)} rows acknowledged." if requested else "No new row.")
        partitions = RunPartitions(tick, item.partition)
        return partitions.result(_requests(tick, item, rows, partitions), None)

    return look


def _unacknowledged(
    warehouse: Warehouse, table: Relation, item: WebhookQueueSensor
) -> list[tuple[Any, Any]]:
    order = dict.fromkeys([item.order_column or item.id_column, item.id_column])
    # Names that YAML gives, each checked to be one.
    statement = (
        f"select {item.id_column}, {item.payload_column} from {table.sql}"  # noqa: S608 - see above
        f" where {item.acknowledged_column} is null"
        f" order by {', '.join(order)} limit {item.rows_per_tick}"
    )
    rows = warehouse.rows(statement, at_most=item.rows_per_tick)
    seen: set[Any] = set()
    for row_id, _ in rows:
        if row_id is None:
            raise SourceError(f"{item.table}: {item.id_column} is null in a row")
        if row_id in seen:
            raise SourceError(f"{item.table}: {item.id_column} is {row_id!r} in more than one row")
        seen.add(row_id)
    return [(row_id, payload) for row_id, payload in rows]


def _run_key(item: WebhookQueueSensor, row_id: object) -> str:
    return f"{item.table}:{row_id}"


def _requested(tick: Tick, item: WebhookQueueSensor, rows: Sequence[tuple[Any, Any]]) -> set[Any]:
    """Return the ids of the rows whose runs Dagster has."""
    if not rows:
        return set()
    keys = {_run_key(item, row_id): row_id for row_id, _ in rows}
    tags: dict[str, str | Sequence[str]] = {
        RUN_KEY: list(keys),
        SENSOR_NAME: tick.requests.name,
        LOCATION_TAG: tick.requests.location,
    }
    runs = tick.context.instance.get_runs(dg.RunsFilter(tags=tags))
    return {keys[run.tags[RUN_KEY]] for run in runs}


def _acknowledge(
    warehouse: Warehouse, table: Relation, item: WebhookQueueSensor, row_ids: set[Any]
) -> None:
    marks = ", ".join(["%s"] * len(row_ids))
    statement = (
        f"update {table.sql} set {item.acknowledged_column} = current_timestamp()"  # noqa: S608 - names of YAML, as above
        f" where {item.acknowledged_column} is null and {item.id_column} in ({marks})"
    )
    warehouse.rows(statement, sorted(row_ids, key=str), at_most=1)


def _requests(
    tick: Tick,
    item: WebhookQueueSensor,
    rows: Sequence[tuple[Any, Any]],
    partitions: RunPartitions,
) -> list[dg.RunRequest]:
    """Return the runs of rows, up to the first of which none can be made.

    Raises:
        SourceError: When none can be made of the first.
    """
    requests: list[dg.RunRequest] = []
    for row_id, payload in rows:
        values = {"id": row_id, "payload": _read_payload(payload)}
        cause = f"row {row_id} of {item.table}"
        try:
            partition = partitions.key(values)
            request = tick.requests.request(
                _run_key(item, row_id), cause, values=values, partition=partition
            )
        except (TemplateError, SourceError) as error:
            message = f"{cause}: {error}; it, and what is behind it, waits until it is right"
            if not requests:
                raise SourceError(message) from None
            tick.context.log.warning(message)
            break
        requests.append(request)
    return requests


def _read_payload(payload: object) -> object:
    """Return a payload as values, where it is JSON; else as text."""
    if isinstance(payload, str):
        try:
            return json.loads(payload)
        except ValueError:
            return payload
    return payload if isinstance(payload, int | float | dict | list | None) else str(payload)
