"""How Sling's log is read: a stream has succeeded only where the log says so."""

from __future__ import annotations

import pytest

from factories.core.execution.subprocesses import RawLine
from factories.sling.replication_log import ReplicationLog, parse_size


def follow(streams: tuple[str, ...], *lines: str) -> list[tuple[str, bool, int, str]]:
    log = ReplicationLog(streams, report=lambda _line: None)
    raw = [RawLine(line, float(at)) for at, line in enumerate(lines)]
    return [(r.name, r.succeeded, r.rows, r.error) for r in log.follow(raw)]


def test_stream_without_a_word_of_success_has_failed() -> None:
    found = follow(
        ("a.x", "a.y"),
        '{"lvl":"info","msg":"[1 / 2] running stream a.x"}',
        '{"lvl":"info","msg":"inserted 3 rows into \\"A\\".\\"X\\" in 0 secs [33 r/s] [9 B]"}',
        '{"lvl":"info","msg":"execution succeeded"}',
        '{"lvl":"info","msg":"[2 / 2] running stream a.y"}',
        '{"lvl":"info","msg":"streaming data"}',
    )

    assert found[0] == ("a.x", True, 3, "")
    assert found[1][:3] == ("a.y", False, 0)
    assert "streaming data" in found[1][3]


def test_streams_never_reached_have_failed() -> None:
    found = follow(("a.x", "a.y"), "\x1b[31mfatal:\x1b[0m", "~ could not connect to the source")

    assert [(name, ok) for name, ok, _, _ in found] == [("a.x", False), ("a.y", False)]
    assert all("could not connect" in error for *_, error in found)


@pytest.mark.parametrize(
    ("text", "size"),
    [("373 B", 373), ("1.5 kB", 1500), ("63 MB", 63_000_000), ("?", None), (None, None)],
)
def test_size_is_read(text: str | None, size: int | None) -> None:
    assert parse_size(text) == size
