"""Reads the log of Sling's program: how each stream of a replication ended.

Sling 1.4's free version has no structured report: hooks, which could write one, need a paid
token, and its state file stays empty. Its JSON log has one message a line, in a fixed order per
stream; a stream without a message that says it succeeded has failed. So has one of which Sling
warns: it warns where it goes on without what it was asked for.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from factories.core.execution.subprocesses import RawLine
from factories.sling.program import KILLED

ANSI = re.compile(r"\x1b\[[0-9;]*m")
RUNNING = re.compile(r"^\[\d+ / \d+\] running stream (?P<name>.+)$")
INSERTED = re.compile(
    r"^inserted (?P<rows>\d+) rows into (?P<table>.+) in .+?"
    r" \[[\d,.?]+ r/s\](?: \[(?P<size>[\d.,]+ \w+)\])?$"
)
WRITTEN_TO_FILE = re.compile(r"^wrote (?P<rows>\d+) rows .*to \S+")
NOTHING_TO_LOAD = "no data or records found in stream"
TAIL_LINES = 20
# What an error does not begin with: it is the same whatever the reason.
FATAL = "fatal:"
TELLS_NOTHING = ("Sling CLI |", FATAL, "~ failure running replication (see docs")
# Warnings after which a table is as it was asked for.
HARMLESS = (
    "FYI there is a new sling version released",
    "Generating DDL from 0 rows",
    NOTHING_TO_LOAD,
    "Could not create internal volume, falling back to batch inserts",
)
SIZE_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
LEVELS = {"trace": "debug", "debug": "debug", "warn": "warning", "error": "error"}


@dataclass(frozen=True)
class LogLine:
    """One line of the log: `level` is a method of Dagster's logger."""

    level: str
    text: str


@dataclass
class StreamResult:
    """How one stream ended.

    Attributes:
        name: The stream.
        succeeded: Whether Sling's log says so.
        rows: Rows that this run wrote to the target.
        is_counted: Whether the log says how many.
        table: The table that it loaded, as Sling's log writes it; empty when the log names none.
        bytes: Size of what was read, as Sling rounds it; None when it does not say.
        seconds: From the start of the stream to its end.
        error: Sling's own text of the failure.
        attempt: Which try this was, 1 the first.
    """

    name: str
    succeeded: bool = False
    rows: int = 0
    is_counted: bool = False
    table: str = ""
    bytes: int | None = None
    seconds: float = 0.0
    error: str = ""
    attempt: int = 1


def parse_line(raw: str) -> LogLine:
    """Read one line of Sling's output, which is JSON or plain text."""
    level, text = "info", raw
    if raw.startswith("{"):
        try:
            record = json.loads(raw)
            level, text = LEVELS.get(record.get("lvl"), "info"), str(record.get("msg", raw))
        except ValueError:
            pass
    return LogLine(level, ANSI.sub("", text).rstrip())


def _keep_for_error(text: str, tail: deque[str]) -> None:
    """Keep a line of the log for streams whose end the log does not have."""
    if text.startswith(FATAL):
        tail.clear()
    if not text.startswith(TELLS_NOTHING):
        tail.append(text)


def parse_size(text: str | None) -> int | None:
    """Return the bytes that `1.2 MB` stands for, or None."""
    number, _, unit = (text or "").partition(" ")
    if unit not in SIZE_UNITS:
        return None
    return round(float(number.replace(",", "")) * SIZE_UNITS[unit])


def _read_rows(text: str, current: StreamResult) -> bool:
    """Take from a message how many rows were written; tell whether it says that."""
    match = INSERTED.match(text) or WRITTEN_TO_FILE.match(text)
    if match:
        found = match.groupdict()
        current.rows, current.table = int(found["rows"]), found.get("table") or ""
        current.bytes = parse_size(found.get("size"))
    return bool(match) or text.startswith(NOTHING_TO_LOAD)


@dataclass
class ReplicationLog:
    """Follows the log of one Sling process.

    Attributes:
        streams: The names of the streams that the process was given, in their order.
        report: Receives every line that a person may want to read.
    """

    streams: tuple[str, ...]
    report: Callable[[LogLine], None]
    _current: StreamResult | None = field(default=None, init=False)
    _now: float = field(default=0.0, init=False)
    _started: float = field(default=0.0, init=False)
    _error: list[str] | None = field(default=None, init=False)
    # Of all streams: what Sling warned of before the first.
    _shared_warnings: list[str] = field(default_factory=list, init=False)
    _warnings: list[str] = field(default_factory=list, init=False)

    def follow(self, lines: Iterable[RawLine]) -> Iterator[StreamResult]:
        """Yield each stream's result as soon as the log has it.

        Streams whose end is not in the log, as when the process dies, are yielded last, as failed,
        with the end of the log as their error, below the signal that ended the process.
        """
        done: set[str] = set()
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        for raw in lines:
            self._now = raw.at
            if self._started == 0.0 and len(self.streams) == 1:
                # Of a single stream the log does not say that it starts.
                self._start(self.streams[0])
            line = parse_line(raw.text)
            if line.text:
                self.report(line)
                _keep_for_error(line.text, tail)
                self._note_warning(line)
                if result := self._read_message(line.text):
                    done.add(result.name)
                    yield result
        if result := self._take_failed():
            done.add(result.name)
            yield result
        if tail and tail[-1].startswith(KILLED):
            tail.rotate(1)
            tail[0] += "; the end of its log:"
        for name in self.streams:
            if name not in done:
                yield StreamResult(name, error="\n".join(tail) or "Sling gave no reason")

    def _read_message(self, text: str) -> StreamResult | None:
        """Return the result of the stream that a message ends, None when it ends none."""
        if started := RUNNING.match(text):
            failed = self._take_failed()
            self._current = None
            if started["name"] in self.streams:
                self._start(started["name"])
            return failed
        current = self._current
        if current is None:
            return None
        if self._error is not None:
            if text.startswith("Sling Replication Completed"):
                return self._take_failed()
            if not text.startswith(TELLS_NOTHING):
                self._error.append(text)
        elif _read_rows(text, current):
            current.is_counted = True
        elif text == "execution failed":
            self._error = []
        elif text == "execution succeeded":
            current.succeeded = not self._warnings
            current.error = "\n".join(f"Sling warned: {text}" for text in self._warnings)
            current.seconds = self._now - self._started
            self._current = None
            return current
        return None

    def _note_warning(self, line: LogLine) -> None:
        if line.level == "warning" and not line.text.startswith(HARMLESS):
            warnings = self._shared_warnings if self._current is None else self._warnings
            warnings.append(line.text)

    def _start(self, name: str) -> None:
        self._current, self._started, self._error = StreamResult(name), self._now, None
        self._warnings = list(self._shared_warnings)

    def _take_failed(self) -> StreamResult | None:
        """Return the current stream's result if it has failed; it is then no longer current."""
        current, error = self._current, self._error
        if current is None or error is None:
            return None
        self._current, self._error = None, None
        current.seconds = self._now - self._started
        current.error = "\n".join(dict.fromkeys(error)) or "execution failed"
        return current
