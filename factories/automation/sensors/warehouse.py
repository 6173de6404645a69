"""What sensors ask the target's warehouse, within the time that a tick has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from factories.automation.sensors.tick import SourceError, Tick
from factories.core.warehouse.names import RAW, Relation, WarehouseNames, warehouse_names
from factories.core.warehouse.settings import (
    WarehouseConnection,
    warehouse_settings,
)

# Dagster gives up a tick after a minute, without a word of what it waited for.
LOGIN_SECONDS = 15
STATEMENT_SECONDS = 30


class Warehouse:
    """A session for one tick."""

    def __init__(self, connection: WarehouseConnection) -> None:
        """Take the session."""
        self._connection = connection

    def rows(
        self, sql: str, parameters: Sequence[Any] = (), *, at_most: int
    ) -> list[tuple[Any, ...]]:
        """Return the rows of one statement.

        Args:
            sql: The statement; `%s` stands for each parameter, when there is one.
            parameters: Their values.
            at_most: How many rows to fetch.

        Raises:
            SourceError: When the warehouse refuses it.
        """
        from snowflake.connector.errors import Error  # noqa: PLC0415 - imported when a sensor looks

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters) or None)
                return [tuple(row) for row in cursor.fetchmany(at_most)]
        except Error as error:
            raise SourceError(f"the warehouse says: {error.msg or error}") from None


@contextmanager
def open_warehouse(tick: Tick) -> Iterator[Warehouse]:
    """Open a session on the target's warehouse for one tick.

    Raises:
        SourceError: When it cannot be reached.
        StepStartError: When the environment lacks what that needs.
    """
    settings = warehouse_settings()
    tick.secrets.update(settings.secrets)
    from snowflake.connector.errors import Error  # noqa: PLC0415 - see above

    limited = replace(
        settings,
        login_timeout=min(settings.login_timeout, LOGIN_SECONDS),
        statement_timeout=min(settings.statement_timeout or STATEMENT_SECONDS, STATEMENT_SECONDS),
    )
    try:
        connection = limited.connect(warehouse_names().database(RAW))
    except Error as error:
        where = f"the warehouse at {settings.address} cannot be reached"
        raise SourceError(f"{where}: {error.msg or error}") from None
    try:
        yield Warehouse(connection)
    finally:
        connection.close()


def relation_of(table: str, names: WarehouseNames) -> Relation:
    """Return the target's table for a logical name such as RAW.WEBHOOKS.EVENTS."""
    database, schema, name = table.split(".")
    return names.relation(database, schema, name)
