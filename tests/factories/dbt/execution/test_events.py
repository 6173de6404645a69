"""dbt's log, line by line: what ends, what is told, what is kept of errors."""

from __future__ import annotations

import json
from typing import Any

from factories.core.execution.subprocesses import RawLine
from factories.dbt.execution.events import DbtLog, NodeResult


def line(name: str, message: str, level: str = "info", **data: Any) -> str:
    return json.dumps({"info": {"name": name, "level": level, "msg": message}, "data": data})


def node(unique_id: str) -> dict[str, str]:
    return {"unique_id": unique_id}


def follow(*lines: str) -> tuple[list[NodeResult], list[tuple[str, str]], DbtLog]:
    reported: list[tuple[str, str]] = []
    log = DbtLog(lambda level, text: reported.append((level, text)))
    return list(log.follow(RawLine(text, 0.0) for text in lines)), reported, log


def test_results_come_with_what_the_warehouse_answered() -> None:
    results, _, _ = follow(
        line(
            "LogModelResult", "1 of 3 OK", node_info=node("model.shop.a"),
            status="SUCCESS 3", execution_time=0.5,
        ),
        line(
            "LogSeedResult", "2 of 3 OK", node_info=node("seed.shop.b"),
            status="success", result_message="INSERT 2",
        ),
        line(
            "LogTestResult", "3 of 3 FAIL 4", "error", node_info=node("test.shop.c"),
            status="fail", num_failures=4,
        ),
    )  # fmt: skip

    assert results == [
        NodeResult("model.shop.a", "success", 0.5, 3, 0),
        NodeResult("seed.shop.b", "success", 0.0, 2, 0),
        NodeResult("test.shop.c", "failed", 0.0, None, 4),
    ]


def test_answer_without_rows_has_none() -> None:
    [result], _, _ = follow(
        line("LogModelResult", "OK", node_info=node("model.shop.a"), status="SUCCESS")
    )
    assert result.rows is None


def test_skipped_and_failed_nodes() -> None:
    results, _, log = follow(
        line("LogModelResult", "ERROR", "error", node_info=node("model.shop.a"), status="error"),
        line("SkippingDetails", "SKIP b", node_info=node("model.shop.b")),
        line("RunResultError", "  Division by zero", "error", node_info=node("model.shop.a")),
        # It is about the children, and names the node that failed.
        line("MarkSkippedChildren", "Marking", "debug", node_info=node("model.shop.a")),
    )

    assert [(r.unique_id, r.outcome) for r in results] == [
        ("model.shop.a", "failed"),
        ("model.shop.b", "skipped"),
    ]
    assert log.messages == {"model.shop.a": ["Division by zero"]}
    assert log.errors == []


def test_errors_of_no_node_and_what_is_not_an_event() -> None:
    _, reported, log = follow(
        "a warning of some library",
        line("Formatting", ""),
        line("ConnectionUsed", "", "info"),
        line("JinjaLogWarning", "careful", "warn"),
        line("MainEncounteredError", "Encountered an error: no profile", "error"),
        line("MainStackTrace", "Traceback (most recent call last)", "error"),
    )

    assert reported == [
        ("info", "a warning of some library"),
        ("warning", "careful"),
        ("error", "Encountered an error: no profile"),
    ]
    assert log.errors == ["Encountered an error: no profile"]
    assert not log.has_parsed


def test_project_is_parsed_when_dbt_counts_its_nodes() -> None:
    _, _, log = follow(line("FoundStats", "Found 3 models"))
    assert log.has_parsed
