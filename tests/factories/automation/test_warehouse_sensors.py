"""The sensors `sql` and `webhook_queue`, on the embedded warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from factories.core.dagster_internals import TickError
from factories.core.warehouse.settings import warehouse_settings
from tests.conftest import WarehouseUnderTest
from tests.factories.automation.conftest import Location


@pytest.fixture
def schema(warehouse: WarehouseUnderTest) -> Iterator[str]:
    """A schema of RAW of the test's own."""
    warehouse.rows("create or replace schema RAW.WEBHOOKS", database="RAW")
    yield "WEBHOOKS"
    warehouse.rows("drop schema RAW.WEBHOOKS", database="RAW")


@pytest.fixture
def loads(warehouse: WarehouseUnderTest, schema: str, location: Location) -> str:
    """A table, and a sensor `changed` that looks at it."""
    table = f"RAW.{schema}.LOADS"
    warehouse.rows(f"create table {table} (at timestamp, n int)", database="RAW")
    location.write(
        f"""
        sensors:
          changed:
            type: sql
            query: select coalesce(max(n), 0), count(*) from {{loads}}
            tables: {{loads: {table}}}
            selection: load
            run_config: {{ops: {{load: {{config: {{number: "{{value}}"}}}}}}}}
        """
    )
    return table


def test_a_change_of_the_result_is_one_run(
    location: Location, warehouse: WarehouseUnderTest, loads: str
) -> None:
    def look() -> list[object]:
        return [request.run_key for request in location.look("changed").run_requests]

    assert [look(), look()] == [[], []]
    warehouse.rows(f"insert into {loads} (n) values (7)", database="RAW")
    before = location.cursors["changed"]
    (first,) = location.look("changed").run_requests
    location.cursors["changed"] = before
    again = look()  # as after a daemon that was killed
    warehouse.rows(f"delete from {loads}", database="RAW")
    back = look()
    warehouse.rows(f"insert into {loads} (n) values (7)", database="RAW")
    forth = look()

    assert again == [first.run_key]
    assert len({first.run_key, *back, *forth}) == 3
    assert look() == []
    assert first.tags["dp/cause"] == "the query's result has changed: 7"
    (loaded,) = location.run("changed", first).asset_materializations_for_node("load")
    assert loaded.metadata["number"].value == 7


def test_rows_of_any_type_are_compared_and_their_order_only_where_the_query_gives_one(
    location: Location, warehouse: WarehouseUnderTest, loads: str
) -> None:
    def write(order: str) -> None:
        query = f"select n / 4::number(9, 2), at, null from {{loads}} {order}"
        location.write(
            f"""
            sensors:
              changed:
                type: sql
                query: {query}
                tables: {{loads: {loads}}}
                selection: load
                tags: {{n: "{{value}}"}}
            """
        )

    def put_again(*numbers: int) -> None:
        warehouse.rows(f"delete from {loads}", database="RAW")
        for n in numbers:
            insert = f"insert into {loads} select '2024-01-02 03:04:05.678'::timestamp, {n}"
            warehouse.rows(insert, database="RAW")

    put_again(2, 3)
    write("")
    location.look("changed")
    put_again(3, 2)
    assert location.look("changed").run_requests == []
    write("order by n desc")
    location.look("changed")
    write("order by n")
    (request,) = location.look("changed").run_requests
    assert float(request.tags["n"]) == 0.5


def test_a_query_that_fails_is_one_sentence_and_loses_nothing(
    location: Location, warehouse: WarehouseUnderTest, loads: str
) -> None:
    location.look("changed")
    warehouse.rows(f"insert into {loads} (n) values (1)", database="RAW")
    warehouse.rows(f"alter table {loads} rename to RAW.WEBHOOKS.AWAY", database="RAW")
    with pytest.raises(TickError) as error:
        location.look("changed")
    warehouse.rows(f"alter table RAW.WEBHOOKS.AWAY rename to {loads}", database="RAW")

    assert "The sensor changed cannot look, and tries again: the warehouse says:" in str(
        error.value
    )
    assert "\n" not in str(error.value)
    assert len(location.look("changed").run_requests) == 1


