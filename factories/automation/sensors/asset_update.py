"""The sensors `asset_update` and `dbt_model_update`: runs after updates of assets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg

from factories.automation.sensors.tick import Look, Tick, skip

EVENTS_PER_ASSET = 200
RUNS_PER_TICK = 100
WHOLE = ""  # stands for an asset without partitions


@dataclass
class Cursor:
    """What a sensor of updates remembers.

    Attributes:
        after: The last update that was read of each asset, by Dagster's number of it.
        waiting: The updates that no run was requested for yet: by asset and partition, the number
            and the run of the latest.
    """

    after: dict[str, int]
    waiting: dict[str, dict[str, tuple[int, str]]]

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """Read what `write` wrote; of the first look, nothing."""
        kept = json.loads(text) if text else {}
        waiting = {
            asset: {partition: (int(number), str(run)) for partition, (number, run) in of.items()}
            for asset, of in kept.get("waiting", {}).items()
        }
        return cls(kept.get("after", {}), waiting)

    def write(self) -> str:
        """Return it as Dagster keeps it."""
        return json.dumps({"after": self.after, "waiting": self.waiting})


def look_for_updates(keys: Sequence[dg.AssetKey], when: Literal["any", "all"]) -> Look:
    """Return what a sensor of updates does at each tick.

    Args:
        keys: The assets, of any code location.
        when: Whether one of them is enough, or each must have been updated.
    """
    names = [key.to_user_string() for key in keys]

    def look(tick: Tick) -> dg.SensorResult:
        first = tick.context.cursor is None
        cursor = Cursor.read(tick.context.cursor)
        partitions = tick.requests.partitions(tick.context.repository_def)
        cursor.waiting = {name: cursor.waiting.get(name, {}) for name in names}
        read: set[str] = set()
        for key, name in zip(keys, names, strict=True):
            of_job = partitions is not None
            read |= _read_updates(tick, key, name, cursor, with_partitions=of_job)
        if first:
            return skip("Looks for updates from now on.", cursor.write())
        # The job may have got other partitions while an update waited.
        waited = _ready_partitions(cursor, names, when)[:RUNS_PER_TICK]
        refused = _refuse(tick, cursor, {*read, *waited}, partitions)
        ready = _ready_partitions(cursor, names, when)[:RUNS_PER_TICK]
        runs = [_request(tick, cursor, names, partition) for partition in ready]
        if not runs:
            return skip(refused or _say_what_is_missing(cursor, names), cursor.write())
        return dg.SensorResult(run_requests=runs, cursor=cursor.write())

    return look


def _read_updates(
    tick: Tick, key: dg.AssetKey, name: str, cursor: Cursor, *, with_partitions: bool
) -> set[str]:
    """Add an asset's updates since the look before; of an asset that is new here, those to come.

    Returns:
        The partitions that were updated.
    """
    read: set[str] = set()
    instance = tick.context.instance
    if name not in cursor.after:
        latest = instance.fetch_materializations(key, limit=1).records
        cursor.after[name] = latest[0].storage_id if latest else 0
        return read
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(key, after_storage_id=cursor.after[name]),
        limit=EVENTS_PER_ASSET,
        ascending=True,
    ).records
    for record in records:
        partition = (record.partition_key if with_partitions else None) or WHOLE
        cursor.waiting[name][partition] = (record.storage_id, record.run_id)
        cursor.after[name] = record.storage_id
        read.add(partition)
    return read


def _ready_partitions(cursor: Cursor, names: Sequence[str], when: str) -> list[str]:
    """Return the partitions to run, in the order of their updates."""
    sets = [set(cursor.waiting[name]) for name in names]
    ready = set.intersection(*sets) if when == "all" else set.union(*sets)

    def latest(partition: str) -> int:
        return max(cursor.waiting[n].get(partition, (0, ""))[0] for n in names)

    return sorted(ready, key=latest)


def _refuse(tick: Tick, cursor: Cursor, read: set[str], partitions: Any) -> str:
    """Leave out updates that say nothing about a partition of the job; return what to tell of it.

    Nobody can put them right: a sensor that waited for that would hold up all that come later.
    """
    told: list[str] = []
    for partition in sorted(read) if partitions is not None else ():
        why = _why_refused(tick, partition, partitions)
        for name, waiting in cursor.waiting.items():
            if why and partition in waiting:
                del waiting[partition]
                told.append(f"{name} was updated {why}: left out")
                tick.context.log.warning(told[-1])
    more = f"; {len(told) - 1} more were left out" if len(told) > 1 else ""
    return f"{told[0]}{more}" if told else ""


def _why_refused(tick: Tick, partition: str, partitions: Any) -> str:
    job = tick.requests.job
    if partition == WHOLE:
        return f"without a partition, and the job {job} needs one"
    with dg.partition_loading_context(dynamic_partitions_store=tick.context.instance):
        known = partitions.has_partition_key(partition)
    return "" if known else f"for {partition!r}, which is no partition of the job {job}"


def _request(tick: Tick, cursor: Cursor, names: Sequence[str], partition: str) -> dg.RunRequest:
    updates = {
        name: cursor.waiting[name].pop(partition)
        for name in names
        if partition in cursor.waiting[name]
    }
    asset = max(updates, key=lambda name: updates[name][0])
    number, run_id = updates[asset]
    others = f" and {len(updates) - 1} more" if len(updates) > 1 else ""
    of = f" {partition}" if partition else ""
    by = f"materialized by run {run_id}" if run_id else "reported from outside of Dagster"
    return tick.requests.request(
        f"{number}:{partition}",
        f"asset {asset}{of}{others}, {by}",
        values={"asset": asset, "partition": partition, "run_id": run_id},
        partition=partition or None,
    )


def _say_what_is_missing(cursor: Cursor, names: Sequence[str]) -> str:
    missing = [name for name in names if not cursor.waiting[name]]
    if len(missing) == len(names):
        return "No update since the last run."
    return f"Waits for an update of {', '.join(missing or names)}."
