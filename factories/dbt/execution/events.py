"""dbt's structured log: the result of each node, as soon as it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from factories.core.execution.subprocesses import RawLine

Outcome = Literal["success", "warn", "failed", "skipped"]
# dbt reports the end of a node by one of these, at level info (dbt/events/core_types.proto).
RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}
SKIPS = {"SkippingDetails"}
OUTCOMES: dict[str, Outcome] = {
    "success": "success",
    "pass": "success",
    "warn": "warn",
    "skipped": "skipped",
}
ROWS = re.compile(r"^\w+ (\d+)$")  # «SUCCESS 336776», «INSERT 3»
PARSED = "FoundStats"
SILENT = {"Formatting", "SQLCompiledPath", "MainStackTrace"}


@dataclass(frozen=True)
class NodeResult:
    """The result of one node or test.

    Attributes:
        unique_id: dbt's.
        outcome: Whether it was built, or passed.
        seconds: How long it took.
        rows: What the warehouse answered: the rows that the statement changed, where it is one
            that changes rows.
        failures: The rows that fail a test.
    """

    unique_id: str
    outcome: Outcome
    seconds: float
    rows: int | None
    failures: int


@dataclass
class DbtLog:
    """Follows one dbt process.

    Attributes:
        report: Receives the level and the text of each line that is worth reading.
        messages: dbt's errors, by the node they are about.
        errors: dbt's errors that are about no node.
        has_parsed: Whether dbt has parsed the project, and starts to query the warehouse.
    """

    report: Callable[[str, str], None]
    messages: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    has_parsed: bool = False

    def follow(self, lines: Iterable[RawLine]) -> Iterator[NodeResult]:
        """Yield the result of each node as it ends."""
        for line in lines:
            try:
                event = json.loads(line.text)
                info, data = event["info"], event["data"]
            except (ValueError, KeyError, TypeError):
                self._report("info", line.text)
                continue
            if info["name"] in SILENT:
                continue
            self.has_parsed |= info["name"] == PARSED
            self._report(info["level"], info["msg"])
            if result := self._result(info, data):
                yield result

    def _report(self, level: str, text: str) -> None:
        if text.strip():
            self.report("warning" if level == "warn" else level, text)

    def _result(self, info: dict[str, Any], data: dict[str, Any]) -> NodeResult | None:
        node = data.get("node_info") or {}
        unique_id = node.get("unique_id")
        if info["level"] == "error" and info["name"] not in RESULTS:
            about = self.messages.setdefault(unique_id, []) if unique_id else self.errors
            about.append(info["msg"].strip())
        if not unique_id or info["name"] not in RESULTS | SKIPS:
            return None
        if info["name"] in SKIPS:
            return NodeResult(unique_id, "skipped", 0.0, None, 0)
        status = str(data.get("status", "")).split()
        word = status[0].lower() if status else ""
        # The status of seeds and snapshots is one word; the warehouse's answer is in the message.
        rows = ROWS.match(str(data.get("result_message") or data.get("status") or ""))
        return NodeResult(
            unique_id,
            OUTCOMES.get(word, "failed"),
            float(data.get("execution_time") or 0.0),
            int(rows[1]) if rows else None,
            int(data.get("num_failures") or 0),
        )
