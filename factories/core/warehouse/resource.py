"""Dagster's `SnowflakeResource` for the target's warehouse.

Imports dagster-snowflake, which costs 2.7 s: a lazy resource does that in the step that asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster_snowflake import SnowflakeResource

from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.fail_on_loss import fail_when_warehouse_is_lost
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.core.warehouse.watchdog import WarehouseLostError

# What SnowflakeResource has fields for, by the connector's names.
FIELDS = {
    "account": "account",
    "user": "user",
    "password": "password",
    "private_key_file": "private_key_path",
    "private_key_file_pwd": "private_key_password",
    "authenticator": "authenticator",
    "role": "role",
    "warehouse": "warehouse",
    "login_timeout": "login_timeout",
    "network_timeout": "network_timeout",
}
SECRETS = frozenset({"password", "private_key", "private_key_password"})


class TargetSnowflakeResource(SnowflakeResource):
    """A `SnowflakeResource` that never shows its secrets, and closes what it has opened.

    A connection sends Dagster's partner id to Snowflake as `application`, as all of Dagster's do.
    """

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield what `repr` shows: no secrets, and no fields that are not set."""
        for name, value in super().__repr_args__():
            if value is not None:
                yield name, "**********" if name in SECRETS else value

    @contextmanager
    def get_connection(self, raw_conn: bool = True) -> Iterator[Any]:
        """Open a connection; close it also when what uses it fails, which a lost warehouse does.

        dagster-snowflake 0.29.27 leaves it open then: with its locks, until Snowflake ends it.

        Args:
            raw_conn: As dagster-snowflake takes it.
        """
        with (
            fail_when_warehouse_is_lost(warehouse_settings()),
            super().get_connection(raw_conn) as connection,
        ):
            try:
                yield connection
            except WarehouseLostError:
                abandon_connection(connection)
                raise
            except BaseException:
                connection.close()
                raise


def create_snowflake_resource(names: WarehouseNames) -> SnowflakeResource:
    """Return the resource that connects to the target's warehouse.

    Args:
        names: How the target's databases and schemas are called.

    Raises:
        StepStartError: When the environment lacks what is needed to reach the target.
    """
    settings = warehouse_settings()
    arguments = settings.connector_arguments()
    fields = {FIELDS[name]: arguments.pop(name) for name in FIELDS if name in arguments}
    return TargetSnowflakeResource(
        **fields,
        database=names.database(RAW),
        additional_snowflake_connection_args={
            **arguments,  # the socket's timeout; the embedded server's host, port and protocol
            "session_parameters": settings.session_parameters(),
        },
    )
