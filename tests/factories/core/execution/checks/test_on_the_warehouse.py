"""Every kind of check, on one table of a real warehouse: one statement, and what comes of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from factories.core.execution.checks.history import LoadHistory
from factories.core.execution.checks.run import run_table_checks
from factories.core.execution.table_reader import (
    QueryFailedError,
    TableReader,
    WarehouseSilentError,
)
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.names import dagster_name
from factories.core.warehouse.names import Relation, WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from tests.conftest import WarehouseUnderTest, new_database

KEY = dg.AssetKey(["shop", "raw", "orders"])
NEW_YORK = "America/New_York"
LENGTH = dagster_name("größe in m")


class CountingReader(TableReader):
    """Notes the statements."""

    def __init__(self) -> None:
        """Begin without any."""
        super().__init__(warehouse_settings(), WarehouseNames("local"))
        self.asked: list[str] = []

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Run a statement, and note it."""
        self.asked.append(sql)
        return super().query(sql, parameters)


@dataclass
class Orders:
    """A table, and those of other assets.

    Attributes:
        reader: Looks at them.
        instance: Dagster's.
        relation: The table.
        results: Of the last checks, by their names.
    """

    reader: CountingReader
    instance: dg.DagsterInstance
    relation: Relation
    results: dict[str, dg.AssetCheckResult] = field(default_factory=dict)

    def check(self, relation: Relation | None = None, **checks: Any) -> dict[str, bool]:
        """Run checks; return whether each passed."""
        relation = relation or self.relation
        columns = self.reader.columns(relation)
        self.reader.asked.clear()
        spec = ChecksSpec.model_validate(checks)
        history = LoadHistory(self.instance, KEY)
        found = run_table_checks(history, spec, relation, self.reader, columns=columns)
        self.results = {str(result.check_name): result for result in found}
        return {name: result.passed for name, result in self.results.items()}

    def text(self, name: str) -> str:
        """Return what is said of a check's result."""
        return str(self.results[name].description)


def ago(hours: float, zone: timedelta = timedelta(0)) -> str:
    return f"{datetime.now(UTC) - timedelta(hours=hours) + zone:%Y-%m-%d %H:%M:%S}"


@pytest.fixture(scope="module")
def orders(warehouse: WarehouseUnderTest) -> Iterator[Orders]:
    with (
        new_database(warehouse) as database,
        closing(CountingReader()) as reader,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        schema = f"{database}.PUBLIC"
        warehouse.rows(
            f"create table {schema}.orders (id int, code varchar, open boolean, total float,"
            ' "Größe in m" int, day date, plain timestamp_ntz, local timestamp_ltz,'
            " zoned timestamp_tz, never timestamp_ntz)"
        )
        three = ago(3)
        rows = [
            (1, "'A'", "true", 1.5, 1, "current_date() - 40"),
            (1, "'B'", "false", -2, 1, "current_date() - 5"),
            (2, "null", "null", "null", "null", "null"),
        ]
        for *values, day in rows:
            listed = ", ".join(map(str, values))
            warehouse.rows(
                f"insert into {schema}.orders select {listed}, {day}, '{three}'::timestamp_ntz,"
                f" '{three} +00:00'::timestamp_ltz, '{three} +00:00'::timestamp_tz, null"
            )
        warehouse.rows(f"create table {schema}.codes as select 'A' as code union all select null")
        for name, columns in (("codes", ("CODE",)), ("dropped", ("CODE",)), ("python", ())):
            table = Relation(database, "PUBLIC", name.upper())
            schema_of = dg.TableSchema([dg.TableColumn(column) for column in columns])
            instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    ["shop", "raw", name],
                    metadata={
                        "dagster/table_name": "x" if name == "python" else str(table),
                        "dagster/column_schema": schema_of,
                    },
                )
            )
        yield Orders(reader, instance, Relation(database, "PUBLIC", "ORDERS"))


MANY: dict[str, Any] = {
    "rows": {"min": 3, "max": 3, "change": {"min": "-10%"}},
    "columns": {
        "not_null": ["id", "code", "größe in m"],
        "unique": ["id", "code", ["id", "code"], ["id", "Größe in m"]],
        "accepted_values": {"code": ["A", "B"], "id": [1], "open": [True], "total": [1.5, -2]},
        "relationships": {"code": "shop/raw/codes"},
        "freshness": {"plain": "4h", "local": "2h", "never": "900d"},
    },
    "schema": ["no_removed_columns", "unchanged"],
    "sql": {
        "bought": "total > 0 -- a comment",
        "like_a": "code like 'A%' or code = '50%s'",
        "mean": {"value": "avg(total)", "min": -1, "max": 0.5},
        "days": {"value": "count(distinct day)", "max": 1},
    },
}


