"""A short history of assets, with a clock: what runs, what fails, and what automation asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import dagster as dg
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.storage.tags import AUTOMATION_CONDITION_TAG, PARTITION_NAME_TAG
from dagster._core.test_utils import get_freezable_log_manager

from factories.core.conditions.retry_sensor import retry_sensor
from factories.core.meta.condition_lookup import automation_condition
from factories.core.meta.named_conditions import Condition


def condition(name: str, **config: Any) -> Condition | None:
    """Return a built-in condition; one with a cron ticks at two unless it says otherwise."""
    at_two = {"cron_schedule": "0 2 * * *"} if "cron" in name else {}
    return automation_condition(name, **{**at_two, **config})


class Story:
    """Assets, an instance of Dagster, and a clock that tests set.

    Attributes:
        inside: What happens in the midst of an asset's step, by the asset's key.
        failing: The keys of assets whose steps fail, and of checks (`asset:check`) that do.
        versions: The data version that an asset's step gives what it makes, by the asset's key.
    """

    def __init__(self, instance: dg.DagsterInstance | None = None) -> None:
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.now = datetime(2024, 1, 1, 1, tzinfo=UTC)
        self.inside: dict[str, Callable[[], None]] = {}
        self.failing: set[str] = set()
        self.versions: dict[str, str] = {}
        self.cursor: Any = None
        self.results: Sequence[Any] = ()
        self.why: dict[str, list[str]] = {}
        self.definitions = dg.Definitions()
        self._sensor = retry_sensor(dg.DefaultSensorStatus.RUNNING)
        self._run_keys: set[str | None] = set()
        self._attempts: dict[str, str] = {}

    def define(self, *assets: Any) -> None:
        """Replace the assets, as a new deployment does."""
        checks = [one for one in assets if isinstance(one, dg.AssetChecksDefinition)]
        others = [one for one in assets if one not in checks]
        sensors = [self._sensor] if self.is_operators else []
        self.definitions = dg.Definitions(others, asset_checks=checks, sensors=sensors)

    def asset(
        self, name: str, found: Condition | None = None, deps: Sequence[str] = (), **kwargs: Any
    ) -> dg.AssetsDefinition:
        """Return an asset that does what the story says."""

        @dg.asset(name=name, deps=list(deps), automation_condition=found, **kwargs)
        def load() -> dg.MaterializeResult[Any]:
            self._work(name)
            given = self.versions.get(name)
            return dg.MaterializeResult(data_version=dg.DataVersion(given) if given else None)

        return load

    def checked_asset(
        self, name: str, found: Condition | None = None, deps: Sequence[str] = ()
    ) -> dg.AssetsDefinition:
        """Return an asset with a blocking check `rows`, which fails as the story says."""

        @dg.multi_asset(
            name=name,
            specs=[dg.AssetSpec(name, deps=list(deps), automation_condition=found)],
            check_specs=[dg.AssetCheckSpec("rows", asset=name, blocking=True)],
        )
        def load() -> Iterator[Any]:
            self._work(name)
            yield dg.MaterializeResult(asset_key=name)
            self._work(f"{name}:before rows")
            yield dg.AssetCheckResult(
                asset_key=name, check_name="rows", passed=f"{name}:rows" not in self.failing
            )

        return load

    def _work(self, name: str) -> None:
        if name in self.inside:
            self.inside.pop(name)()
        if name in self.failing:
            raise RuntimeError(f"{name} fails")

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Let Dagster see the story's clock."""
        log_manager = get_freezable_log_manager()
        with (
            mock.patch("dagster._time._mockable_get_current_datetime") as now,
            mock.patch("dagster._time._mockable_get_current_timestamp") as timestamp,
            mock.patch("dagster._core.log_manager.DagsterLogManager", log_manager),
        ):
            now.side_effect = self._now
            timestamp.side_effect = self._timestamp
            yield

    def _now(self) -> datetime:
        return self.now

    def _timestamp(self) -> float:
        return self.now.timestamp()

    def at(self, clock: str, day: int | None = None) -> None:
        """Set the clock to a time such as `02:30`, on this day or another."""
        hour, minute = map(int, clock.split(":"))
        self.now = self.now.replace(hour=hour, minute=minute, second=0)
        if day is not None:
            self.now = self.now.replace(day=day)

    def later(self, **delta: float) -> None:
        """Move the clock on."""
        self.now += timedelta(**delta)

    def tick(self) -> set[str]:
        """Evaluate the conditions; return what is asked for: `asset` or `asset[partition]`."""
        with self.clock():
            result = dg.evaluate_automation_conditions(
                self.definitions, self.instance, evaluation_time=self.now, cursor=self.cursor
            )
        self.cursor = result.cursor
        self.results = result.results
        found = self._retries() if self.is_operators else set()
        for outcome in result.results:
            name = outcome.key.to_user_string()
            self.why[name] = [child.condition.name for child in outcome.child_results]
            subset = outcome.true_subset
            if not subset.is_partitioned and not subset.is_empty:
                found.add(name)
            elif subset.is_partitioned:
                keys = subset.expensively_compute_partition_keys()
                found |= {f"{name}[{key}]" for key in keys}
        return found

    @property
    def is_operators(self) -> bool:
        return os.environ.get("DP_CONDITIONS") == "operators"

    def _retries(self) -> set[str]:
        """What the sensor asks for again that goes with Dagster's operators."""
        repository = self.definitions.get_repository_def()
        with self.clock():
            context = dg.build_sensor_context(self.instance, repository_def=repository)
            found = set()
            for request in self._sensor.evaluate_tick(context).run_requests or ():
                if request.run_key in self._run_keys:
                    continue
                self._run_keys.add(request.run_key)
                assert request.tags["dp/condition"].startswith("on_")
                for key in request.asset_selection or ():
                    name = key.to_user_string()
                    partition = request.partition_key
                    found.add(f"{name}[{partition}]" if partition else name)
                    self._attempts[name] = request.tags["dp/attempt"]
            return found

    def says(self, name: str, text: str) -> bool:
        """Tell whether the last evaluation says this of an asset; Dagster's operators say less."""
        return self.is_operators or any(text in line for line in self.why[name])

    def run(self, *names: str, partition: str | None = None, tags: Any = None) -> bool:
        """Run some assets in one run; return whether it succeeded."""
        job = self._job()
        with self.clock():
            result = job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(name) for name in names],
                partition_key=partition,
                raise_on_error=False,
                tags=tags,
            )
        return result.success

    def run_what_is_asked(self) -> set[str]:
        """Evaluate, and run what is asked for, the assets of a partition in one run."""
        asked = self.tick()
        self.carry_out(asked)
        return asked

    def carry_out(self, asked: set[str]) -> None:
        """Run what was asked for."""
        by_partition: dict[str | None, list[str]] = {}
        for one in sorted(asked):
            name, _, partition = one.removesuffix("]").partition("[")
            by_partition.setdefault(partition or None, []).append(name)
        for partition, names in by_partition.items():
            attempts = {self._attempts.pop(name, "1") for name in names}
            tags = {AUTOMATION_CONDITION_TAG: "true", "dp/attempt": max(attempts)}
            self.run(*names, partition=partition, tags=tags)

    def begin_run(
        self,
        *names: str,
        status: DagsterRunStatus = DagsterRunStatus.STARTED,
        partition: str | None = None,
    ) -> str:
        """Create a run that does not come to its end by itself; return its id."""
        tags = {PARTITION_NAME_TAG: partition} if partition else {}
        with self.clock():
            run = self.instance.create_run_for_job(
                self._job(),
                asset_selection=frozenset(dg.AssetKey(name) for name in names),
                status=status,
                tags={AUTOMATION_CONDITION_TAG: "true", **tags},
            )
        return run.run_id

    def end_run(self, run_id: str, *, canceled: bool = False) -> None:
        """Let a run that was begun fail, or be cancelled."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        with self.clock():
            if canceled:
                self.instance.report_run_canceled(run)
            else:
                self.instance.report_run_failed(run)

    def report(self, name: str, partition: str | None = None) -> None:
        """Tell Dagster that something else has made an asset."""
        with self.clock():
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization(asset_key=[name], partition=partition)
            )

    def _job(self) -> dg.JobDefinition:
        return self.definitions.resolve_implicit_global_asset_job_def()
