"""What the tests look at: copies of the marts after each of several runs of dbt."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from snowflake.connector import SnowflakeConnection

from tests.dbt_project.dbt_runs import Outcome

MARTS = ("FCT_FLIGHTS", "CARRIER_MONTHLY", "ORIGIN_DAILY", "DIM_AIRCRAFT")


@dataclass(frozen=True)
class Stage:
    """The marts as one run left them.

    Attributes:
        name: Of the schema that has the copies.
        outcome: What dbt said.
        connection: Whose current database is the marts'.
    """

    name: str
    outcome: Outcome
    connection: SnowflakeConnection

    @classmethod
    def keep(cls, connection: SnowflakeConnection, name: str, outcome: Outcome) -> Stage:
        """Copy the marts as they are now."""
        cursor = connection.cursor()
        cursor.execute(f"create schema {name}")
        for mart in MARTS:
            cursor.execute(f"create table {name}.{mart} as select * from MARTS.{mart}")
        return cls(name, outcome, connection)

    def frame(self, query: str) -> pd.DataFrame:
        """A query's rows; in it `{stage}` is the schema of the copies. Columns in lower case."""
        cursor = self.connection.cursor().execute(query.format(stage=self.name))
        assert cursor is not None
        return cursor.fetch_pandas_all().rename(columns=str.lower)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """A query's rows as tuples."""
        cursor = self.connection.cursor().execute(query.format(stage=self.name))
        assert cursor is not None
        return cursor.fetchall()

    def number(self, query: str) -> object:
        """The single value that a query yields."""
        ((value,),) = self.rows(query)
        return value

    def changed(self, before: Stage, mart: str = "FCT_FLIGHTS", key: str = "flight_id") -> set[int]:
        """The keys of the rows that are here and were not there before, or not the same."""
        query = f"select {key} from (select * from {self.name}.{mart} minus select * from"
        return {int(str(row[0])) for row in self.rows(f"{query} {before.name}.{mart})")}

    def equals(self, other: Stage, mart: str) -> bool:
        """Whether a mart has the same rows in both, and each as often."""
        here, there = f"{self.name}.{mart}", f"{other.name}.{mart}"
        sizes = self.rows(f"select (select count(*) from {here}), (select count(*) from {there})")
        return sizes[0][0] == sizes[0][1] and not any(
            self.rows(f"select * from {a} minus select * from {b} limit 1")
            for a, b in ((here, there), (there, here))
        )
