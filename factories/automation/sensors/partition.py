"""The partition that a sensor names for a run: one that is there, or a dynamic one that it adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from factories.automation.sensors.tick import SourceError, Tick
from factories.automation.templates import render


class RunPartitions:
    """The partitions that one tick's runs make."""

    def __init__(self, tick: Tick, template: str | None) -> None:
        """Take what YAML says of the partition, None when it says nothing."""
        self._tick, self._template = tick, template
        self._partitions: Any = None
        if template is not None:
            self._partitions = tick.requests.partitions(tick.context.repository_def)

    def key(self, values: Mapping[str, Any]) -> str | None:
        """Return the partition of what a sensor has seen.

        Raises:
            SourceError: When the job has no such partition.
            TemplateError: When a `{name}` has no value.
        """
        if self._template is None:
            return None
        key = str(render(self._template, values))
        if self._dynamic is None and not self._partitions.has_partition_key(key):
            raise SourceError(f"the job {self._tick.requests.job} has no partition {key!r}")
        return key

    @property
    def _dynamic(self) -> str | None:
        """The name of dynamic partitions, which a sensor may add to."""
        is_dynamic = isinstance(self._partitions, dg.DynamicPartitionsDefinition)
        return self._partitions.name if is_dynamic else None

    def result(self, runs: Iterable[dg.RunRequest], cursor: str | None) -> dg.SensorResult:
        """Return the tick's runs; the dynamic partitions that are new are added before them."""
        requests = list(runs)
        added = []
        if self._dynamic is not None:
            known = set(self._tick.context.instance.get_dynamic_partitions(self._dynamic))
            keys = dict.fromkeys(str(run.partition_key) for run in requests)
            if new := [key for key in keys if key not in known]:
                added = [self._partitions.build_add_request(new)]
        return dg.SensorResult(
            run_requests=requests, cursor=cursor, dynamic_partitions_requests=added
        )
