"""Schema contracts: what they keep out, and what a run says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

FIRST = [{"id": 1, "amount": 5, "lines": [{"sku": 1}]}, {"id": 2, "amount": 6, "lines": []}]


def orders(
    project: Project, rows: object, contract: str = "", *, kind: str = "", more: str = ""
) -> None:
    """A pipeline that appends these rows to ORDERS; as Arrow tables with kind `arrow`."""
    project.module("""
        import dlt
        import pyarrow as pa

        def orders(pages):
            yield from pages

        def arrow(pages):
            for page in pages:
                yield pa.Table.from_pylist(page)
    """)
    function = "arrow" if kind else "orders"
    project.pipeline(f"""
        source: {{python: "shop:{function}", args: {{pages: {rows}}}}}
        {more}
        resources:
          orders:
            write_disposition: append
            {f"schema_contract: {contract}" if contract else ""}
    """)


def find_refused(found: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    if "dlt/refused" not in found:
        return set()
    return {tuple(record.data.values()) for record in found["dlt/refused"].records}


def refused_rows(found: dict[str, Any]) -> int:
    return int(found.get("dlt/refused_rows", 0))


def run(project: Project) -> dict[str, Any]:
    result = project.run()
    assert result.success, project.failure()
    return materialized(result)["orders"]


NEW_COLUMN: list[dict[str, Any]] = [
    {"id": 3, "amount": 1, "note": "x"},
    {"id": 4, "amount": 2},
    {"id": 5, "amount": 3, "note": "y"},
]


@pytest.mark.parametrize("kind", ["", "arrow"])
@pytest.mark.parametrize(
    ("mode", "ids", "rows"), [("discard_row", {1, 2, 4}, 2), ("discard_value", {1, 2, 3, 4, 5}, 0)]
)
def test_new_column_is_refused(
    mode: str, ids: set[int], rows: int, kind: str, project: Project
) -> None:
    first = [[{"id": 1, "amount": 5}], [{"id": 2, "amount": 6}]]
    orders(project, first, kind=kind)
    run(project)
    orders(project, [NEW_COLUMN], f"{{columns: {mode}}}", kind=kind)

    found = run(project)

    assert find_refused(found) == {("orders", "columns", "note", mode)}
    assert refused_rows(found) == rows
    assert found["rows_loaded"] == len(ids) - 2
    assert {row[0] for row in project.rows("select id from {d}.orders")} == ids
    assert "NOTE" not in [column.name for column in found["dagster/column_schema"].columns]
    assert f"orders: the schema contract refused orders.note ({mode})" in project.messages()
    assert ("rows of orders: 2" in project.messages()) == bool(rows)


@pytest.mark.parametrize("kind", ["", "arrow"])
def test_freeze_fails_with_table_column_and_mode_and_loads_nothing(
    kind: str, project: Project
) -> None:
    orders(project, [[{"id": 1, "amount": 5}]], kind=kind)
    run(project)
    orders(project, [[{"id": 2, "amount": 6}], NEW_COLUMN], "{columns: freeze}", kind=kind)

    result = project.run()

    assert not result.success
    assert "the schema contract refuses it: orders.note (columns: freeze)" in project.failure()
    assert len(project.failure().splitlines()) == 2
    assert project.rows("select id from {d}.orders") == [(1,)]


@pytest.mark.parametrize(
    ("mode", "ids", "rows"), [("discard_row", {1, 2, 5}, 2), ("discard_value", {1, 2, 3, 4, 5}, 0)]
)
def test_value_of_another_type_is_refused(
    mode: str, ids: set[int], rows: int, project: Project
) -> None:
    orders(project, [FIRST])
    run(project)
    page = [{"id": 3, "amount": "many"}, {"id": 4, "amount": "few"}, {"id": 5, "amount": "7"}]
    orders(project, [page], f"{{data_type: {mode}}}")

    found = run(project)

    assert find_refused(found) == {("orders", "columns", "amount__v_text", mode)}
    assert refused_rows(found) == rows
    loaded = project.rows("select id, amount from {d}.orders order by id")
    assert {row[0] for row in loaded} == ids
    assert (5, 7) in loaded  # a text that is a number is one
    assert rows or (3, None) in loaded


@pytest.mark.parametrize(
    ("mode", "numbers", "rows"), [("discard_row", [3], 2), ("discard_value", [2, 3, 4], 0)]
)
def test_new_column_of_a_child_table_is_refused_with_its_rows(
    mode: str, numbers: list[int], rows: int, project: Project
) -> None:
    orders(project, [FIRST])
    run(project)
    lines = [{"sku": 2, "n": 1}, {"sku": 3}, {"sku": 4, "n": 5, "parts": [{"p": 1}]}]
    orders(project, [[{"id": 3, "amount": 3, "lines": lines}]], f"{{columns: {mode}}}")

    found = run(project)

    assert find_refused(found) == {("orders__lines", "columns", "n", mode)}
    assert refused_rows(found) == rows
    skus = project.rows("select sku from {d}.orders__lines where sku > 1 order by sku")
    assert [sku for (sku,) in skus] == numbers
    assert found["rows_loaded"] == 1
    # The rows below a refused one go with it.
    assert project.has_table("orders__lines__parts") == (mode == "discard_value")


@pytest.mark.parametrize("mode", ["discard_row", "discard_value"])
def test_new_child_table_is_refused(mode: str, project: Project) -> None:
    orders(project, [FIRST])
    run(project)
    tagged = [{"id": n, "amount": 3, "tags": [{"t": 1}, {"t": 2}]} for n in (3, 4)]
    orders(project, [tagged], f"{{tables: {mode}}}")

    found = run(project)

    assert find_refused(found) == {("orders__tags", "tables", "orders__tags", mode)}
    assert refused_rows(found) == 4
    assert found["rows_loaded"] == 2
    assert not project.has_table("orders__tags")
    assert "refused table orders__tags" in project.messages()


@pytest.mark.parametrize("kind", ["", "arrow"])
def test_new_table_is_refused_with_all_its_rows(kind: str, project: Project) -> None:
    orders(project, [NEW_COLUMN, NEW_COLUMN], "{tables: discard_row}", kind=kind)

    found = run(project)

    assert find_refused(found) == {("orders", "tables", "orders", "discard_row")}
    assert refused_rows(found) == 6
    assert found["rows_loaded"] == 0
    assert not project.has_table("orders")


@pytest.mark.parametrize(
    ("contract", "row", "output"),
    [
        ("data_type", {"id": 2, "amount": "many"}, "orders.amount__v_text (data_type: freeze)"),
        ("columns", {"id": 2, "lines": [{"n": 1}]}, "orders__lines.n (columns: freeze)"),
        ("tables", {"id": 2, "tags": [{"n": 1}]}, "orders__tags (tables: freeze)"),
    ],
)
def test_freeze_names_what_it_refuses(
    contract: str, row: dict[str, object], output: str, project: Project
) -> None:
    orders(project, [FIRST])
    run(project)
    orders(project, [[{"id": 3}, row]], f"{{{contract}: freeze}}")

    assert not project.run().success

    assert f"orders: normalize: the schema contract refuses it: {output}" in project.failure()
    assert project.count("orders") == 2


def test_arrow_tables_may_lack_a_refused_column(project: Project) -> None:
    orders(project, [[{"id": 1}]], kind="arrow")
    run(project)
    pages = [[{"id": 2, "x": 1}], [{"id": 4}], [{"id": 5, "x": 1}]]
    orders(project, pages, "{columns: discard_row}", kind="arrow")

    found = run(project)

    assert refused_rows(found) == 2
    assert project.rows("select id from {d}.orders order by id") == [(1,), (4,)]


def test_arrow_values_of_another_type_are_refused(project: Project) -> None:
    orders(project, [[{"id": 1, "amount": 5}]], kind="arrow")
    run(project)
    orders(project, [[{"id": 2, "amount": "many"}]], "{data_type: discard_row}", kind="arrow")

    found = run(project)

    assert find_refused(found) == {("orders", "columns", "amount", "discard_row")}
    assert refused_rows(found) == 1
    assert project.count("orders") == 1


@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_processes_that_normalize_tell_what_they_refuse(start: str, project: Project) -> None:
    workers = f"config: {{normalize: {{workers: 2, start_method: {start}}}}}"
    orders(project, [FIRST])
    run(project)
    page = [row | {"lines": [{"n": 1}, {"sku": 1}]} for row in NEW_COLUMN]
    orders(project, [page], "{columns: discard_row}", more=workers)

    found = run(project)

    assert find_refused(found) == {
        ("orders", "columns", "note", "discard_row"),
        ("orders__lines", "columns", "n", "discard_row"),
    }
    assert refused_rows(found) == 3
    assert found["rows_loaded"] == 1

    orders(project, [page], "freeze", more=workers)
    assert not project.run().success
    for output in ("Table: `orders`", "Column: `note`", "`contract_mode=freeze`"):
        assert output in project.failure()
    assert "Traceback" not in project.failure()


def test_rows_that_a_cursor_or_a_merge_leaves_out_are_not_refused(project: Project) -> None:
    project.module("""
        import pyarrow as pa

        def orders(rows):
            yield rows

        def arrow(rows):
            yield pa.Table.from_pylist(rows)
    """)
    text = """
        source: {python: "shop:%s", args: {rows: %s}}
        resources:
          orders:
            write_disposition: merge
            primary_key: id
            schema_contract: {columns: discard_row}
            incremental: {cursor_path: at}
    """
    for function in ("orders", "arrow"):
        dataset = project.dataset = f"{project.dataset}_{function}"
        project.pipeline(text % (function, [{"id": n, "at": n} for n in range(5)]))
        run(project)
        rows = [{"id": 8, "at": 8, "note": "x"}, *({"id": n, "at": n} for n in (1, 2, 6, 6, 7))]
        project.pipeline(text % (function, rows))

        found = run(project)

        assert refused_rows(found) == 1, dataset
        assert find_refused(found) == {("orders", "columns", "note", "discard_row")}
        assert project.count("orders") == 7


def test_rows_of_an_api_are_refused(project: Project, weather_url: str) -> None:
    text = """
        source:
          rest_api:
            client: {base_url: "%s", paginator: {type: single_page}}
            resources:
              - name: stations
                endpoint: {path: stations, data_selector: %s}
        resources: {stations: {table_name: orders, schema_contract: %s}}
    """
    # At first the page itself, which lies around the stations: it is one row.
    project.pipeline(text % (weather_url, "$", "evolve"))
    assert project.run().success
    project.pipeline(text % (weather_url, "data", "{columns: discard_row}"))

    found = run(project)

    assert {name for _, _, name, _ in find_refused(found)} == {"origin", "name", "lat", "lon"}
    assert refused_rows(found) == 3
    assert found["rows_loaded"] == 0


def test_contract_that_is_taken_away_no_longer_holds(project: Project) -> None:
    orders(project, [[{"id": 1}]])
    run(project)
    orders(project, [[{"id": 1}]], "freeze")
    run(project)
    orders(project, [[{"id": 2, "note": "x"}]])

    found = run(project)

    assert found["rows_loaded"] == 1
    assert not find_refused(found)


def test_contract_of_a_source_in_python_stays(project: Project) -> None:
    project.module("""
        import dlt

        @dlt.resource(schema_contract={"columns": "discard_value"})
        def orders(row):
            yield row
    """)
    text = 'source: {python: "shop:orders", args: {row: %s}}\nresources: {orders: {}}'
    project.pipeline(text % {"id": 1})
    run(project)
    project.pipeline(text % {"id": 2, "note": "x"})

    assert find_refused(run(project)) == {("orders", "columns", "note", "discard_value")}
