"""The runs that schedules and sensors request: their config, and the tags that say why they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from factories.automation.schema import AutomatedItem
from factories.automation.templates import render
from factories.core.conditions.run_tags import CAUSE_TAG, LOCATION_TAG
from factories.core.dagster_internals import TickError

LONGEST_CAUSE = 500


@dataclass(frozen=True)
class RunRequests:
    """Makes the requests of one schedule or sensor.

    Attributes:
        name: Its name.
        job: The job that it runs.
        location: The code location.
        item: What YAML says of it.
        job_config: The run config that YAML gives the job.
    """

    name: str
    job: str
    location: str
    item: AutomatedItem
    job_config: Mapping[str, Any]

    def request(
        self,
        run_key: str,
        cause: str,
        *,
        values: Mapping[str, Any] | None = None,
        partition: str | None = None,
    ) -> dg.RunRequest:
        """Return the request of one run.

        Args:
            run_key: What no other run of this schedule's tick, or of this sensor, has.
            cause: Why it runs, in a few words.
            values: What stands for the `{name}`s of run config and tags.
            partition: The partition that it makes.

        Raises:
            TemplateError: When a `{name}` has no value.
        """
        config, tags = self.item.run_config, self.item.tags
        if values is not None:
            config, tags = render(config, values), render(tags, values)
        return dg.RunRequest(
            run_key=run_key,
            run_config=merge_config(self.job_config, config),
            tags={
                **{key: str(value) for key, value in tags.items()},
                CAUSE_TAG: cause[:LONGEST_CAUSE],
                LOCATION_TAG: self.location,
            },
            partition_key=partition,
        )

    def partitions(self, repository: dg.RepositoryDefinition | None) -> Any | None:
        """Return the partitions of the job, None when it has none.

        Raises:
            TickError: Where Dagster does not say what the code location holds.
        """
        if repository is None:
            raise TickError(f"{self.name} cannot look up its job {self.job}")
        return repository.get_job(self.job).partitions_def


def merge_config(general: Mapping[str, Any], specific: Mapping[str, Any]) -> dict[str, Any]:
    """Return run config: `specific` over `general`, key by key."""
    merged = dict(general)
    for key, value in specific.items():
        known = merged.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            value = merge_config(known, value)  # noqa: PLW2901 - the same value, completed
        merged[key] = value
    return merged
