"""The sensor `sql`: runs after the result of a query has changed."""

from __future__ import annotations

import json
import re
import uuid

import dagster as dg

from factories.automation.sensor_schema import SqlSensor
from factories.automation.sensors.tick import Look, SourceError, Tick, skip
from factories.automation.sensors.warehouse import open_warehouse, relation_of
from factories.automation.templates import render
from factories.core.meta.names import canonical_json, digest
from factories.core.warehouse.names import warehouse_names

MOST_ROWS = 1000
ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def look_for_change(item: SqlSensor) -> Look:
    """Return what a sensor of a query does at each tick."""

    def look(tick: Tick) -> dg.SensorResult:
        names = warehouse_names()
        tables = {name: relation_of(table, names).sql for name, table in item.tables.items()}
        with open_warehouse(tick) as warehouse:
            rows = warehouse.rows(str(render(item.query, tables)), at_most=MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise SourceError(f"the query has more than {MOST_ROWS:,} rows: let it aggregate them")
        texts = [canonical_json(list(row)) for row in rows]
        if not ORDERED.search(item.query):
            texts.sort()  # a warehouse gives the same rows in any order
        result = digest(f"[{', '.join(texts)}]")
        if tick.context.cursor is None:
            # What begins the chain is kept before there is any run: no other chain has its keys.
            start = {"result": result, "chain": uuid.uuid4().hex, "changes": 0}
            return skip("Looks for a change of the result from now on.", json.dumps(start))
        kept = json.loads(tick.context.cursor)
        if kept["result"] == result:
            return skip("The query's result has not changed.", tick.context.cursor)
        # A result that was there before is a change too: the key says which change it is.
        chain, changes = kept["chain"], kept.get("changes", 0) + 1
        value = rows[0][0] if rows else None
        shown = "" if value is None else f": {value}"
        request = tick.requests.request(
            f"{chain}:{changes}",
            f"the query's result has changed{shown}",
            values={"value": _plain(value)},
        )
        cursor = json.dumps({"result": result, "chain": chain, "changes": changes})
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return look


def _plain(value: object) -> object:
    """Return a value as run config may hold it."""
    return value if isinstance(value, bool | int | float | str | None) else str(value)
