"""How far `dp run` is with each asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        warned_checks: Those of them that only warn, and hold nothing back.
        error: Why it failed, or did not pass its checks.
    """

    asset: str
    status: str = "waiting"
    rows: int | None = None
    rows_loaded: int | None = None
    seconds: float | None = None
    run_id: str | None = None
    failed_checks: list[str] = field(default_factory=list)
    warned_checks: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it was materialized, its checks passed, and nothing else of it failed."""
        return self.status == "materialized" and not self.failed_checks and self.error is None

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

    def add_error(self, text: str) -> None:
        """Note a reason why it failed, below those that are known."""
        self.error = text if self.error is None else f"{self.error}\n{text}"

    def note_check(self, name: str, passed: bool, *, warns: bool = False) -> None:
        """Note the result of a check, in place of that of an earlier attempt."""
        for names in (self.failed_checks, self.warned_checks):
            if name in names:
                names.remove(name)
        if not passed:
            self.failed_checks.append(name)
            self.warned_checks += [name] if warns else []

    def mark_ended(self, run_status: str) -> None:
        """Note that its run has ended."""
        if self.status != "materialized":
            self.status = "canceled" if run_status == "CANCELED" else "failed"
