"""What `dp run` shows while runs go on: the assets, and how far each is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from factories.cli.running.progress import AssetProgress
from factories.cli.running.summary import build_table


class RunDisplay:
    """Shows the assets while their runs go on; on a plain terminal a line for each that ended."""

    def __init__(self, console: Console, progress: Mapping[str, AssetProgress]) -> None:
        """Take the console and the assets to show."""
        self._console = console
        self._progress = progress
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def refresh(self, message: str) -> None:
        """Draw what is known now, with the last message of a run."""
        if self._console.is_terminal:
            seconds = time.monotonic() - self._started
            caption = f"{seconds:.0f} s  {message[:100]}"
            self._live.update(build_table(self._progress.values(), caption), refresh=True)

    def note(self, text: str) -> None:
        """Print a line that stays, above the assets."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line where the assets are not shown."""
        if not self._console.is_terminal:
            self.note(text)
