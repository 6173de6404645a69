"""One process of dbt: its log goes to Dagster, what it parsed is kept for the next one."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from factories.core.execution.secrets import SecretMask
from factories.core.execution.subprocesses import Program
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.environment import dbt_environment
from factories.dbt.execution.command import dbt_command
from factories.dbt.execution.events import DbtLog, NodeResult
from factories.dbt.prepare import target_folder

PARTIAL_PARSE = "partial_parse.msgpack"
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
        status: How it ended.
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
        return SecretMask(self.settings.secrets)

    @cached_property
    def log(self) -> DbtLog:
        """What it says."""
        return DbtLog(lambda level, text: getattr(self.context.log, level)(self.mask(text)))

    def run(self, command: str, selection: Sequence[str]) -> Iterator[NodeResult]:
        """Run a command of dbt; yield what became of each node, as it ends."""
        cached = _cached_parse(self.project)
        if cached.is_file():  # else dbt parses every file again
            shutil.copyfile(cached, self.folder / PARTIAL_PARSE)
        line = dbt_command(command, self.project, self.folder, selection, self.arguments)
        with Program(
            line,
            dbt_environment(self.settings),
            folder=self.project,
            stop_signal=signal.SIGINT,  # at which dbt cancels its queries
        ) as program:
            yield from self.log.follow(program.lines())
            self.status = program.wait()
        # With other variables dbt parses everything anew: these would only spoil the next run's.
        if self.status in {0, MODEL_ERROR} and "--vars" not in line:
            _keep_partial_parse(self.folder / PARTIAL_PARSE, cached)


def _cached_parse(project: Path) -> Path:
    """Return where runs keep what dbt parsed.

    Apart from what `prepare` keeps: that has another connection, for which dbt parses anew.
    """
    return target_folder(project) / "runs" / PARTIAL_PARSE


def _keep_partial_parse(fresh: Path, cached: Path) -> None:
    """Keep what dbt parsed for the next run: another target's port makes it parse anew."""
    if not fresh.is_file():
        return
    own = cached.with_name(f"{cached.name}.{os.getpid()}")
    try:
        cached.parent.mkdir(exist_ok=True)
        shutil.copyfile(fresh, own)
        own.replace(cached)
    except OSError:  # an image's files are read-only: then there is nothing to keep
        with suppress(OSError):
            own.unlink()
