"""What a person may choose for one run, in the launchpad."""

# Dagster reads the annotations of an op's config: they must not be postponed here.

from typing import Any

import dagster as dg
from pydantic import Field

from factories.dbt.execution.command import BuildOptions


class DbtConfig(dg.Config):
    """What any run of models takes."""

    vars: dict[str, Any] = Field(default={}, description="dbt's variables.")
    threads: int | None = Field(default=None, description="How many nodes dbt builds at once.")
    row_counts: bool = Field(default=True, description="Count the rows of each built table.")

    def options(self) -> BuildOptions:
        """Return what they say to dbt."""
        return BuildOptions(variables=self.vars, threads=self.threads)


class DbtRunConfig(DbtConfig):
    """What a run of assets takes."""

    full_refresh: bool = Field(default=False, description="Build incremental models anew.")
    window_start: str | None = Field(
        default=None,
        description="Build only what lies in a window of time, start <= x < end, as the models'"
        " variable of this name: for a backfill of models without partitions.",
    )
    window_end: str | None = Field(default=None, description="The window's end.")
    defer: bool = Field(
        default=False, description="Read what is not selected from the state's place."
    )
    favor_state: bool = Field(
        default=False, description="With defer: prefer the state's place even where ours exists."
    )
    state: str | None = Field(
        default=None, description="With defer: the folder that holds the state's manifest.json."
    )

    def options(self) -> BuildOptions:
        """Return what they say to dbt."""
        return BuildOptions(
            full_refresh=self.full_refresh,
            variables=self.vars,
            threads=self.threads,
            defer=self.defer,
            favor_state=self.favor_state,
            state=self.state,
        )


class WindowConfig(DbtConfig):
    """What a step of a backfill takes: the window that it builds, start <= x < end."""

    window_start: str = Field(description="Where it begins.")
    window_end: str = Field(description="Where it ends; not part of it.")
