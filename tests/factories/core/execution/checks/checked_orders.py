"""A table to check in DuckDB, and the tables of other assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from factories.core.execution.checks.history import LoadHistory
from factories.core.execution.checks.other_tables import OtherTable
from factories.core.execution.checks.outcomes import LoadedTable
from factories.core.execution.checks.run import run_checks
from factories.core.execution.table_reader import QueryFailedError
from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import list_checks
from factories.core.warehouse.names import Relation

KEY = dg.AssetKey(["shop", "raw", "orders"])
COLUMNS = {"id": "INTEGER", "Note X": "VARCHAR"}


class Tables:
    """The tables of other assets, of which some have been dropped."""

    def __init__(
        self, tables: Mapping[str, OtherTable], there: Mapping[str, Sequence[str]]
    ) -> None:
        """Take what assets have recorded, and the columns that tables have."""
        self.tables = tables
        self.there = there

    def find(self, key: dg.AssetKey) -> OtherTable | None:
        """Return the table of an asset."""
        return self.tables.get(key.to_user_string())

    def read_columns(self, relation: Relation) -> tuple[str, ...]:
        """Return the columns of a table."""
        return tuple(self.there.get(str(relation), ()))


class Orders:
    """A table to check, and the statements that were run on it."""

    def __init__(self, instance: dg.DagsterInstance, database: duckdb.DuckDBPyConnection) -> None:
        """Take Dagster's instance and what holds the table."""
        self.instance = instance
        self.database = database
        self.asked: list[str] = []
        self.others = Tables({}, {})
        self.key = KEY

    def query(self, sql: str) -> Sequence[Sequence[Any]]:
        """Run a statement."""
        self.asked.append(sql)
        try:
            return self.database.execute(sql).fetchall()
        except duckdb.Error as error:
            raise QueryFailedError(str(error)) from None

    def results(
        self, stored: Mapping[str, str] = COLUMNS, query: Any = None, /, **checks: Any
    ) -> dict[str, dg.AssetCheckResult]:
        """Return the result of each check, by its name."""
        history = LoadHistory(self.instance, self.key)
        table = LoadedTable("orders", stored, query or self.query, history, self.others)
        found = run_checks(list_checks(spec(**checks)), table)
        return {str(result.check_name): result for result in found}

    def passed(self, stored: Mapping[str, str] = COLUMNS, /, **checks: Any) -> dict[str, bool]:
        """Return whether each check passed, by its name."""
        return {name: each.passed for name, each in self.results(stored, **checks).items()}


def spec(**values: Any) -> ChecksSpec:
    return ChecksSpec.model_validate(values)


def values(result: dg.AssetCheckResult) -> dict[str, Any]:
    return {name: value.value for name, value in result.metadata.items()}
