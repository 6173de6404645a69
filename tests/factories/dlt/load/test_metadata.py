"""What a materialization tells, compared with the warehouse; what a long load tells meanwhile."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from factories.dlt.load import log
from factories.dlt.load.metadata import MOST_RECORDS
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

MODULE = """
    def orders(rows):
        yield rows
"""


def load(project: Project, rows: object, disposition: str = "append") -> dict[str, Any]:
    project.module(MODULE)
    project.pipeline(f"""
        source: {{python: "shop:orders", args: {{rows: {rows}}}}}
        resources: {{orders: {{write_disposition: {disposition}}}}}
    """)
    result = project.run()
    assert result.success, project.failure()
    return materialized(result)["orders"]


def records(value: Any) -> list[tuple[Any, ...]]:
    assert isinstance(value, list) or value.records
    return [tuple(record.data.values()) for record in value.records]


NESTED = [
    {"id": 1, "lines": [{"sku": 1, "lots": [{"lot": "a"}, {"lot": "b"}]}, {"sku": 2}]},
    {"id": 2, "lines": [{"sku": 3, "lots": [{"lot": "c"}]}]},
]


def test_rows_of_each_table_are_those_of_the_warehouse(project: Project) -> None:
    found = load(project, NESTED)

    loaded = dict(records(found["dlt/rows_by_table"]))
    assert loaded == {"orders": 2, "orders__lines": 3, "orders__lines__lots": 3}
    for table, count in loaded.items():
        assert project.count(table) == count
    assert found["rows_loaded"] == found["dagster/row_count"] == 2
    assert found["orders__lines/row_count"] == 3
    assert found["orders__lines__lots/row_count"] == 3
    assert found["orders__lines__lots/table_name"] == (
        f"RAW.{project.dataset.upper()}.ORDERS__LINES__LOTS"
    )

    again = load(project, [{"id": 3}])

    assert dict(records(again["dlt/rows_by_table"])) == {
        "orders": 1,
        "orders__lines": 0,
        "orders__lines__lots": 0,
    }
    assert again["dagster/row_count"] == 3
    assert again["orders__lines/row_count"] == project.count("orders__lines") == 3


def test_columns_are_those_of_the_warehouse(project: Project) -> None:
    found = load(project, NESTED)

    for key, table in (("dagster", "ORDERS"), ("orders__lines__lots", "ORDERS__LINES__LOTS")):
        columns = found[f"{key}/column_schema"].columns
        described = project.rows(
            "select column_name, data_type from RAW.information_schema.columns"
            f" where table_schema = upper('{{d}}') and table_name = '{table}'"
            " order by ordinal_position"
        )
        assert [(column.name, column.type) for column in columns] == described


def test_load_id_and_speed(project: Project) -> None:
    found = load(project, NESTED)

    loads = project.rows("select load_id from {d}._dlt_loads where status = 0")
    assert loads == [(found["dlt/load_id"],)]
    assert project.rows("select distinct _dlt_load_id from {d}.orders") == loads
    assert found["seconds"] > 0
    # Of all tables; the seconds shown are rounded.
    assert found["rows_per_second"] == pytest.approx(8 / found["seconds"], abs=1)


def test_new_tables_and_columns_are_reported(project: Project) -> None:
    first = load(project, [{"id": 1}])
    second = load(project, [{"id": 2, "note": "x", "lines": [{"sku": 1}]}])
    third = load(project, [{"id": 3, "lines": [{"sku": 1, "price": 1.5}]}])
    fourth = load(project, [{"id": 4}])

    assert first["dlt/new_tables"] == "orders"
    assert "dlt/new_columns" not in first  # the table's schema tells them all
    assert second["dlt/new_tables"] == "orders__lines"
    assert records(second["dlt/new_columns"]) == [("orders", "note", "text")]
    assert "dlt/new_tables" not in third
    assert records(third["dlt/new_columns"]) == [("orders__lines", "price", "double")]
    assert not {"dlt/new_tables", "dlt/new_columns"} & set(fourth)


def test_very_many_new_columns_are_counted(project: Project) -> None:
    load(project, [{"id": 1}])

    found = load(project, [{"id": 1, **{f"c{n:03}": n for n in range(300)}}])

    reported = records(found["dlt/new_columns"])
    assert len(reported) == MOST_RECORDS + 1
    assert reported[0] == ("orders", "c000", "bigint")
    assert reported[-1] == ("and 200 more", None, None)
    assert len(found["dagster/column_schema"].columns) == 303


def test_long_load_reports_how_far_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PROGRESS_SECONDS", 0.0)
    project.module("""
        def orders():
            for page in range(3):
                yield [{"id": page * 1000 + n} for n in range(1000)]
    """)
    project.pipeline('source: {python: "shop:orders"}\nresources: {orders: {}}')

    assert project.run().success

    lines = project.messages().splitlines()
    for count in ("1,000", "2,000", "3,000"):
        assert any(line.startswith("extract: ") and f"orders {count}" in line for line in lines), (
            lines
        )
    assert any(line.startswith("normalize: ") and "orders 3,000" in line for line in lines)
    assert any(line.startswith("load: ") for line in lines)


def test_keys_are_those_of_the_other_factories(project: Project) -> None:
    found = load(project, [{"id": 1}])

    assert {"rows_loaded", "seconds", "rows_per_second"} <= set(found)
    assert {"dagster/row_count", "dagster/table_name", "dagster/column_schema"} <= set(found)
    assert isinstance(found["dagster/column_schema"], dg.TableSchema)
