"""What one evaluation of automation conditions knows: a few bulk queries, made when first needed.

Dagster evaluates each asset by itself. Asked one by one, the facts of a thousand assets take some
two thousand SQL statements; here the assets of an evaluation share them.

The names of Dagster 1.13 that are used here and that are not public are the asset graph's view, its
cached queries and the storage of the event log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.definitions.assets.graph.asset_graph import executable_in_same_run
from dagster._core.definitions.data_version import get_input_event_pointer_tag
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.events import DagsterEventType
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
from factories.core.conditions.permanent import read_permanent_assets

if TYPE_CHECKING:
    from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView

Key = dg.AssetKey | dg.AssetCheckKey
Subset = EntitySubset[Any]
ANY = "*"
BACKFILL = "a backfill"


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


class TickFacts:
    """The facts of one evaluation."""

    def __init__(self, view: AssetGraphView) -> None:
        """Take Dagster's view of the asset graph, which lives as long as the evaluation."""
        self.view = view
        self.now = view.effective_dt.timestamp()
        self.last_event = view.last_event_id or 0
        self.graph = view.asset_graph
        self._queries = view.get_inner_queryer_for_back_compat()
        self._instance: dg.DagsterInstance = view.instance
        self._runs: dict[str, RunRecord | None] = {}
        self._permanent: dict[str, set[str]] = {}
        self._updates: dict[tuple[Key, str], Update | None] = {}
        self.expected: dict[dg.AssetKey, float] = {}

    def parents(self, key: Key) -> list[dg.AssetKey]:
        """Return the upstream assets of an asset or check that are in the graph, by name."""
        found = self.graph.get(key).parent_entity_keys
        return sorted(one for one in found if isinstance(one, dg.AssetKey) and one != key)

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
        for chunk in _chunks(keys):
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

    def run(self, run_id: str) -> RunRecord | None:
        """Return a run; those that were to make the assets of the graph are read together."""
        if run_id not in self._runs:
            wanted = {run_id, *self._unmade_run_ids} - self._runs.keys()
            self._runs.update(dict.fromkeys(wanted))
            for chunk in _chunks(sorted(wanted)):
                for record in self._instance.get_run_records(RunsFilter(run_ids=chunk)):
                    self._runs[record.dagster_run.run_id] = record
        return self._runs[run_id]

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
            return last if last in self.open_runs and self.latest(key) is None else None
        units = dict(self._open_units.get(key, {}))
        last = self.last_run_id(key)
        if last in self.open_runs and last not in units.values():
            # The run of a job names no assets; its planned materializations do.
            for named in self._units_of_run(key, self.open_runs[last]):
                units[named] = last
        for named, run_id in units.items():
            if unit in (WHOLE, named) or named == ANY:
                made = self.latest(key, WHOLE if named == ANY else named)
                if made is None or made.run_id != run_id:
                    return run_id
        return self._open_backfill(key, unit)

    def _open_backfill(self, key: dg.AssetKey, unit: str) -> str | None:
        subset = self._queries.get_active_backfill_in_progress_asset_graph_subset()
        if key not in subset.asset_keys:
            return None
        if self._partitions(key) is not None and unit != WHOLE:
            return BACKFILL if AssetKeyPartitionKey(key, unit) in subset else None
        return BACKFILL

    def updated_units(self, parent: dg.AssetKey, child: Key, after: int) -> Iterator[str]:
        """Yield the units of a downstream asset that updates of an upstream one have reached.

        Args:
            parent: The upstream asset.
            child: The downstream asset.
            after: The id of an event: what is newer counts, up to this evaluation's last event.
        """
        latest = self.latest(parent)
        if not self.graph.get(parent).is_observable:
            if latest is None or latest.event <= after:
                return
            if self.graph.get(child).partitions_def is None:
                if latest.event <= self.last_event:
                    yield WHOLE
                return
        found = self._queries.get_asset_subset_updated_after_cursor(
            asset_key=parent,
            after_cursor=after,
            require_data_version_update=False,
            before_cursor=self.last_event,
        )
        subset = self.view.get_subset_from_serializable_subset(found)
        if subset is not None and not subset.is_empty:
            yield from self.units(subset.compute_mapped_subset(child, direction="down"))

    def units(self, subset: Subset) -> Iterable[str]:
        """Return the units that a subset of an asset holds."""
        if not subset.is_partitioned:
            return [] if subset.is_empty else [WHOLE]
        keys: Iterable[str] = subset.expensively_compute_partition_keys()
        return sorted(keys)

    def subset(self, key: Key, units: Iterable[str]) -> Subset:
        """Return the subset of an asset that holds some units."""
        units = set(units)
        if not units:
            return self.view.get_empty_subset(key=key)
        if WHOLE in units:
            return self.view.get_full_subset(key=key)
        return self.view.get_subset_from_partition_keys(
            key, self._partitions(key), {unit for unit in units if self.exists(key, unit)}
        )

    def _partitions(self, key: Key) -> Any:
        return self.graph.get(key).partitions_def

    def exists(self, key: Key, unit: str) -> bool:
        """Tell whether an asset has a unit: its partitions may have changed since."""
        partitions = self._partitions(key)
        if partitions is None or unit == WHOLE:
            return bool(unit == WHOLE and partitions is None)
        return bool(partitions.has_partition_key(unit))

    def upstream_units(self, child: Key, unit: str, parent: dg.AssetKey) -> list[str]:
        """Return the units of an upstream asset that a unit of a downstream one is made of.

        One without partitions is made of all that is there, so the whole stands for it.
        """
        if unit == WHOLE or self._partitions(parent) is None:
            return [WHOLE]
        subset = self.subset(child, [unit]).compute_mapped_subset(parent, direction="up")
        return list(self.units(subset))

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

    def requested_together(
        self, parent: dg.AssetKey, child: Key, requested: Subset | None
    ) -> set[str]:
        """Return the units of an upstream asset that this evaluation asks for, for the same run.

        Assets of one code location with the same partitions run in one run, one after the other.
        """
        if requested is None or requested.is_empty:
            return set()
        if not self.graph.get(parent).is_materializable:
            return set()
        if not executable_in_same_run(self.graph, child, parent):
            return set()
        return set(self.units(requested))

    def has_seen(self, made: Update | None, parent: dg.AssetKey, update: Update) -> bool:
        """Tell whether a materialization was made of an upstream asset's update.

        Dagster notes at a step's start which events of its upstream assets it has seen. Without
        that note the run must have started after the update, or have made both.
        """
        if made is None:
            return False
        if made.run_id and made.run_id == update.run_id:
            return True
        seen = made.tags.get(get_input_event_pointer_tag(parent), "")
        if seen.isdigit():
            return int(seen) >= update.event
        if made.event < update.event and not made.of_check:
            return False
        run = self.run(made.run_id) if made.run_id else None
        started = run.start_time if run else made.timestamp
        return started is not None and started >= update.timestamp

    @cached_property
    def _checks(self) -> dict[dg.AssetKey, list[AssetCheckExecutionRecord]]:
        keys = [
            check
            for key in self.graph.get_all_asset_keys()
            for check in self.graph.get(key).check_keys
            if self.graph.get(check).blocking
        ]
        found: dict[dg.AssetKey, list[AssetCheckExecutionRecord]] = {}
        storage = self._instance.event_log_storage
        for chunk in _chunks(keys):
            for key, record in storage.get_latest_asset_check_execution_by_key(chunk).items():
                found.setdefault(key.asset_key, []).append(record)
        return found

    def check_problem(self, key: dg.AssetKey, unit: str) -> str | None:
        """Say which blocking check of an asset's present state failed, or has still to come.

        A check that no run was to execute holds nothing: else one that was just added would.
        """
        made = self.latest(key, unit)
        if made is None:
            return None
        for latest in self._checks.get(key, ()):
            record = self._of_materialization(latest, made, unit)
            if record is None:
                continue
            name = f"the blocking check {record.key.name} of {key.to_user_string()}"
            if record.status is AssetCheckExecutionRecordStatus.PLANNED:
                if record.run_id in self.open_runs:
                    return f"{name} has still to come"
                return f"{name} did not come to a result"
            evaluation = record.evaluation
            if evaluation is None or evaluation.passed:
                continue
            if evaluation.severity is dg.AssetCheckSeverity.ERROR:
                return f"{name} has failed"
        return None

    def _of_materialization(
        self, latest: AssetCheckExecutionRecord, made: Update, unit: str
    ) -> AssetCheckExecutionRecord | None:
        """Return the check's record for the asset's present state; None when there is none."""
        if latest.run_id == made.run_id or _target_event(latest) == made.event:
            return latest
        if unit == WHOLE:
            # Of a later run, which has checked what is there; of an earlier one, what was.
            return latest if latest.create_timestamp >= made.timestamp else None
        history = self._instance.event_log_storage.get_asset_check_execution_history(
            latest.key, limit=HISTORY
        )
        return next((one for one in history if one.run_id == made.run_id), None)

    def is_permanent(self, run_id: str, key: Key) -> bool:
        """Tell whether a run's failure to make an asset is one that trying again cannot mend."""
        if run_id not in self._permanent:
            self._permanent[run_id] = read_permanent_assets(self._instance, run_id)
        return key.to_user_string() in self._permanent[run_id]

    def was_held_in_run(self, key: Key, run_id: str) -> bool:
        """Tell whether a failed run left an asset out because of an upstream one's failure."""
        for parent in self.parents(key):
            if self.last_run_id(parent) != run_id:
                continue
            made = self.latest(parent)
            if made is None or made.run_id != run_id:
                return True
            for check in self._checks.get(parent, ()):
                evaluation = check.evaluation
                if check.run_id == run_id and evaluation and not evaluation.passed:
                    return True
        return False

    def attempts(self, key: Key) -> dict[str, str]:
        """Return the last run of each unit that was to make it and has not, or not yet."""
        if isinstance(key, dg.AssetCheckKey):
            last = self.last_run_id(key)
            return {WHOLE: last} if last and self.latest(key) is None else {}
        if self._partitions(key) is None:
            last, made = self.last_run_id(key), self.latest(key)
            return {WHOLE: last} if last and (made is None or made.run_id != last) else {}
        storage = self._instance.event_log_storage
        find = storage.get_latest_asset_partition_materialization_attempts_without_materializations
        return {unit: run_id for unit, (run_id, _) in find(key).items()}

    def latest_events(self, key: dg.AssetKey, units: Iterable[str]) -> dict[str, int]:
        """Return the ids of the last materializations of some units, of those that have one."""
        units = list(units)
        if units == [WHOLE]:
            made = self.latest(key)
            return {WHOLE: made.event} if made else {}
        storage = self._instance.event_log_storage
        return dict(
            storage.get_latest_storage_id_by_partition(
                key, DagsterEventType.ASSET_MATERIALIZATION, set(units)
            )
        )


HISTORY = 50
CHUNK = 400  # SQLite takes some thousand variables in a statement
_RANGE_TAGS = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)


def _chunks(keys: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _target_event(record: AssetCheckExecutionRecord) -> int | None:
    evaluation = record.evaluation
    target = evaluation.target_materialization_data if evaluation else None
    return target.storage_id if target else None


def facts_of(view: AssetGraphView) -> TickFacts:
    """Return the facts of the evaluation that a view of the asset graph belongs to."""
    facts: TickFacts | None = view.__dict__.get("_factories_tick_facts")
    if facts is None:
        facts = TickFacts(view)
        view.__dict__["_factories_tick_facts"] = facts
    return facts
