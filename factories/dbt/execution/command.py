"""The command line of one dbt process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories.core.errors import StepStartError
from factories.core.meta.partitions import Window
from factories.core.project import project_root
from factories.dbt.execution.windows import window_variables
from factories.dbt.program import dbt_program

SOURCE_FRESHNESS = "source freshness"
FULL_REFRESH = "--full-refresh"


class DbtConfigError(StepStartError):
    """The run's configuration cannot work; the text says why."""


@dataclass(frozen=True)
class BuildOptions:
    """What a run says of how dbt builds.

    Attributes:
        full_refresh: Build incremental models anew.
        variables: dbt's variables.
        threads: How many nodes dbt builds at once; None for the profile's.
        defer: Read what is not selected from the state's place.
        favor_state: With defer: prefer the state's place.
        state: With defer: the folder that holds the state's manifest, relative to the project
            folder.
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


def dbt_command(
    command: str, project: Path, target: Path, selection: Sequence[str], arguments: Sequence[str]
) -> list[str]:
    """Return the command line of `dbt build`, `dbt test` or `dbt source freshness`.

    What the step lives by is said outright: a variable of the environment or a flag of the
    project (`quiet`, `fail_fast`, …) would change it. For what cannot be said see
    `dbt_environment`.

    Args:
        command: `build`, `test` or `source freshness`.
        project: The dbt project, which holds its profiles.
        target: Where dbt writes its artifacts and logs.
        selection: The arguments that select.
        arguments: Further arguments, as `BuildOptions` gives them.
    """
    if command != "build":  # which alone knows a full refresh
        arguments = [argument for argument in arguments if argument != FULL_REFRESH]
    return [
        *dbt_program(), "--no-use-colors", "--log-format", "json", "--log-level", "info",
        "--no-quiet", "--log-level-file", "none", "--log-path", str(target), "--no-fail-fast",
        # What it finds of sources dbt tells in an artifact alone.
        "--write-json" if command == SOURCE_FRESHNESS else "--no-write-json",
        *command.split(), "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(target), *arguments, *selection,
    ]  # fmt: skip
