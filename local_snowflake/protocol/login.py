"""Logins: from the request of a client to its session."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from fakesnow.expr import normalise_ident
from fakesnow.transforms import SERVER_VERSION

from local_snowflake.engine.layer import Layer
from local_snowflake.engine.session import Session
from local_snowflake.engine.warehouse import Warehouse
from local_snowflake.routines.handler_processes.caller_sessions import Guests

SESSION_SECONDS = 7 * 24 * 3600
WRONG_PASSWORD = "390100"  # noqa: S105 - an error code
WRONG_PASSWORD_MESSAGE = (
    "Incorrect username or password was specified. (The password of the embedded warehouse is new "  # noqa: S105 - a message
    "at each start: local_snowflake.target.connection_settings().)"
)


def open_session(
    warehouse: Warehouse,
    layer: Layer[Session],
    guests: Guests[Session],
    *,
    query: Mapping[str, str],
    data: Mapping[str, Any],
    number: int,
) -> Session:
    """Open the session that a login asks for.

    Args:
        warehouse: The database files.
        layer: The gap-fillers.
        guests: The handlers that may log in.
        query: The parameters in the request's address.
        data: The `data` of the request's body.
        number: The session's id.
    """
    parameters = data.get("SESSION_PARAMETERS") or {}
    return Session(
        secrets.token_urlsafe(32),
        warehouse,
        layer,
        guests=guests,
        database=_identifier(query.get("databaseName")),
        schema=_identifier(query.get("schemaName")),
        warehouse_name=_identifier(query.get("warehouse")),
        role_name=_identifier(query.get("roleName")),
        user=str(data.get("LOGIN_NAME", "")).upper(),
        number=number,
        parameters=parameters,
        autocommit=str(parameters.get("AUTOCOMMIT", True)).lower() != "false",
    )


def login_data(session: Session, token: str) -> dict[str, Any]:
    """Build the `data` of the response to a login.

    Args:
        session: The session.
        token: The token by which the client's requests name it.
    """
    parameters = {
        "AUTOCOMMIT": True,
        "CLIENT_SESSION_KEEP_ALIVE": False,
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_TELEMETRY_ENABLED": False,
        "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False,
        # 0: clients bind arrays in the request and not through a stage.
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
        "TIMEZONE": "Etc/UTC",
    }
    return {
        "token": token,
        "masterToken": token,
        "validityInSeconds": SESSION_SECONDS,
        "masterValidityInSeconds": SESSION_SECONDS,
        "displayUserName": session.user,
        "serverVersion": SERVER_VERSION,
        "firstLogin": False,
        "sessionId": session.number,
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse_name,
            "roleName": session.role_name,
        },
    }


def renewal_data(session: Session, token: str) -> dict[str, Any]:
    """Build the `data` of the response to the renewal of a session: its tokens stay the same."""
    return {
        "sessionToken": token,
        "masterToken": token,
        "validityInSecondsST": SESSION_SECONDS,
        "validityInSecondsMT": SESSION_SECONDS,
        "sessionId": session.number,
    }


def _identifier(name: str | None) -> str | None:
    return normalise_ident(name) if name else None
