"""One process of dbt: its log goes to Dagster; what it parsed is kept for the next process."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from factories.core.execution.subprocesses import Program
from factories.core.secret_mask import SecretMask, mask_with_environment
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.environment import dbt_environment
from factories.dbt.execution.events import DbtLog, NodeResult
from factories.dbt.prepare import target_folder
from factories.dbt.program import dbt_program
from factories.dbt.run_config import FULL_REFRESH

PARTIAL_PARSE = "partial_parse.msgpack"
SOURCE_FRESHNESS = "source freshness"
# What dbt says when a name is not where its own code has it, which is no mistake of the project's.
MISSED = re.compile(r"Encountered an error:\s*'[^'\n]*'")
MODEL_ERROR = 1  # dbt's exit status when everything ran and something failed


@dataclass
class DbtProcess:
    """One process of dbt.

    Attributes:
        context: Dagster's.
        project: The dbt project's folder.
        settings: How to reach the warehouse.
        arguments: What every dbt process of the step gets.
        folder: Where dbt writes its artifacts.
        status: Its exit status.
    """

    context: Any
    project: Path
    settings: WarehouseSettings
    arguments: Sequence[str]
    folder: Path
    status: int = 0

    @cached_property
    def mask(self) -> SecretMask:
        """What hides the warehouse's secrets."""
        return mask_with_environment(self.settings.secrets)

    @cached_property
    def log(self) -> DbtLog:
        """Its log."""
        return DbtLog(lambda level, text: getattr(self.context.log, level)(self.mask(text)))

    def run(self, command: str, selection: Sequence[str]) -> Iterator[NodeResult]:
        """Run a command of dbt; yield what became of each node, as it ends.

        dbt breaks off before the first node where what it had parsed does not go with the files any
        more, such as models of a group that has another name now. Then it parses everything.
        """
        yield from self._run_once(command, selection)
        if any(map(MISSED.fullmatch, self.log.errors)) and _cached_parse(self.project).is_file():
            with suppress(OSError):  # an image's files are read-only
                _cached_parse(self.project).unlink()
            self.context.log.info("dbt broke off; it is run again, and parses all files")
            del self.__dict__["log"]
            yield from self._run_once(command, selection)

    def _run_once(self, command: str, selection: Sequence[str]) -> Iterator[NodeResult]:
        copy_cached_parse(self.project, self.folder)
        line = dbt_command(command, self.project, self.folder, selection, self.arguments)
        with Program(
            line,
            dbt_environment(self.settings),
            folder=self.project,
            stop_signal=signal.SIGINT,  # at which dbt cancels its queries
        ) as program:
            yield from self.log.follow(program.lines())
            self.status = program.wait()
        # With other variables dbt parses everything again: these would only spoil the next run's.
        if self.status in {0, MODEL_ERROR} and "--vars" not in line:
            keep_parse(self.folder, self.project)


def _cached_parse(project: Path) -> Path:
    """Return where runs keep what dbt parsed.

    It is not what `prepare` keeps: that has another connection, for which dbt parses again.
    """
    return target_folder(project) / "runs" / PARTIAL_PARSE


def copy_cached_parse(project: Path, folder: Path) -> None:
    """Copy what an earlier run parsed into the folder where dbt writes its artifacts."""
    cached = _cached_parse(project)
    (folder / PARTIAL_PARSE).unlink(missing_ok=True)
    if cached.is_file():  # else dbt parses every file again
        shutil.copyfile(cached, folder / PARTIAL_PARSE)


def keep_parse(folder: Path, project: Path) -> None:
    """Keep what dbt parsed for the next run: with another target's port dbt parses again."""
    fresh, cached = folder / PARTIAL_PARSE, _cached_parse(project)
    if not fresh.is_file():
        return
    own = cached.with_name(f"{cached.name}.{os.getpid()}")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fresh, own)
        own.replace(cached)
    except OSError:  # an image's files are read-only: then there is nothing to keep
        with suppress(OSError):
            own.unlink()


def dbt_command(
    command: str, project: Path, target: Path, selection: Sequence[str], arguments: Sequence[str]
) -> list[str]:
    """Return the command line of `dbt build`, `dbt test` or `dbt source freshness`.

    What the step depends on is an explicit argument: otherwise a variable of the environment or a
    flag of the project (`quiet`, `fail_fast`, …) would change it. What has no argument is in
    `dbt_environment`.

    Args:
        command: `build`, `test` or `source freshness`.
        project: The dbt project, which holds its profiles.
        target: Where dbt writes its artifacts and logs.
        selection: The arguments that select.
        arguments: Further arguments, as `BuildOptions` gives them.
    """
    if command != "build":  # the only one that takes a full refresh
        arguments = [argument for argument in arguments if argument != FULL_REFRESH]
    return [
        *dbt_program(), "--no-use-colors", "--log-format", "json", "--log-level", "info",
        "--no-quiet", "--log-level-file", "none", "--log-path", str(target), "--no-fail-fast",
        # dbt writes the freshness of sources to an artifact only.
        "--write-json" if command == SOURCE_FRESHNESS else "--no-write-json",
        *command.split(), "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(target), *arguments, *selection,
    ]  # fmt: skip
