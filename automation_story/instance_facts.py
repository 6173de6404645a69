"""Reads from Dagster's instance what has run, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import get_input_event_pointer_tag
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_EVALUATION_ID_TAG,
    AUTO_RETRY_RUN_ID_TAG,
    PARENT_RUN_ID_TAG,
)

from factories.alerts.state import StateStore
from factories.cli.looking.runs import assets_of_run
from factories.core.conditions.causes import AGAIN
from factories.core.conditions.node import RUN, WHY
from factories.core.conditions.run_tags import LOCATION_TAG

MOST = 5_000  # records of a kind: far more than a story makes


@dataclass(frozen=True)
class Made:
    """One materialization.

    Attributes:
        asset: Its key.
        event: Its id.
        at: When.
        run: Who made it.
        causes: Why automation asked for that run to make it.
        again: Whether that run repeats one that has failed.
        seen: The events of upstream assets that its step had seen, by their keys.
    """

    asset: str
    event: int
    at: float
    run: str
    causes: tuple[str, ...]
    again: bool
    seen: dict[str, int]


@dataclass(frozen=True)
class UnderWay:
    """Runs that go on.

    Attributes:
        runs: Their ids.
        assets: What they are to make.
        since: When the first one started.
    """

    runs: frozenset[str]
    assets: frozenset[str]
    since: float


class InstanceFacts:
    """What an instance says; every call reads again."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """Take an open instance."""
        self._instance = instance

    def open_runs(self) -> dict[str, set[str]]:
        """The assets of each run that has not ended, by the run's id."""
        unfinished = dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))
        return {
            run.run_id: assets_of_run(self._instance, run)
            for run in self._instance.get_runs(unfinished)
        }

    def under_way(self, location: str) -> UnderWay:
        """The runs of a code location that have started, and have not ended."""
        started = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.STARTED], tags={LOCATION_TAG: location}
        )
        records = self._instance.get_run_records(started)
        return UnderWay(
            runs=frozenset(record.dagster_run.run_id for record in records),
            assets=frozenset(
                asset
                for record in records
                for asset in assets_of_run(self._instance, record.dagster_run)
            ),
            since=min((record.start_time or 0.0 for record in records), default=0.0),
        )

    def endings(self, runs: Iterable[str]) -> str:
        """How runs have ended, in words, and whether Dagster has repeated them."""
        found = []
        for run_id in sorted(runs):
            run = self._instance.get_run_by_id(run_id)
            if run is not None:
                again = " and was repeated" if AUTO_RETRY_RUN_ID_TAG in run.tags else ""
                found.append(f"run {run_id[:8]} ended as {run.status.value}{again}")
        return ", ".join(found)

    def has_run_since(self, location: str, moment: float) -> bool:
        """Whether a run of a code location that was asked for since has succeeded."""
        return any(
            record.create_timestamp.timestamp() > moment
            for record in self._instance.get_run_records(
                dg.RunsFilter(
                    statuses=[dg.DagsterRunStatus.SUCCESS], tags={LOCATION_TAG: location}
                ),
                limit=1,
            )
        )

    def failed_ticks(self) -> list[str]:
        """The evaluations of sensors that have failed, with their errors."""
        found = []
        for state in self._instance.all_instigator_state():
            ticks = self._instance.get_ticks(
                state.instigator_origin_id,
                state.selector_id,
                limit=MOST,
                statuses=[TickStatus.FAILURE],
            )
            location = state.origin.repository_origin.code_location_origin.location_name
            found += [f"{state.instigator_name} of {location} failed: {t.error}" for t in ticks]
        return found

    def failed_runs(self) -> list[str]:
        """The runs that have not succeeded, with what they were to make."""
        failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
        return [
            f"run {run.run_id[:8]} is {run.status.value}: {sorted(run.asset_selection or ())}"
            for run in self._instance.get_runs(failed)
        ]

    def last_made(self, asset: str) -> float:
        """When an asset was last made; 0 when it never was."""
        key = dg.AssetKey.from_user_string(asset)
        record = self._instance.fetch_materializations(key, limit=1).records
        return record[0].timestamp if record else 0.0

    def made(self, asset: str, upstream: list[str]) -> list[Made]:
        """All materializations of an asset, the oldest first."""
        key = dg.AssetKey.from_user_string(asset)
        records = self._instance.fetch_materializations(key, limit=MOST, ascending=True).records
        found = []
        for record in records:
            materialization = record.asset_materialization
            tags = dict(materialization.tags or {}) if materialization else {}
            pointers = {
                each: tags.get(get_input_event_pointer_tag(dg.AssetKey.from_user_string(each)), "")
                for each in upstream
            }
            found.append(
                Made(
                    asset=asset,
                    event=record.storage_id,
                    at=record.timestamp,
                    run=record.run_id,
                    causes=(causes := tuple(self._causes(key, record.run_id))),
                    again=self._is_repeated(record.run_id) or any(AGAIN in each for each in causes),
                    seen={name: int(text) for name, text in pointers.items() if text.isdigit()},
                )
            )
        return found

    def taken_slots(self) -> list[str]:
        """The pools whose slots are held by runs that have ended."""
        storage, unfinished = self._instance.event_log_storage, self.open_runs()
        found = []
        for key in sorted(storage.get_concurrency_keys()):
            info = storage.get_concurrency_info(key)
            holders = info.active_run_ids | info.pending_run_ids
            found += [f"{key} (run {run[:8]})" for run in holders if run not in unfinished]
        return found

    def open_incidents(self) -> list[str]:
        """What was told as gone wrong, and is not over."""
        store = StateStore(self._instance, "local")
        return [
            f"{location}: {incident.subject}"
            for location in store.locations()
            for incident in store.read(location).incidents.values()
            if incident.is_open and incident.told
        ]

    def _is_repeated(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        return run is not None and PARENT_RUN_ID_TAG in run.tags

    def _causes(self, key: dg.AssetKey, run_id: str) -> Iterator[str]:
        run = self._instance.get_run_by_id(run_id)
        storage = self._instance.schedule_storage
        evaluation_id = run.tags.get(ASSET_EVALUATION_ID_TAG) if run else None
        if storage is None or evaluation_id is None:
            return
        number = int(evaluation_id)
        for record in storage.get_auto_materialize_evaluations_for_evaluation_id(number):
            if record.key == key:
                yield from _reasons(record.get_evaluation_with_run_ids().evaluation)


def _reasons(evaluation: Any) -> Iterator[str]:
    for subset in evaluation.subsets_with_metadata:
        why = subset.metadata.get(WHY)
        if isinstance(why, dg.TextMetadataValue) and (why.text or "").startswith(RUN):
            yield str(why.text).removeprefix(RUN)


@contextmanager
def opened_facts(home: Path) -> Iterator[InstanceFacts]:
    """Open the instance of a folder."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield InstanceFacts(instance)
