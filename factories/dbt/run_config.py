"""What a person may choose for one run in the launchpad, and the arguments that dbt gets for it."""

# Dagster reads the annotations of an op's config: they must not be postponed here.

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from factories.core.errors import StepStartError
from factories.core.execution.window import Window
from factories.core.project import project_root
from factories.dbt.windows import window_variables

FULL_REFRESH = "--full-refresh"


class DbtConfigError(StepStartError):
    """The run's configuration cannot work; the text says why."""


@dataclass(frozen=True)
class BuildOptions:
    """How a run wants dbt to build.

    Attributes:
        full_refresh: Build incremental models from the start.
        variables: dbt's variables.
        threads: How many nodes dbt builds at once; None for the profile's.
        defer: Read what is not selected from the schemas of the state's manifest.
        favor_state: With defer: prefer the state's tables even where ours exist.
        state: With defer: the folder of the state's manifest, relative to the project folder.
    """

    full_refresh: bool = False
    variables: Mapping[str, Any] | None = None
    threads: int | None = None
    defer: bool = False
    favor_state: bool = False
    state: str | None = None

    def arguments(self, window: Window | None) -> list[str]:
        """Return the arguments for dbt.

        Raises:
            DbtConfigError: When deferring without a state, a full refresh of a partition, …
        """
        if window and self.full_refresh:
            raise DbtConfigError("full_refresh would replace the other partitions' rows")
        arguments = [FULL_REFRESH] if self.full_refresh else []
        if self.threads is not None:
            if self.threads < 1:
                raise DbtConfigError(f"threads must be 1 or more, not {self.threads}")
            arguments += ["--threads", str(self.threads)]
        if variables := {**(self.variables or {}), **window_variables(window)}:
            arguments += ["--vars", json.dumps(variables)]
        if self.favor_state and not self.defer:
            raise DbtConfigError("favor_state stands without defer")
        if not self.defer:
            return [*arguments, "--no-defer"]
        arguments += ["--defer", "--defer-state", self._state()]
        return [*arguments, "--favor-state" if self.favor_state else "--no-favor-state"]

    def _state(self) -> str:
        if not self.state:
            raise DbtConfigError("defer needs state: the folder with the manifest.json to defer to")
        folder = (project_root() / self.state).resolve()
        if not (folder / "manifest.json").is_file():
            raise DbtConfigError(f"defer: there is no manifest.json in {folder}")
        return str(folder)


class DbtConfig(dg.Config):
    """What any run of models takes."""

    vars: dict[str, Any] = Field(default={}, description="dbt's variables.")
    threads: int | None = Field(default=None, description="How many nodes dbt builds at once.")
    row_counts: bool = Field(default=True, description="Count the rows of each built table.")

    def options(self) -> BuildOptions:
        """Return them as options of dbt."""
        return BuildOptions(variables=self.vars, threads=self.threads)


class DbtRunConfig(DbtConfig):
    """What a run of assets takes."""

    full_refresh: bool = Field(
        default=False, description="Build incremental models from the start."
    )
    window_start: str | None = Field(
        default=None,
        description="Build only what lies in a window of time, start <= x < end, as the models'"
        " variable of this name: for a backfill of models without partitions.",
    )
    window_end: str | None = Field(default=None, description="The window's end.")
    defer: bool = Field(
        default=False,
        description="Read what is not selected from the schemas of the state's manifest.",
    )
    favor_state: bool = Field(
        default=False, description="With defer: prefer the state's tables even where ours exist."
    )
    state: str | None = Field(
        default=None, description="With defer: the folder that holds the state's manifest.json."
    )

    def options(self) -> BuildOptions:
        """Return them as options of dbt."""
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
