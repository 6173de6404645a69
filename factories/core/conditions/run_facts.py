"""What runs have made of the assets of an evaluation, and what they are about to make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, RunRecord, RunsFilter
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from factories.core.conditions.memory import WHOLE
from factories.core.conditions.unit_facts import Key, UnitFacts

if TYPE_CHECKING:
    from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView

ANY = "*"
BACKFILL = "a backfill"
CHUNK = 400  # SQLite takes some thousand variables in a statement
_RANGE_TAGS = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)


@dataclass(frozen=True)
class Update:
    """A materialization of an asset or of one of its partitions.

    Attributes:
        event: Its id in the event log.
        timestamp: When; seconds since 1970.
        run_id: What made it; empty when somebody reported it.
        tags: Dagster's, with the events of upstream assets that the step had seen at its start.
        of_check: Whether it is a check's result, whose ids are not those of events.
    """

    event: int
    timestamp: float
    run_id: str
    tags: dict[str, str]
    of_check: bool = False


@dataclass(frozen=True)
class Attempt:
    """A run that was to make a unit, and has not, or not yet.

    Attributes:
        run_id: The run.
        event: The id of the event by which it was planned; 0 where that is not known.
    """

    run_id: str
    event: int = 0


class RunFacts(UnitFacts):
    """What was made, by which runs, and which runs have not ended.

    Attributes:
        last_event: The id of the last event that this evaluation takes into account.
    """

    def __init__(self, view: AssetGraphView) -> None:
        """Take the view of the evaluation."""
        super().__init__(view)
        self.last_event = view.last_event_id or 0
        self._instance: dg.DagsterInstance = view.instance
        self._runs: dict[str, RunRecord | None] = {}
        self._updates: dict[tuple[Key, str], Update | None] = {}

    def last_event_of(self, key: Key) -> int:
        """Return what is compared with the events of an asset or check: what comes is greater."""
        if isinstance(key, dg.AssetCheckKey):
            record = self._own_checks.get(key)
            return record.id if record else 0
        return self.last_event

    def latest(self, key: Key, unit: str = WHOLE) -> Update | None:
        """Return the last materialization of an asset or a partition, or a check's last result."""
        place = (key, unit)
        if place not in self._updates:
            self._updates[place] = self._find_latest(key, unit)
        return self._updates[place]

    def _find_latest(self, key: Key, unit: str) -> Update | None:
        if isinstance(key, dg.AssetCheckKey):
            record = self._own_checks.get(key)
            if record is None or record.status is AssetCheckExecutionRecordStatus.PLANNED:
                return None
            return Update(record.id, record.create_timestamp, record.run_id, {}, of_check=True)
        if unit == WHOLE:
            entry = self._queries.get_asset_record(key)
            event = entry.asset_entry.last_materialization_record if entry else None
        else:
            event = self._queries.get_latest_materialization_or_observation_record(
                AssetKeyPartitionKey(key, unit)
            )
        if event is None:
            return None
        made = event.event_log_entry.asset_materialization
        tags = dict(made.tags or {}) if made else {}
        return Update(event.storage_id, event.timestamp, event.run_id, tags)

    @cached_property
    def _own_checks(self) -> Mapping[dg.AssetCheckKey, AssetCheckExecutionRecord]:
        """The last records of the checks that have conditions of their own."""
        keys = [
            key
            for key in self.graph.asset_check_keys
            if self.graph.get(key).automation_condition is not None
        ]
        found: dict[dg.AssetCheckKey, AssetCheckExecutionRecord] = {}
        for chunk in chunks(keys):
            storage = self._instance.event_log_storage
            found.update(storage.get_latest_asset_check_execution_by_key(chunk))
        return found

    def last_run_id(self, key: Key) -> str:
        """Return the last run that was to make an asset, or that has made it; empty if none."""
        if isinstance(key, dg.AssetCheckKey):
            check = self._own_checks.get(key)
            return check.run_id if check else ""
        record = self._queries.get_asset_record(key)
        return (record.asset_entry.last_run_id if record else None) or ""

    def was_made_by_run(self, key: dg.AssetKey) -> bool:
        """Tell whether a run of this instance has made an asset's present state."""
        made = self.latest(key)
        return made is not None and bool(made.run_id)

    def attempts(self, key: Key) -> dict[str, Attempt]:
        """Return the last run of each unit that was to make it and has not, or not yet."""
        if isinstance(key, dg.AssetCheckKey):
            last = self.last_run_id(key)
            return {WHOLE: Attempt(last)} if last and self.latest(key) is None else {}
        if self._partitions(key) is None:
            last, made = self.last_run_id(key), self.latest(key)
            return {WHOLE: Attempt(last)} if last and (made is None or made.run_id != last) else {}
        storage = self._instance.event_log_storage
        find = storage.get_latest_asset_partition_materialization_attempts_without_materializations
        return {unit: Attempt(*found) for unit, found in find(key).items()}

    def missing_units(self, key: dg.AssetKey, units: Iterable[str]) -> list[str]:
        """Return those units of an asset that were never made."""
        units = list(units)
        if units == [WHOLE]:
            return [] if self.latest(key) else [WHOLE]
        made = self.view.get_subset_from_serializable_subset(
            self._queries.get_materialized_asset_subset(asset_key=key)
        )
        there = set(self.units(made)) if made is not None else set()
        return [unit for unit in units if unit not in there]

    def run(self, run_id: str) -> RunRecord | None:
        """Return a run; those that were to make the assets of the graph are read together."""
        self.read_runs([run_id])
        return self._runs[run_id]

    def read_runs(self, run_ids: Iterable[str]) -> None:
        """Read runs that will be asked for, and were not yet, together."""
        wanted = set(run_ids) - self._runs.keys()
        if wanted:
            wanted |= self._unmade_run_ids - self._runs.keys()
            self._runs.update(dict.fromkeys(wanted))
            for chunk in chunks(sorted(wanted)):
                for record in self._instance.get_run_records(RunsFilter(run_ids=chunk)):
                    self._runs[record.dagster_run.run_id] = record

    @cached_property
    def _unmade_run_ids(self) -> set[str]:
        """The last runs of the evaluated assets that have not made them, or not yet."""
        found = set()
        for key in self.graph.get_all_asset_keys():
            if self.graph.get(key).automation_condition is None:
                continue
            last, made = self.last_run_id(key), self.latest(key)
            if last and (made is None or made.run_id != last):
                found.add(last)
        return found

    @cached_property
    def open_runs(self) -> dict[str, RunRecord]:
        """The runs that have not ended, queued ones among them, by id."""
        records = self._instance.get_run_records(RunsFilter(statuses=NOT_FINISHED_STATUSES))
        return {record.dagster_run.run_id: record for record in records}

    def is_open(self, run_id: str) -> bool:
        """Tell whether a run has not ended: one may have come since the open runs were read."""
        if run_id in self.open_runs:
            return True
        run = self.run(run_id) if run_id else None
        return run is not None and not run.dagster_run.is_finished

    @cached_property
    def _open_units(self) -> dict[dg.AssetKey, dict[str, str]]:
        found: dict[dg.AssetKey, dict[str, str]] = {}
        for run_id, record in self.open_runs.items():
            for key in record.dagster_run.asset_selection or ():
                if self.graph.has(key):
                    units = found.setdefault(key, {})
                    units.update(dict.fromkeys(self._units_of_run(key, record), run_id))
        return found

    def _units_of_run(self, key: dg.AssetKey, record: RunRecord) -> Iterable[str]:
        tags = record.dagster_run.tags
        partitions = self.graph.get(key).partitions_def
        if partitions is None:
            return [WHOLE]
        if PARTITION_NAME_TAG in tags:
            return [tags[PARTITION_NAME_TAG]]
        start, end = (tags.get(tag) for tag in _RANGE_TAGS)
        if start and end and partitions.has_partition_key(start):
            keys: Iterable[str] = partitions.get_partition_keys_in_range(
                dg.PartitionKeyRange(start, end)
            )
            return keys
        return [ANY]

    def open_run(self, key: Key, unit: str) -> str | None:
        """Return the run or backfill that is to make a unit of an asset and has not, if any.

        Args:
            key: The asset.
            unit: A partition, or `WHOLE`: then the run of any of its partitions counts.
        """
        if isinstance(key, dg.AssetCheckKey):
            last = self.last_run_id(key)
            return last if self.latest(key) is None and self.is_open(last) else None
        units = dict(self._open_units.get(key, {}))
        last = self.last_run_id(key)
        if last not in units.values() and (run := self._open_last_run(key, last)):
            # The run of a job names no assets; its planned materializations do.
            units.update(dict.fromkeys(self._units_of_run(key, run), last))
        for named, run_id in units.items():
            if unit in (WHOLE, named) or named == ANY:
                made = self.latest(key, WHOLE if named == ANY else named)
                if made is None or made.run_id != run_id:
                    return run_id
        return self._open_backfill(key, unit)

    def _open_last_run(self, key: dg.AssetKey, last: str) -> RunRecord | None:
        made = self.latest(key)
        if last in self.open_runs or (made is not None and made.run_id == last):
            return self.open_runs.get(last)
        return self.run(last) if self.is_open(last) else None

    def _open_backfill(self, key: dg.AssetKey, unit: str) -> str | None:
        subset = self._queries.get_active_backfill_in_progress_asset_graph_subset()
        if key not in subset.asset_keys:
            return None
        if self._partitions(key) is not None and unit != WHOLE:
            return BACKFILL if AssetKeyPartitionKey(key, unit) in subset else None
        return BACKFILL


def chunks(keys: list[Any]) -> Iterator[list[Any]]:
    """Yield parts of a list that one statement can ask for."""
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
