"""What `dp run` shows while runs go on: the assets and how far each is, from the runs' events."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live

from factories.cli.api import RunPage
from factories.cli.progress import AssetProgress
from factories.cli.summary import build_table

FAILURE = "dagster._core.definitions.events.Failure: "


class RunDisplay:
    """Shows the assets while their runs go on; on a plain terminal a line for each that ended."""

    def __init__(self, console: Console, progress: Mapping[str, AssetProgress]) -> None:
        """Take the console and the assets to show."""
        self._console = console
        self._progress = progress
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._started = time.monotonic()
        self._message = ""

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

    def take(self, keys: Sequence[str], page: RunPage) -> None:
        """Take a run's new events."""
        for event in page.events:
            kind = event["__typename"]
            if kind == "ExecutionStepStartEvent":
                for key in keys:
                    if self._progress[key].status == "queued":
                        self._progress[key].status = "running"
            elif kind == "MaterializationEvent":
                key = "/".join(event["assetKey"]["path"])
                if self._progress[key].status != "materialized":
                    self._progress[key].mark_materialized(_metadata(event["metadataEntries"]))
                    self._say(f"materialized {key}")
            elif kind == "AssetCheckEvaluationEvent" and not event["evaluation"]["success"]:
                key = "/".join(event["evaluation"]["assetKey"]["path"])
                self._progress[key].failed_checks.append(event["evaluation"]["checkName"])
            elif kind in {"ExecutionStepFailureEvent", "RunFailureEvent"} and event.get("error"):
                self._note_error(keys, event["error"])
            elif kind == "LogMessageEvent":
                self._message = event["message"]

    def refresh(self) -> None:
        """Draw what is known now."""
        if self._console.is_terminal:
            seconds = time.monotonic() - self._started
            self._live.update(
                build_table(self._progress.values(), f"{seconds:.0f} s  {self._message[:100]}"),
                refresh=True,
            )

    def _say(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, markup=False, highlight=False)

    def _note_error(self, keys: Sequence[str], error: Mapping[str, Any]) -> None:
        causes = [cause["message"] for cause in error.get("causes") or ()]
        messages = [error["message"], *causes]
        text = "\n".join(message.strip().removeprefix(FAILURE) for message in messages)
        for key in keys:
            progress = self._progress[key]
            if progress.status != "materialized" and progress.error is None:
                progress.error = text


def _metadata(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {e["label"]: e.get("intValue", e.get("floatValue")) for e in entries}
