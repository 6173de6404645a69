"""The run queue that `dagster.yaml` names: automation's runs say why they are there.

Dagster calls every such run `__ASSET_JOB`, with the number of an evaluation (dagster #26265,
#13416). The reasons are in that evaluation's record; here they become tags of the run: a run has no
name of its own, and the list of runs shows each tag that does not begin with `dagster/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.declarative_automation.serialized_objects import (
    AutomationConditionEvaluation,
)
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.storage.tags import ASSET_EVALUATION_ID_TAG, PARTITION_NAME_TAG

from factories.core.conditions.node import RUN, WHY
from factories.core.conditions.rule import condition_name
from factories.core.conditions.run_tags import CAUSE_TAG, CONDITION_TAG, LOCATION_TAG

if TYPE_CHECKING:
    from dagster._core.run_coordinator.base import SubmitRunContext

MOST = 3  # causes that are named


class TellingRunCoordinator(QueuedRunCoordinator[dg.DagsterInstance]):
    """Dagster's own queue; a run that automation asks for gets its causes as tags."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tag the run, and put it into the queue."""
        run = context.dagster_run
        evaluation_id = run.tags.get(ASSET_EVALUATION_ID_TAG)
        tags = cause_tags(self._instance, run, int(evaluation_id)) if evaluation_id else {}
        # A sensor of ours knows the cause, and not how its code location is called.
        has_cause = evaluation_id or CAUSE_TAG in run.tags
        if has_cause and run.remote_job_origin and LOCATION_TAG not in run.tags:
            tags[LOCATION_TAG] = run.remote_job_origin.location_name
        if tags:
            self._instance.add_run_tags(run.run_id, tags)
        return super().submit_run(context)


def cause_tags(
    instance: dg.DagsterInstance, run: dg.DagsterRun, evaluation_id: int
) -> dict[str, str]:
    """Return the tags that tell why automation asked for a run.

    Args:
        instance: Has the evaluation's records.
        run: Its assets and its partition count.
        evaluation_id: The evaluation that asked for it.
    """
    storage = instance.schedule_storage
    if storage is None:
        return {}
    causes, conditions = dict[str, None](), set()
    for record in storage.get_auto_materialize_evaluations_for_evaluation_id(evaluation_id):
        evaluation = record.get_evaluation_with_run_ids().evaluation
        if evaluation.key not in (run.asset_selection or ()):
            continue
        snapshot = evaluation.condition_snapshot
        conditions.add(condition_name(snapshot.label or snapshot.name or ""))
        causes.update(dict.fromkeys(_causes(evaluation, run.tags.get(PARTITION_NAME_TAG))))
    named = list(causes)[:MOST]
    more = f" (and {len(causes) - MOST} more)" if len(causes) > MOST else ""
    found = {CONDITION_TAG: ", ".join(sorted(filter(None, conditions)))}
    if named:
        found[CAUSE_TAG] = "; ".join(named) + more
    return {tag: value for tag, value in found.items() if value}


def _causes(
    evaluation: AutomationConditionEvaluation[dg.AssetKey], partition: str | None
) -> Iterator[str]:
    for subset in evaluation.subsets_with_metadata:
        of_partition = partition is None or not subset.subset.is_partitioned
        if not of_partition and partition not in subset.subset.subset_value:
            continue
        why = subset.metadata.get(WHY)
        if isinstance(why, dg.TextMetadataValue) and (why.text or "").startswith(RUN):
            yield str(why.text).removeprefix(RUN)
