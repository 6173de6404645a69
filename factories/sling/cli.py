"""The Sling program: one process, and what its log says of each stream.

Sling 1.4's free version has no structured report: hooks, which could write one, need a paid
token, and its state file stays empty. Its JSON log has one message a line, in a fixed order per
stream; a stream without a message that says it succeeded has failed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from factories.core.errors import StepStartError
from factories.core.execution.subprocesses import Program, RawLine, environment_with
from factories.core.execution.temp_folders import temporary_step_folder

BINARY_PACKAGES = (
    "sling_linux_amd64",
    "sling_linux_arm64",
    "sling_mac_amd64",
    "sling_mac_arm64",
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
RUNNING = re.compile(r"^\[\d+ / \d+\] running stream (?P<name>.+)$")
INSERTED = re.compile(
    r"^inserted (?P<rows>\d+) rows into (?P<table>.+) in .+?"
    r" \[[\d,.?]+ r/s\](?: \[(?P<size>[\d.,]+ \w+)\])?$"
)
WRITTEN_TO_FILE = re.compile(r"^wrote (?P<rows>\d+) rows .*to \S+")
TAIL_LINES = 20
SIZE_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
LEVELS = {"trace": "debug", "debug": "debug", "warn": "warning", "error": "error"}


class SlingNotFoundError(StepStartError):
    """There is no Sling binary in this environment."""


def find_binary(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the Sling binary.

    `SLING_BINARY` when it is set, else the binary that the installed package carries. The Python
    package `sling` is never imported for it: without its binary it downloads one, or calls itself
    through PATH for ever.

    Raises:
        SlingNotFoundError: When there is none.
    """
    if chosen := environ.get("SLING_BINARY"):
        if shutil.which(chosen):
            return chosen
        raise SlingNotFoundError(f"SLING_BINARY names {chosen}, which is not a program")
    for package in BINARY_PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            if path := next(Path(folder, "bin").glob("sling-*"), None):
                return str(path)
    raise SlingNotFoundError(
        "this environment has no Sling binary: install the one for your system and name it in"
        " SLING_BINARY"
    )


def run_sling(
    binary: str,
    replication: str,
    connections: Mapping[str, str],
    folder: Path,
    *,
    debug: bool = False,
) -> Generator[RawLine]:
    """Run one replication and yield the lines of its log.

    Connections reach Sling through the process's own environment, never through a file or this
    process's `os.environ`. Sling's home, its staged files and the replication lie in a folder of
    this process alone, which is gone when the process is.

    Args:
        binary: The Sling program.
        replication: A replication in Sling's format, as JSON.
        connections: Each connection's URL or JSON by name.
        folder: Where the process's own folder is made.
        debug: Whether Sling logs more.

    Yields:
        Each line with the time of its arrival: the log is JSON lines, a stream's error plain text.
    """
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        own_folder = Path(name)
        path = own_folder / "replication.json"
        path.write_text(replication, encoding="utf-8")
        command = [binary, "run", *(["-d"] if debug else []), "-r", str(path)]
        with Program(command, {**_environment(own_folder), **connections}) as program:
            yield from program.lines()


def call_sling(
    binary: str, arguments: Sequence[str], connections: Mapping[str, str], *, as_json: bool
) -> str:
    """Run a short command of Sling's and return what it writes to standard output.

    Args:
        binary: The Sling program.
        arguments: Such as `["conns", "test", "SHOP"]`.
        connections: Each connection's URL or JSON by name.
        as_json: Whether Sling answers in JSON.

    Raises:
        subprocess.CalledProcessError: When Sling ends with an error; holds what it wrote.
    """
    with temporary_step_folder("sling") as folder:
        environment = _environment(folder) | ({"SLING_OUTPUT": "json"} if as_json else {})
        del environment["SLING_LOGGING"]
        return subprocess.run(
            [binary, *arguments],
            env=environment_with({**environment, **connections}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def _environment(folder: Path) -> dict[str, str]:
    return {
        "SLING_HOME_DIR": str(folder),
        "SLING_TEMP_DIR": str(folder),
        "SLING_LOGGING": "JSON",
        "SLING_DISABLE_TELEMETRY": "TRUE",
        "SLING_ALLOW_EMPTY": "TRUE",  # a source without rows makes a table without rows
    }


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
        table: The table that it loaded, as Sling's log writes it; empty when the log names none.
        bytes: Size of what was read, as Sling rounds it; None when it does not say.
        seconds: From the start of the stream to its end.
        error: Sling's own text of the failure.
    """

    name: str
    succeeded: bool = False
    rows: int = 0
    table: str = ""
    bytes: int | None = None
    seconds: float = 0.0
    error: str = ""


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


def parse_size(text: str | None) -> int | None:
    """Return the bytes that `1.2 MB` stands for, or None."""
    number, _, unit = (text or "").partition(" ")
    if unit not in SIZE_UNITS:
        return None
    return round(float(number.replace(",", "")) * SIZE_UNITS[unit])


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

    def follow(self, lines: Iterable[RawLine]) -> Iterator[StreamResult]:
        """Yield each stream's result as soon as the log has it.

        Streams whose end is not in the log, as when the process dies, are yielded last, as failed,
        with the end of the log as their error.
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
                tail.append(line.text)
                if result := self._read_message(line.text):
                    done.add(result.name)
                    yield result
        if result := self._take_failed():
            done.add(result.name)
            yield result
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
            if text != "fatal:":
                self._error.append(text)
        elif match := INSERTED.match(text) or WRITTEN_TO_FILE.match(text):
            found = match.groupdict()
            current.rows, current.table = int(found["rows"]), found.get("table") or ""
            current.bytes = parse_size(found.get("size"))
        elif text == "execution failed":
            self._error = []
        elif text == "execution succeeded":
            current.succeeded = True
            current.seconds = self._now - self._started
            self._current = None
            return current
        return None

    def _start(self, name: str) -> None:
        self._current, self._started, self._error = StreamResult(name), self._now, None

    def _take_failed(self) -> StreamResult | None:
        """Return the current stream's result if it has failed; it is then no longer current."""
        current, error = self._current, self._error
        if current is None or error is None:
            return None
        self._current, self._error = None, None
        current.seconds = self._now - self._started
        current.error = "\n".join(dict.fromkeys(error)) or "execution failed"
        return current