def test_every_kind_of_check_is_computed_by_one_statement(orders: Orders) -> None:
    assert orders.check(**MANY) == {
        "row_count": True,
        "row_count_change": True,
        "not_null_id": True,
        "not_null_code": False,
        f"not_null_{LENGTH}": False,
        "unique_id": False,
        "unique_code": True,
        "unique_id_code": True,
        f"unique_id_{LENGTH}": False,
        "accepted_values_code": True,
        "accepted_values_id": False,
        "accepted_values_open": False,
        "accepted_values_total": True,
        "relationships_code": False,
        "freshness_plain": True,
        "freshness_local": False,
        "freshness_never": False,
        "no_removed_columns": True,
        "schema_unchanged": True,
        "bought": False,
        "like_a": False,
        "mean": True,
        "days": False,
    }
    assert len(orders.reader.asked) == 1
    texts = {name: result.description for name, result in orders.results.items()}
    code = f"CODE of {orders.relation.database}.PUBLIC.CODES"
    assert texts["relationships_code"] == f"1 of 3 rows have a value that {code} lacks."
    assert texts[f"unique_id_{LENGTH}"] == "1 of 3 rows repeat a value of ID, Größe in m."
    assert texts["freshness_never"] == "The column NEVER has no value, so nothing in it is fresh."
    assert str(texts["freshness_local"]).endswith(" old, 2 hours at most.")
    assert texts["days"] == "The value is 2, at most 1 is asked for."
    shown = str([result.metadata for result in orders.results.values()])
    assert "'B'" not in shown.replace("['A', 'B']", "")  # no values of rows


def test_what_cannot_be_computed_is_told_alone(orders: Orders) -> None:
    checks = {
        "rows": {"min": 3},
        "columns": {
            "not_null": ["id", "missing"],
            "relationships": {"code": "shop/raw/dropped", "id": "shop/raw/python"},
            "accepted_values": {"id": ["one"]},
            "freshness": {"code": "1h"},
        },
        "sql": {
            "typo": "totl > 0",
            "text": {"value": "max(code)", "max": 1},
            "no_aggregate": {"value": "total", "max": 1},
            "bought": "total > -9",
        },
    }
    assert orders.check(**checks) == {
        "row_count": True,
        "not_null_id": True,
        "not_null_missing": False,
        "accepted_values_id": False,
        "relationships_code": False,
        "relationships_id": False,
        "freshness_code": False,
        "typo": False,
        "text": False,
        "no_aggregate": False,
        "bought": True,
    }
    assert orders.text("not_null_missing") == "The table has no column missing."
    dropped = f"{orders.relation.database}.PUBLIC.DROPPED"
    assert orders.text("relationships_code") == (
        f"Unknown: it reads {dropped}, which does not exist yet."
    )
    unknown = "Unknown: shop/raw/python has not recorded a table yet."
    assert orders.text("relationships_id") == unknown
    assert orders.text("freshness_code") == (
        "The column CODE is TEXT, neither a date nor a timestamp."
    )
    assert "totl" in orders.text("typo").lower()
    warnings = {
        name
        for name, result in orders.results.items()
        if result.severity is dg.AssetCheckSeverity.WARN
    }
    assert warnings == {"relationships_code", "relationships_id"}


@pytest.mark.parametrize(
    ("column", "rule", "passed"),
    [
        ("plain", "2h", False),
        ("zoned", "4h", True),
        ("zoned", "2h", False),
        ("local", "4h", True),
        # As New York's clocks, the same figures are four or five hours later.
        ("plain", {"max_age": "1h", "timezone": NEW_YORK}, True),
        # What has a zone keeps it.
        ("zoned", {"max_age": "2h", "timezone": NEW_YORK}, False),
        ("day", "4d", False),
        ("day", "7d", True),
    ],
)
def test_how_old_a_column_is(
    orders: Orders, column: str, rule: str | dict[str, str], passed: bool
) -> None:
    assert orders.check(columns={"freshness": {column: rule}}) == {f"freshness_{column}": passed}


def test_a_value_in_the_future_passes_and_is_told(orders: Orders) -> None:
    rule = {"plain": {"max_age": "1h", "timezone": NEW_YORK}}
    assert orders.check(columns={"freshness": rule}) == {"freshness_plain": True}
    assert orders.text("freshness_plain").endswith("in the future.")
    assert orders.results["freshness_plain"].metadata["age_in_seconds"].value < 0  # type: ignore[operator]


def test_a_table_that_is_not_there_fails_each_check(orders: Orders) -> None:
    missing = Relation(orders.relation.database, "PUBLIC", "MISSING")
    found = orders.check(missing, rows={"min": 0}, columns={"unique": ["id"]}, sql={"a": "b > 1"})
    assert set(found.values()) == {False}
    assert "MISSING" in orders.text("row_count")
    assert "does not exist, or cannot be read" in orders.text("unique_id")


def test_a_warehouse_without_an_answer_is_told_from_one_that_refuses(orders: Orders) -> None:
    with pytest.raises(QueryFailedError) as refused:
        orders.reader.query("select nothing")
    assert not isinstance(refused.value, WarehouseSilentError)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # and does not listen
        port = unheard.getsockname()[1]
        settings = replace(warehouse_settings(), port=port, login_timeout=1)
        reader = TableReader(settings, WarehouseNames("local"))
        with closing(reader), pytest.raises(WarehouseSilentError):
            reader.query("select 1")