def test_a_warehouse_that_cannot_be_reached_is_one_sentence_without_secrets(
    location: Location, loads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    location.look("changed")
    reachable = warehouse_settings()
    closed = replace(reachable, port=1, login_timeout=1)
    monkeypatch.setattr("factories.automation.sensors.warehouse.warehouse_settings", lambda: closed)
    with pytest.raises(TickError) as error:
        location.look("changed")
    assert "the warehouse at 127.0.0.1:1 cannot be reached: " in str(error.value)
    assert str(reachable.password) not in str(error.value)
    assert "\n" not in str(error.value)
    monkeypatch.setattr(
        "factories.automation.sensors.warehouse.warehouse_settings", lambda: reachable
    )
    assert location.look("changed").skip_message == "The query's result has not changed."


@pytest.fixture
def events(warehouse: WarehouseUnderTest, schema: str, location: Location) -> str:
    """A queue, and a sensor `events` that takes two rows at once."""
    table = f"RAW.{schema}.EVENTS"
    warehouse.rows(
        f"create table {table} (id int, payload variant, acknowledged_at timestamp)", database="RAW"
    )
    location.write(
        f"""
        sensors:
          events:
            type: webhook_queue
            table: {table}
            rows_per_tick: 2
            selection: load
            tags: {{kind: "{{payload.kind}}"}}
            run_config: {{ops: {{load: {{config: {{payload: "{{payload}}"}}}}}}}}
        """
    )
    return table


def put(warehouse: WarehouseUnderTest, table: str, *rows: tuple[int, str]) -> None:
    for number, payload in rows:
        warehouse.rows(
            f"insert into {table} (id, payload) select {number}, parse_json('{payload}')",
            database="RAW",
        )


def open_rows(warehouse: WarehouseUnderTest, table: str) -> list[object]:
    found = warehouse.rows(
        f"select id from {table} where acknowledged_at is null order by id", database="RAW"
    )
    return [number for (number,) in found]


def test_each_row_is_run_once_in_order_and_acknowledged_when_it_was(
    location: Location, warehouse: WarehouseUnderTest, events: str
) -> None:
    put(warehouse, events, *[(n, f'{{"kind": "order", "n": {n}}}') for n in (3, 1, 2)])
    first = location.look("events").run_requests
    lost = location.look("events").run_requests  # none of the runs has been made
    for request in first:
        assert location.run("events", request).success
    opened = open_rows(warehouse, events)
    second = location.look("events").run_requests
    for request in second:
        location.run("events", request)
    last = location.look("events")

    assert [request.run_key for request in first] == [f"{events}:1", f"{events}:2"]
    assert [request.run_key for request in lost] == [request.run_key for request in first]
    assert opened == [1, 2, 3]
    assert [request.run_key for request in second] == [f"{events}:3"]
    assert second[0].tags["kind"] == "order"
    assert second[0].tags["dp/cause"] == f"row 3 of {events}"
    assert second[0].run_config["ops"]["load"]["config"]["payload"] == {"kind": "order", "n": 3}
    assert (last.run_requests, last.skip_message) == ([], "1 rows acknowledged.")
    assert open_rows(warehouse, events) == []
    assert location.look("events").skip_message == "No new row."


def test_a_row_of_which_no_run_can_be_made_is_told_and_holds_the_order(
    location: Location, warehouse: WarehouseUnderTest, events: str
) -> None:
    put(warehouse, events, (1, '{"kind": "order"}'), (2, '{"knd": "order"}'))
    (request,) = location.look("events").run_requests
    location.run("events", request)

    with pytest.raises(TickError, match=r"row 2 of .*EVENTS: \{payload.kind\}: there is no 'kind'"):
        location.look("events")
    assert open_rows(warehouse, events) == [2]
    put(warehouse, events, (3, '{"kind": "late"}'))
    warehouse.rows(f"update {events} set acknowledged_at = current_timestamp() where id = 2")
    assert [r.tags["kind"] for r in location.look("events").run_requests] == ["late"]


def test_a_row_that_is_there_twice_is_refused(
    location: Location, warehouse: WarehouseUnderTest, events: str
) -> None:
    put(warehouse, events, (1, '{"kind": "a"}'), (1, '{"kind": "b"}'))
    with pytest.raises(TickError, match="id is 1 in more than one row"):
        location.look("events")
