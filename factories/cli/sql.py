"""`dp sql`: one statement on the target's warehouse."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from factories.core.local_systems import LocalSystemError
from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import (
    WarehouseSettings,
    WarehouseSettingsError,
    client_environment,
    warehouse_settings,
)
from factories.core.warehouse.watchdog import (
    WarehouseLostError,
    interrupt_when_warehouse_is_lost,
)


class SqlFailedError(Exception):
    """The statement cannot be run; the text says why."""


@dataclass(frozen=True)
class SqlResult:
    """A statement's result: the columns' names and the rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def run_statement(statement: str, database: str) -> SqlResult:
    """Run one statement and fetch its rows.

    Raises:
        SqlFailedError: When a setting is missing or the warehouse refuses the statement.
    """
    os.environ.update(client_environment())  # this process is `dp sql`, and nothing else
    import snowflake.connector  # noqa: PLC0415 - 0.4 s that other commands need not pay

    try:
        settings = warehouse_settings()
    except (LocalSystemError, WarehouseSettingsError) as error:
        raise SqlFailedError(str(error)) from None
    try:
        with interrupt_when_warehouse_is_lost(settings) as watch:
            return _run_statement(settings, statement, warehouse_names().database(database))
    except WarehouseLostError as error:
        raise SqlFailedError(str(error)) from None
    except snowflake.connector.errors.Error as error:
        lost = watch.ask_after_failure()
        raise SqlFailedError("\n".join(filter(None, [lost, str(error)]))) from None


def _run_statement(settings: WarehouseSettings, statement: str, database: str) -> SqlResult:
    connection = settings.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            columns = [column.name for column in cursor.description or ()]
            result = SqlResult(columns, [tuple(row) for row in cursor.fetchall()])
    except WarehouseLostError:
        abandon_connection(connection)
        raise
    except BaseException:
        connection.close()
        raise
    connection.close()
    return result


def print_result(result: SqlResult, console: Console, *, as_json: bool) -> None:
    """Print rows as a table, or as a JSON list of objects."""
    if as_json:
        objects = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        console.print_json(json.dumps(objects, default=str))
        return
    table = Table(*result.columns)
    for row in result.rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)
