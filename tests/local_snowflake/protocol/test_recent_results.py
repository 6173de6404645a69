"""Results are kept for those who ask later: only so many, and only so much."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest
from fakesnow.statement_type import SELECT

from local_snowflake.engine import recent_results
from local_snowflake.engine.recent_results import RecentResults
from local_snowflake.engine.results import StatementResult
from local_snowflake.protocol import queries
from local_snowflake.protocol.queries import Query, QueryLog


def result(size: int) -> StatementResult:
    """A result of so many bytes."""
    return StatementResult(pa.table({"n": pa.array([1] * size, pa.int8())}), [], SELECT)


def kept(results: RecentResults) -> list[str]:
    return [name for name in "abcdef" if results.get(name)]


def test_oldest_results_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_results, "MAX_RESULTS", 3)
    results = RecentResults()
    for name in "abcde":
        results.add(name, result(1))

    assert kept(results) == ["c", "d", "e"]


def test_results_of_many_bytes_are_forgotten_but_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_results, "MAX_BYTES", 100)
    results = RecentResults()
    for name, size in {"a": 60, "b": 30, "c": 20}.items():
        results.add(name, result(size))
    assert kept(results) == ["b", "c"]

    results.add("d", result(50))
    assert kept(results) == ["b", "c", "d"]

    results.add("e", result(500))
    assert kept(results) == ["e"]

    results.add("f", result(1))
    assert kept(results) == ["f"]


def test_queries_of_many_bytes_are_forgotten_once_they_are_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "MAX_RESULT_BYTES", 100)

    async def remembered() -> list[list[str]]:
        log = QueryLog()
        futures: dict[str, asyncio.Future[StatementResult]] = {}
        found = []

        def start(name: str) -> None:
            futures[name] = asyncio.get_running_loop().create_future()
            log._add(Query(None, futures[name], name))  # type: ignore[arg-type]
            found.append([known for known in "abc" if log.get(known)])

        start("a")
        start("b")  # while the first runs
        futures["a"].set_result(result(90))
        futures["b"].set_result(result(60))
        await asyncio.sleep(0)  # the log is told
        start("c")
        return found

    assert asyncio.run(remembered()) == [["a"], ["a", "b"], ["b", "c"]]
