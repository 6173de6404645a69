"""How runs go, asset by asset: live while they run, as a table when they have ended."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from factories.cli.api import RunPage

FAILURE = "dagster._core.definitions.events.Failure: "
STYLES = {
    "materialized": "green",
    "failed": "red",
    "skipped": "yellow",
    "running": "cyan",
    "queued": "dim",
}


@dataclass
class AssetProgress:
    """One asset of this command's runs.

    Attributes:
        asset: Its key.
        status: `waiting`, `queued`, `running`, `materialized`, `failed`, `skipped` or `canceled`.
        rows: Rows of the table after the load.
        rows_loaded: Rows that this run wrote.
        seconds: What its load took.
        run_id: The Dagster run.
        failed_checks: The checks that did not pass.
        error: Why it failed.
    """

    asset: str
    status: str = "waiting"
    rows: int | None = None
    rows_loaded: int | None = None
    seconds: float | None = None
    run_id: str | None = None
    failed_checks: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it was materialized and its checks passed."""
        return self.status == "materialized" and not self.failed_checks

    def mark_skipped(self, upstream: str) -> None:
        """Note that it is not run, because of an upstream asset that failed or was skipped."""
        self.status, self.error = "skipped", f"skipped for {upstream}, which it depends on"

    def mark_queued(self, run_id: str) -> None:
        """Note that its run waits."""
        self.status, self.run_id = "queued", run_id

    def mark_materialized(self, metadata: Mapping[str, Any]) -> None:
        """Note what the materialization says."""
        self.status = "materialized"
        self.rows = metadata.get("dagster/row_count")
        self.rows_loaded = metadata.get("rows_loaded")
        self.seconds = metadata.get("seconds")

    def mark_ended(self, run_status: str) -> None:
        """Note that its run has ended."""
        if self.status != "materialized":
            self.status = "canceled" if run_status == "CANCELED" else "failed"


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
                _table(self._progress.values(), f"{seconds:.0f} s  {self._message[:100]}"),
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


def print_summary(console: Console, results: Sequence[AssetProgress]) -> None:
    """Print the final table, and each error once."""
    console.print(_table(results))
    for error in dict.fromkeys(result.error for result in results if result.error):
        console.print(error, style="red", markup=False, highlight=False, soft_wrap=True)


def _table(results: Any, caption: str | None = None) -> Table:
    table = Table(caption=caption, caption_justify="left")
    # In a narrow terminal a long key is folded, never a figure cut.
    table.add_column("asset", overflow="fold")
    for name in ("rows", "loaded", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status")
    for result in results:
        status = result.status
        if result.failed_checks:
            status = f"{status}, failed checks: {', '.join(result.failed_checks)}"
        table.add_row(
            result.asset,
            "" if result.rows is None else f"{result.rows:,}",
            "" if result.rows_loaded is None else f"{result.rows_loaded:,}",
            "" if result.seconds is None else f"{result.seconds:.1f}",
            status,
            style=STYLES.get(result.status)
            if result.ok or result.status != "materialized"
            else "red",
        )
    return table
