"""How Sling's log is read: a stream has succeeded only where the log says so."""

from __future__ import annotations

import json

import pytest

from factories.core.execution.subprocesses import RawLine
from factories.sling.program import KILLED
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


BANNER = '{"lvl":"info","msg":"Sling CLI | https://slingdata.io"}'
USELESS = "~ failure running replication (see docs @ https://docs.slingdata.io/sling-cli)"


def test_an_error_begins_with_the_reason() -> None:
    [killed] = follow(("a.x",), BANNER, '{"lvl":"info","msg":"reading"}', f"{KILLED}SIGKILL")
    assert killed[3] == "Sling was ended by SIGKILL; the end of its log:\nreading"

    [never] = follow(("a.x",), BANNER, "fatal:", USELESS, "~ could not parse")
    assert never[3] == "~ could not parse"

    failed = ('{"lvl":"info","msg":"execution failed"}', "fatal:", USELESS, "~ no such table")
    [lost] = follow(("a.x",), BANNER, *failed)
    assert lost[3] == "~ no such table"

    [silent] = follow(("a.x",), BANNER)
    assert silent[3] == "Sling gave no reason"


@pytest.mark.parametrize(
    ("text", "size"),
    [("373 B", 373), ("1.5 kB", 1500), ("63 MB", 63_000_000), ("?", None), (None, None)],
)
def test_size_is_read(text: str | None, size: int | None) -> None:
    assert parse_size(text) == size


def warning(text: str) -> str:
    return json.dumps({"lvl": "warn", "msg": text})


def test_a_stream_of_which_sling_warns_has_failed_and_no_other() -> None:
    lines = (
        '{"lvl":"info","msg":"[1 / 3] running stream a.x"}',
        '{"lvl":"info","msg":"inserted 3 rows into \\"A\\".\\"X\\" in 0 secs [33 r/s] [9 B]"}',
        warning("invalid or missing token. Please see … to enable delete_missing"),
        '{"lvl":"info","msg":"execution succeeded"}',
        '{"lvl":"info","msg":"[2 / 3] running stream a.y"}',
        '{"lvl":"info","msg":"execution succeeded"}',
        '{"lvl":"info","msg":"[3 / 3] running stream a.z"}',
        warning("did find find transform named: 'nope'"),
        '{"lvl":"info","msg":"execution succeeded"}',
    )

    found = follow(("a.x", "a.y", "a.z"), *lines)

    assert [(name, succeeded, error) for name, succeeded, _, error in found] == [
        (
            "a.x",
            False,
            "Sling warned: invalid or missing token. Please see … to enable delete_missing",
        ),
        ("a.y", True, ""),
        ("a.z", False, "Sling warned: did find find transform named: 'nope'"),
    ]


def test_a_warning_before_the_first_stream_is_of_all() -> None:
    found = follow(
        ("a.x", "a.y"),
        warning("nope is not a valid table key type"),
        '{"lvl":"info","msg":"[1 / 2] running stream a.x"}',
        '{"lvl":"info","msg":"execution succeeded"}',
        '{"lvl":"info","msg":"[2 / 2] running stream a.y"}',
        '{"lvl":"info","msg":"execution succeeded"}',
    )
    assert [(name, succeeded) for name, succeeded, _, _ in found] == [
        ("a.x", False),
        ("a.y", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "FYI there is a new sling version released (1.9.9). You may run `sling update`",
        "Generating DDL from 0 rows. Will use string for unknown types.",
        "no data or records found in stream. Nothing to do. To allow Sling to create empty tables,",
    ],
)
def test_a_harmless_warning_fails_no_stream(text: str) -> None:
    found = follow(("a.x",), warning(text), '{"lvl":"info","msg":"execution succeeded"}')
    assert found == [("a.x", True, 0, "")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('inserted 0 rows into "A"."X" in 0 secs [0 r/s]', True),
        ("no data or records found in stream. Nothing to do. To allow Sling to create", True),
        ("wrote no rows at all", False),
    ],
)
def test_no_rows_are_none_only_where_the_log_says_so(text: str, *, told: bool) -> None:
    log = ReplicationLog(("a.x",), report=lambda _line: None)
    lines = (json.dumps({"lvl": "info", "msg": said}) for said in (text, "execution succeeded"))
    [result] = log.follow([RawLine(line, 1.0) for line in lines])
    assert (result.rows, result.is_counted) == (0, told)
