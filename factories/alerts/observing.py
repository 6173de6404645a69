"""What has happened in a code location since its sensor was last evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from factories.alerts.check_events import check_observation
from factories.alerts.incidents import Incident
from factories.alerts.models import Severity, is_worse
from factories.alerts.occurrences import Made, Observation, Occurrence, Recovery
from factories.alerts.place import Place
from factories.alerts.run_events import IN_PROGRESS, OF_FAILURES, OF_SUCCESSES, RunEvents
from factories.alerts.run_failures import WILL_RETRY, failures_so_far, judge_ended_run
from factories.alerts.state import AlertState
from factories.core.dagster_internals import RUNLESS_RUN_ID, FreshnessState
from factories.core.meta.keys import parse_key

# Runs that others write at the same time may show up after later ones: the span is read twice.
OVERLAP = 120.0
MOST_RUNS = 500  # read at once
ENDED = frozenset(
    {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
)
TOLD_WITHIN = 30.0  # seconds; after that, whoever was to say it is gone
SETTLES_AFTER = 60.0  # what is stale may be held back by a failure that is just being read
FRESHNESS = "freshness"
STALE: Mapping[FreshnessState, Severity] = {
    FreshnessState.FAIL: "error",
    FreshnessState.WARN: "warning",
}


class Observer:
    """Reads the instance, from where the state says."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        place: Place,
        repository: str | None,
        *,
        follows: bool,
        is_late: Callable[[], bool],
    ) -> None:
        """Take what to look at.

        Args:
            instance: Where runs and events are stored.
            place: The code location.
            repository: The name of its repository.
            follows: Whether anybody is told of steps while their run goes on.
            is_late: Whether the evaluation has no more time to read runs.
        """
        self._instance = instance
        self._place = place
        self._repository = repository
        self._follows = follows
        self._is_late = is_late
        self.is_behind = False  # whether there are runs that this evaluation had no time for
        self._jobs_to_end: set[str] = set()  # those that failed and make no asset

    def start(self, state: AlertState, now: float) -> None:
        """Begin: what had failed before is no news; what is stale is."""
        state.watched_until = now
        state.runless_cursor = self._read_runless(None)[1]
        for record in self._updated_since(now - OVERLAP):
            if record.dagster_run.status in ENDED:
                state.judged[record.dagster_run.run_id] = _ended_at(record)
        if self._follows:
            going_on = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
            ours = filter(self._is_ours, self._instance.get_runs(going_on))
            state.following = {run.run_id: None for run in ours}

    def observe(self, state: AlertState, now: float) -> Iterator[Iterator[Observation]]:
        """Yield what has happened, in parts, each of which moves the state forward by itself."""
        open_now = {key: each for key, each in state.incidents.items() if each.is_open}
        yield self._of_runs(state, now)
        yield self._of_followed(state)
        yield self._of_runless(state)
        yield self._of_assets(open_now)
        yield self._of_freshness(open_now, now)

    def _of_runs(self, state: AlertState, now: float) -> Iterator[Observation]:
        """Yield what the runs say that have ended, as far as there is time: the next goes on."""
        known_until = (state.watched_until or 0.0) - 2 * OVERLAP
        self._jobs_to_end = {each.job for each in state.incidents.values() if each.ends_with_step}
        for record in self._updated_since((state.watched_until or 0.0) - OVERLAP):
            run = record.dagster_run
            given_up = _is_given_up(run, state)
            is_news = (given_up or run.run_id not in state.judged) and self._is_ours(run)
            if is_news and self._is_late():
                self.is_behind = True
                break
            updated = record.update_timestamp.timestamp()
            state.watched_until = max(state.watched_until or 0.0, updated)
            if not is_news:
                continue
            if run.status in ENDED:
                if self._may_be_repeated(record, now):
                    continue
                # Of a run that has ended long ago only a tag is new.
                if _ended_at(record) >= known_until or run.run_id in state.following or given_up:
                    yield from self._of_run(record, state)
            elif self._follows and run.status is dg.DagsterRunStatus.STARTED:
                state.following.setdefault(run.run_id, None)
        oldest = (state.watched_until or 0.0) - 2 * OVERLAP
        state.judged = {run: at for run, at in state.judged.items() if at >= oldest}

    def _may_be_repeated(self, record: dg.RunRecord, now: float) -> bool:
        """Tell whether Dagster has still to say, just after a run's end, if it repeats it."""
        run = record.dagster_run
        return (
            run.status is dg.DagsterRunStatus.FAILURE
            and self._instance.run_retries_enabled
            and WILL_RETRY not in run.tags
            and now - _ended_at(record) < TOLD_WITHIN
        )

    def _updated_since(self, since: float) -> Iterator[dg.RunRecord]:
        """Yield the runs that were updated after a time, the oldest update first."""
        while True:
            records = self._instance.get_run_records(
                dg.RunsFilter(updated_after=datetime.fromtimestamp(since, tz=UTC)),
                limit=MOST_RUNS,
                order_by="update_timestamp",
                ascending=True,
            )
            yield from records
            if len(records) < MOST_RUNS:
                break
            since = max(records[-1].update_timestamp.timestamp(), since + 1e-6)

    def _of_run(self, record: dg.RunRecord, state: AlertState) -> Iterator[Observation]:
        run, at = record.dagster_run, _ended_at(record)
        state.judged[run.run_id] = at
        state.following.pop(run.run_id, None)
        events = RunEvents(run, self._place)
        of_type = OF_FAILURES if run.status is dg.DagsterRunStatus.FAILURE else OF_SUCCESSES
        if run.job_name in self._jobs_to_end:
            of_type |= {dg.DagsterEventType.STEP_SUCCESS}
        events.read(self._instance, of_type)
        found = [*judge_ended_run(events, at)]
        yield from found
        failures = [seen for seen in found if isinstance(seen, Occurrence)]
        self._jobs_to_end |= {seen.job for seen in failures if seen.ends_with_step}
        failing = {seen.key for seen in failures}
        for incident in state.incidents.values():
            tried_again = {*incident.events} == {"attempt_failed"} and incident.run_id == run.run_id
            if tried_again and incident.key not in failing:
                yield Recovery(incident.key, at)

    def _of_followed(self, state: AlertState) -> Iterator[Observation]:
        """Yield what has failed in runs that go on."""
        for run_id, cursor in [*state.following.items()]:
            run = self._instance.get_run_by_id(run_id)
            if run is None:
                del state.following[run_id]
                continue
            page = self._instance.get_records_for_run(run_id, cursor, {*IN_PROGRESS}, MOST_RUNS)
            state.following[run_id] = page.cursor
            # What fails while a run is cancelled is no news.
            if page.records and run.status is dg.DagsterRunStatus.STARTED:
                events = RunEvents(run, self._place)
                events.read(self._instance, OF_FAILURES)
                yield from failures_so_far(events)

    def _is_ours(self, run: dg.DagsterRun) -> bool:
        """Tell whether a run is of this code location; as Dagster's run status sensors do."""
        origin = run.remote_job_origin
        if origin is None:
            return self._repository is None
        repository = origin.repository_origin
        return (
            repository.code_location_origin.location_name == self._place.location
            and repository.repository_name == self._repository
        )

    def _of_runless(self, state: AlertState) -> Iterator[Observation]:
        """Yield the checks that were reported from outside of runs."""
        found, state.runless_cursor = self._read_runless(state.runless_cursor)
        yield from found

    def _read_runless(self, cursor: str | None) -> tuple[list[Observation], str | None]:
        found: list[Observation] = []
        has_more = True
        while has_more:
            page = self._instance.get_records_for_run(
                RUNLESS_RUN_ID, cursor, dg.DagsterEventType.ASSET_CHECK_EVALUATION, MOST_RUNS
            )
            for record in page.records:
                entry = record.event_log_entry
                event = entry.dagster_event
                data: Any = event.event_specific_data if event else None
                if data and self._place.catalog.has_check(data.asset_check_key):
                    found.append(check_observation(data, entry.timestamp, self._place))
            cursor, has_more = page.cursor, page.has_more
        return found, cursor

    def _of_assets(self, open_now: dict[str, Incident]) -> Iterator[Made]:
        """Yield what has failed and was materialized since."""
        if self.is_behind:  # runs that come later may have failed again
            return
        waiting = [
            each
            for each in open_now.values()
            if each.assets and each.step_or_run and not each.ends_with_step
        ]
        keys = sorted({asset for each in waiting for asset in each.assets})
        latest = self._latest_materializations(keys)
        for incident in waiting:
            for asset, failed_at in incident.failed_at.items():
                if not failed_at or latest.get(asset, 0.0) <= min(failed_at.values()):
                    continue
                made = self._made_partitions(asset, failed_at) if {*failed_at} != {""} else {}
                made[""] = latest[asset]
                for partition, at in failed_at.items():
                    if made.get(partition, 0.0) > at:
                        yield Made(incident.key, asset, partition, made[partition])

    def _latest_materializations(self, keys: list[str]) -> dict[str, float]:
        if not keys:
            return {}
        records = self._instance.get_asset_records([parse_key(key) for key in keys])
        found = {}
        for record in records:
            last = record.asset_entry.last_materialization_record
            if last is not None:
                found[record.asset_entry.asset_key.to_user_string()] = last.timestamp
        return found

    def _made_partitions(self, asset: str, failed_at: Mapping[str, float]) -> dict[str, float]:
        """Return when each of the partitions that have failed was materialized last since."""
        made: dict[str, float] = {}
        cursor: str | None = None
        while True:
            wanted = dg.AssetRecordsFilter(
                parse_key(asset),
                asset_partitions=[partition for partition in failed_at if partition],
                after_timestamp=min(failed_at.values()),
            )
            page = self._instance.fetch_materializations(wanted, limit=MOST_RUNS, cursor=cursor)
            for record in page.records:
                partition = record.partition_key or ""
                made[partition] = max(record.timestamp, made.get(partition, 0.0))
            if not page.has_more:
                return made
            cursor = page.cursor

    def _of_freshness(self, open_now: dict[str, Incident], now: float) -> Iterator[Observation]:
        """Yield the assets that have become stale, and those that are fresh again."""
        if self.is_behind:  # what holds an asset back may be among the runs that come later
            return
        keys = self._place.catalog.with_freshness()
        states = self._instance.get_freshness_state_records(keys) if keys else {}
        known = {each.assets[0]: each for each in open_now.values() if each.group == FRESHNESS}
        for key, record in states.items():
            asset = key.to_user_string()
            at = record.updated_at.timestamp()
            severity = STALE.get(record.freshness_state)
            before = known.get(asset)
            if severity is None:
                if before and record.freshness_state is FreshnessState.PASS:
                    yield Recovery(before.key, max(at, before.last_at))
            elif before is None or is_worse(severity, before.severity):
                yield Occurrence(
                    self._place.key(FRESHNESS, asset), "freshness_violated", severity, at,
                    subject=asset,
                    text=self._place.catalog.freshness_text(asset),
                    location=self._place.location,
                    assets=(asset,),
                    owners=self._place.catalog.owners([asset]),
                    place=self._place.catalog.place([asset]),
                    link=f"/assets/{asset}",
                    group=FRESHNESS,
                )  # fmt: skip
        for asset, incident in known.items():
            if parse_key(asset) not in {*keys}:  # it has no policy any longer
                yield Recovery(incident.key, now, "has no freshness policy any longer")


def _is_given_up(run: dg.DagsterRun, state: AlertState) -> bool:
    """Tell whether Dagster wanted to repeat a run, and could not start it again."""
    return run.tags.get(WILL_RETRY) == "false" and any(
        each.is_open and each.run_id == run.run_id and each.events == ["attempt_failed"]
        for each in state.incidents.values()
    )


def _ended_at(record: dg.RunRecord) -> float:
    return record.end_time or record.update_timestamp.timestamp()


def quiet_stale(incidents: Iterable[Incident], now: float) -> None:
    """Keep new stale assets quiet until failures upstream have surely been read."""
    for incident in incidents:
        if incident.group == FRESHNESS and not incident.told and not incident.quiet_until:
            incident.quiet_until = now + SETTLES_AFTER
