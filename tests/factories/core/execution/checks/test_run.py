"""How the checks of a table are run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from factories.core.execution.checks.other_tables import OtherTable
from factories.core.execution.checks.run import failed_blocking
from factories.core.execution.table_reader import QueryFailedError, WarehouseSilentError
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import check_names, check_specs
from factories.core.warehouse.names import Relation
from tests.factories.core.execution.checks.checked_orders import (
    COLUMNS,
    KEY,
    Orders,
    Tables,
    spec,
    values,
)

(NOT_NULL_NOTE,) = check_names(ChecksSpec.model_validate({"columns": {"not_null": "note x"}}))
ALL: dict[str, Any] = {
    "rows": {"min": 1},
    "columns": {"not_null": ["id"], "unique": "ID"},
    "schema": "no_removed_columns",
}


def test_every_declared_check_is_run_and_none_else(orders: Orders) -> None:
    declared = [check.name for check in check_specs(KEY, spec(**ALL))]
    assert declared == ["row_count", "not_null_id", "unique_id", "no_removed_columns"]
    assert list(orders.passed(**ALL)) == declared


def test_check_that_cannot_run_has_failed_and_spares_the_others(orders: Orders) -> None:
    def refuse(_sql: str) -> Sequence[Sequence[Any]]:
        raise QueryFailedError("no such table")

    found = orders.results({"id": "NUMBER"}, refuse, **ALL)

    assert {name: result.passed for name, result in found.items()} == {
        "row_count": False,
        "not_null_id": False,
        "unique_id": False,
        "no_removed_columns": True,
    }
    assert found["row_count"].description == "no such table"


def test_all_checks_of_a_table_are_one_statement(orders: Orders) -> None:
    orders.others = Tables(
        {"shop/raw/notes": OtherTable(Relation("memory", "main", "notes"), ("note",))}, {}
    )
    orders.database.execute("create table notes as select 'a' as note")

    found = orders.passed(
        rows={"min": 1, "change": {"min": "-1%"}},
        columns={
            "not_null": ["id", "note x"],
            "unique": ["id"],
            "accepted_values": {"id": [1, 2], "note x": ["a", 5]},
            "relationships": {"note x": {"to": "shop/raw/notes", "field": "NOTE"}},
        },
        schema=["no_removed_columns", "unchanged"],
        sql={"positive": "id > 0 -- at least", "sum": {"value": "sum(id)", "max": 4.5}},
    )

    assert found == {
        "row_count": True,
        "row_count_change": True,
        "not_null_id": True,
        NOT_NULL_NOTE: False,
        "unique_id": False,
        "accepted_values_id": True,
        NOT_NULL_NOTE.replace("not_null", "accepted_values"): False,
        NOT_NULL_NOTE.replace("not_null", "relationships"): False,
        "no_removed_columns": True,
        "schema_unchanged": True,
        "positive": True,
        "sum": False,
    }
    assert len(orders.asked) == 1


def test_checks_that_ask_nothing_of_the_warehouse_run_no_statement(orders: Orders) -> None:
    assert orders.passed(schema="unchanged", columns={"unique": "gone"}) == {
        "unique_gone": False,
        "schema_unchanged": True,
    }
    assert orders.asked == []


def test_a_wrong_expression_fails_alone_and_is_found_with_few_statements(orders: Orders) -> None:
    conditions = {f"c{number}": f"id >= {number}" for number in range(16)}
    conditions["c7"] = "idd >= 7"

    found = orders.results(sql=conditions)

    assert [name for name, result in found.items() if not result.metadata] == ["c7"]
    assert "idd" in str(found["c7"].description)
    assert values(found["c2"])["rows_that_fail"] == 1
    assert len(orders.asked) == 9  # of 16, 8 and 8, 4 and 4, 2 and 2, 1 and 1


def test_a_warehouse_that_does_not_answer_is_asked_once(orders: Orders) -> None:
    asked = []

    def wait(sql: str) -> Sequence[Sequence[Any]]:
        asked.append(sql)
        raise WarehouseSilentError("timed out")

    found = orders.results(COLUMNS, wait, **ALL)

    assert [result.passed for result in found.values()] == [False, False, False, True]
    assert len(asked) == 1


def test_checks_block_the_assets_downstream_unless_yaml_says_otherwise() -> None:
    assert all(check.blocking for check in check_specs(KEY, spec(**ALL)))
    assert not any(check.blocking for check in check_specs(KEY, spec(**ALL, blocking=False)))
    assert check_specs(KEY, None) == []


def test_a_check_has_the_severity_of_its_own_or_of_the_block(orders: Orders) -> None:
    checks = {
        "severity": "warn",
        "rows": {"min": 9},
        "columns": {"unique": [{"column": "id", "severity": "error"}]},
        "sql": {"none": {"condition": "id < 0", "severity": "error", "blocking": False}},
    }
    found = orders.results(**checks)

    assert {name: (result.passed, result.severity.value) for name, result in found.items()} == {
        "row_count": (False, "WARN"),
        "unique_id": (False, "ERROR"),
        "none": (False, "ERROR"),
    }
    assert failed_blocking(spec(**checks), found.values()) == ["unique_id"]
