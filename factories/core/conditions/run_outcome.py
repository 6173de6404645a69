"""What one run has made of what it was to make, by its events, and why it left out the rest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from factories.core.conditions.permanent import read_permanent

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

FAILED_ASSETS = "failed_assets"  # in a failure's metadata: why single assets failed, by key
OF_OUTCOMES = frozenset(
    {
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.STEP_UP_FOR_RETRY,
        dg.DagsterEventType.STEP_SUCCESS,
    }
)


@dataclass
class StepOutcome:
    """What has become of one step.

    Attributes:
        planned: The assets that it is to make, each with its partitions.
        failed: Whether it has failed, and has not succeeded since.
        reasons: Why single assets failed, where the step says it.
    """

    planned: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)


class RunOutcome:
    """What has become of the assets of one run.

    Attributes:
        steps: By their keys.
        made: The assets that were materialized.
        checks: What was evaluated last, whether it passed or only warned, by the check.
        permanent: The assets that failed so that trying again cannot mend it.
    """

    def __init__(self) -> None:
        """Begin without events."""
        self.steps: defaultdict[str, StepOutcome] = defaultdict(StepOutcome)
        self.made: set[str] = set()
        self.checks: dict[dg.AssetCheckKey, bool] = {}
        self.permanent: set[str] = set()

    @staticmethod
    def read(instance: dg.DagsterInstance, run_id: str) -> RunOutcome:
        """Read a run's events."""
        outcome = RunOutcome()
        for entry in instance.all_logs(run_id, of_type=set(OF_OUTCOMES)):
            if entry.dagster_event is not None:
                outcome.take(entry.dagster_event)
        return outcome

    def take(self, event: dg.DagsterEvent) -> None:
        """Take an event of the run into account; those of other kinds say nothing here."""
        step = event.step_key or ""
        data: Any = event.event_specific_data
        kind = dg.DagsterEventType
        match event.event_type:
            case kind.ASSET_MATERIALIZATION_PLANNED:
                key = data.asset_key.to_user_string()
                self.steps[step].planned[key] |= {*_partitions(data)}
            case kind.ASSET_MATERIALIZATION:
                self.made.add(data.materialization.asset_key.to_user_string())
            case kind.ASSET_CHECK_EVALUATION:
                only_warns = data.severity is not dg.AssetCheckSeverity.ERROR
                self.checks[data.asset_check_key] = data.passed or only_warns
            case kind.STEP_FAILURE | kind.STEP_UP_FOR_RETRY:
                failure = getattr(data, "user_failure_data", None)
                self.steps[step].failed = True
                self.steps[step].reasons = _reasons(failure)
                self.permanent |= read_permanent(failure)
            case kind.STEP_SUCCESS:
                self.steps[step].failed = False

    @property
    def planned(self) -> set[str]:
        """The assets that it was to make."""
        return {key for step in self.steps.values() for key in step.planned}

    def failed_in(self, step_key: str) -> set[str]:
        """Return the assets that failed with a step.

        Those that the step names, else those that it has not made; all, when all were made before.
        """
        step = self.steps[step_key]
        named = step.planned.keys() & step.reasons.keys()
        return named or step.planned.keys() - self.made or {*step.planned}

    def left_out_in(self, step_key: str) -> set[str]:
        """Return the assets that a step has not made, while it names others that failed."""
        return self.steps[step_key].planned.keys() - self.made - self.failed_in(step_key)

    @property
    def failed(self) -> set[str]:
        """The assets that failed with their steps."""
        failed = [key for key, step in self.steps.items() if step.failed]
        return {asset for key in failed for asset in self.failed_in(key)}

    @property
    def left_out(self) -> set[str]:
        """The assets that were not made, without a failure of their own."""
        return self.planned - self.made - self.failed

    def was_left_out(
        self,
        key: str,
        parents: Iterable[str],
        blocked: Collection[str],
        *,
        resumed: bool,
    ) -> bool:
        """Tell whether an asset was left out without a failure of its own.

        Because an upstream one failed; or because an earlier run had made it, where this one was
        started again from the step that failed.

        Args:
            key: An asset, or a check, that the run has not made.
            parents: The assets upstream of it.
            blocked: The assets of which a blocking check has failed in the run.
            resumed: Whether the run was started again from the step that failed.
        """
        if resumed and (failed := self.failed) and key not in failed:
            return True
        unmade = (self.planned - self.made) | self.failed
        return any(parent in unmade or parent in blocked for parent in parents)


def blocked_assets(outcome: RunOutcome, graph: BaseAssetGraph[Any]) -> set[str]:
    """Return the assets of which a blocking check has failed in a run."""
    failed = [check for check, passed in outcome.checks.items() if not passed]
    blocking = [check for check in failed if graph.has(check) and graph.get(check).blocking]
    return {check.asset_key.to_user_string() for check in blocking}


def _reasons(failure: Any) -> Mapping[str, str]:
    """Return why single assets failed, where the step's failure says it."""
    value = failure.metadata.get(FAILED_ASSETS) if failure else None
    if not isinstance(value, dg.JsonMetadataValue):
        return {}
    found: Any = json.loads(value.value) if isinstance(value.value, str) else value.value
    return {str(key): str(why) for key, why in found.items()} if isinstance(found, dict) else {}


def _partitions(planned: Any) -> Iterable[str]:
    """Return the partitions that a run plans to make of an asset."""
    if planned.partitions_subset is not None:
        keys: Iterable[str] = planned.partitions_subset.get_partition_keys()
        return keys
    return [planned.partition] if planned.partition else []
