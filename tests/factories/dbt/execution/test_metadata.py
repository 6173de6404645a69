"""What is told of a built table beside what the embedded warehouse and the parser can say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from factories.core.warehouse.names import Relation
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.events import NodeResult
from factories.dbt.execution.metadata import Describer

MODEL: Any = SimpleNamespace(
    relation=Relation("ANALYTICS", "MARTS", "ODD"),
    node=SimpleNamespace(
        unique_id="model.shop.odd",
        name="odd",
        kind="model",
        path="odd.sql",
        materialized="table",
        columns={},
        depends_on=(),
    ),
)


def test_bytes_of_a_table_are_reported_where_the_warehouse_counts_them(tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def query(sql: str, parameters: tuple[str, ...]) -> list[tuple[int]]:
        assert '"ANALYTICS".information_schema.tables' in sql
        asked.append(parameters)
        return [(2048,)]

    reader: Any = SimpleNamespace(query=query, row_count=lambda relation: 3)
    lineage: Any = SimpleNamespace(of=lambda model, compiled: None)
    describer = Describer(None, reader, lineage, tmp_path, row_counts=True)

    reported = describer.metadata(MODEL, NodeResult("model.shop.odd", "success", 1, None, 0), {})

    assert (reported["bytes"], reported["dagster/row_count"]) == (2048, 3)
    assert asked == [("MARTS", "ODD")]


def test_reason_for_no_lineage_is_reported() -> None:
    reported: list[str] = []
    lineage = ColumnLineage(
        cast("Any", None), cast("Any", SimpleNamespace(columns=dict)), reported.append
    )

    assert lineage.of(MODEL.node, "select (") is None

    assert reported[0].startswith("no column lineage of odd: ParseError: ")
