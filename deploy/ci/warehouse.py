"""A session with the warehouse, for the workflows' own statements."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from deploy.ci.command import CommandError, needed, say
from factories.core.local_systems import LocalSystemError
from factories.core.warehouse.settings import (
    WarehouseConnection,
    WarehouseSettings,
    WarehouseSettingsError,
    client_environment,
    warehouse_settings,
)

WORKLOAD_IDENTITY = "WORKLOAD_IDENTITY"
AUDIENCE = "snowflakecomputing.com"  # whom GitHub's token is for
TIMEOUT_SECONDS = 30


class Warehouse:
    """Runs statements, says each, and names the one that fails."""

    def __init__(self, connection: WarehouseConnection) -> None:
        """Take an open session."""
        self._connection = connection

    def change(self, statement: str) -> None:
        """Run a statement that changes something, and say it first.

        Raises:
            CommandError: When the warehouse refuses it.
        """
        say(f"{statement};")
        self.ask(statement)

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """Run a statement, and return its rows by the names of the columns.

        Raises:
            CommandError: When the warehouse refuses it.
        """
        from snowflake.connector.errors import Error  # noqa: PLC0415 - costs 0.4 s

        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except Error as error:
            raise CommandError(
                f"the warehouse refused `{statement}`: {error.raw_msg or error.msg}"
            ) from None
        finally:
            cursor.close()


@contextmanager
def open_warehouse() -> Iterator[Warehouse]:
    """Log in to the target's warehouse: with a key pair, or with what GitHub says of the workflow.

    Raises:
        CommandError: When a setting is missing, or the warehouse does not let it in.
    """
    os.environ.update(client_environment())  # this process is the command, and nothing else
    from snowflake.connector.errors import Error  # noqa: PLC0415 - reads the environment

    try:
        settings = warehouse_settings()
        connection = _connect(settings)
    except (LocalSystemError, WarehouseSettingsError) as error:
        raise CommandError(str(error)) from None
    except Error as error:
        raise CommandError(f"the warehouse did not let {settings.user} in: {error.msg}") from None
    try:
        yield Warehouse(connection)
    finally:
        connection.close()


def uses_workload_identity(settings: WarehouseSettings) -> bool:
    """Tell whether GitHub says who the workflow is, in place of a key pair."""
    return (settings.authenticator or "").upper() == WORKLOAD_IDENTITY


def _connect(settings: WarehouseSettings) -> WarehouseConnection:
    if not uses_workload_identity(settings):
        return settings.connect("")
    import snowflake.connector  # noqa: PLC0415 - costs 0.4 s

    connection: WarehouseConnection = snowflake.connector.connect(
        **settings.connector_arguments(),
        workload_identity_provider="OIDC",
        token=identity_token(AUDIENCE),
        session_parameters=settings.session_parameters(),
    )
    return connection


def identity_token(audience: str) -> str:
    """Return GitHub's signed word on which workflow this is.

    Raises:
        CommandError: When the job may not ask for it, or GitHub does not give it.
    """
    why = "the job needs `permissions: {id-token: write}`"
    url = needed("ACTIONS_ID_TOKEN_REQUEST_URL", why)
    token = needed("ACTIONS_ID_TOKEN_REQUEST_TOKEN", why)
    try:
        answer = requests.get(
            url,
            params={"audience": audience},
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return str(answer.json()["value"])
    except (requests.RequestException, ValueError, KeyError) as error:
        kind = type(error).__name__
        raise CommandError(f"GitHub gave no token for {audience}: {kind}: {error}") from None
