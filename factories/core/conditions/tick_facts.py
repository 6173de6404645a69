"""What one evaluation of automation conditions knows: a few bulk queries, made when first needed.

Dagster evaluates each asset by itself. Asked one by one, the facts of a thousand assets take some
two thousand SQL statements; here the assets of an evaluation share them.

The names of Dagster 1.13 that are used here, in `unit_facts` and in `run_facts`, and that are not
public, are the asset graph's view, its cached queries and the storage of the event log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.data_version import get_input_event_pointer_tag
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.tags import RESUME_RETRY_TAG

from factories.core.conditions.memory import WHOLE
from factories.core.conditions.run_facts import RunFacts, Update, chunks
from factories.core.conditions.run_outcome import RunOutcome, blocked_assets
from factories.core.conditions.unit_facts import Key
from factories.core.conditions.versions import given_version, input_version, join_versions

if TYPE_CHECKING:
    from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView

HISTORY = 50


class TickFacts(RunFacts):
    """All facts of an evaluation: what follows from what runs have made and checks have found.

    Attributes:
        expected: The assets that are about to run, with the time at which their cause was noticed;
            filled while the evaluation goes down the graph.
    """

    def __init__(self, view: AssetGraphView) -> None:
        """Take the view of the evaluation."""
        super().__init__(view)
        self._outcomes: dict[str, RunOutcome] = {}
        self.expected: dict[dg.AssetKey, float] = {}

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

    def has_seen(self, made: Update | None, parent: dg.AssetKey, update: Update) -> bool:
        """Tell whether a materialization was made of an upstream asset's update.

        Dagster notes at a step's start which events of its upstream assets it has seen. Without
        that note the run must have started after the update, or have made both.
        """
        if made is None:
            return False
        if made.run_id and made.run_id == update.run_id:
            return True
        if self.was_made_of_same_data(made, parent, [WHOLE]):
            return True
        seen = made.tags.get(get_input_event_pointer_tag(parent), "")
        if seen.isdigit():
            return int(seen) >= update.event
        if made.event < update.event and not made.of_check:
            return False
        run = self.run(made.run_id) if made.run_id else None
        started = run.start_time if run else made.timestamp
        return started is not None and started >= update.timestamp

    def was_made_of_same_data(
        self, made: Update, parent: dg.AssetKey, units: Sequence[str]
    ) -> bool:
        """Tell whether a materialization was made of the data that an upstream asset has now.

        Only where steps gave these a data version. Of an asset with partitions the whole has none
        that tells anything: Dagster notes that of the last partition.

        Args:
            made: The materialization.
            parent: The upstream asset.
            units: The units of it that count, partitions in order.
        """
        if (WHOLE in units) != (self._partitions(parent) is None):
            return False
        updates = [self.latest(parent, unit) for unit in units]
        found = [given_version(update.tags) for update in updates if update]
        versions = [version for version in found if version is not None]
        if not versions or len(versions) < len(found):
            return False
        now = versions[0] if WHOLE in units else join_versions(versions)
        return input_version(made.tags, parent) == now

    def updated_with_same_data(self, key: Key, parents: Iterable[dg.AssetKey]) -> list[str]:
        """Return the upstream assets that were made again after an asset, with the same data."""
        made = self.latest(key)
        if made is None or self._partitions(key) is not None:
            return []
        return [
            parent.to_user_string()
            for parent in parents
            if (update := self.latest(parent)) is not None
            and update.event > made.event
            and self.was_made_of_same_data(made, parent, [WHOLE])
        ]

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
        for chunk in chunks(keys):
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
            evaluation = _evaluation(record)
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
        return key.to_user_string() in self._outcome(run_id).permanent

    def was_held_in_run(self, key: Key, run_id: str) -> bool:
        """Tell whether a failed run left an asset out because of an upstream one's failure.

        The run's own events say so: its upstream assets may have been run again since.
        """
        outcome = self._outcome(run_id)
        run = self.run(run_id)
        return outcome.was_left_out(
            key.to_user_string(),
            [parent.to_user_string() for parent in self.parents(key)],
            blocked_assets(outcome, self.graph),
            resumed=bool(run and RESUME_RETRY_TAG in run.dagster_run.tags),
        )

    def _outcome(self, run_id: str) -> RunOutcome:
        if run_id not in self._outcomes:
            self._outcomes[run_id] = RunOutcome.read(self._instance, run_id)
        return self._outcomes[run_id]


def _evaluation(record: AssetCheckExecutionRecord) -> dg.AssetCheckEvaluation | None:
    """Return a check's result, if it has come: before, the event is that of its planning."""
    return None if record.status is AssetCheckExecutionRecordStatus.PLANNED else record.evaluation


def _target_event(record: AssetCheckExecutionRecord) -> int | None:
    evaluation = _evaluation(record)
    target = evaluation.target_materialization_data if evaluation else None
    return target.storage_id if target else None


def facts_of(view: AssetGraphView) -> TickFacts:
    """Return the facts of the evaluation that a view of the asset graph belongs to."""
    facts: TickFacts | None = view.__dict__.get("_factories_tick_facts")
    if facts is None:
        facts = TickFacts(view)
        view.__dict__["_factories_tick_facts"] = facts
    return facts
