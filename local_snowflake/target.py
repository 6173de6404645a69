"""The settings with which clients reach the embedded warehouse."""

from __future__ import annotations

from local_snowflake.process.lifecycle import ensure_running
from local_snowflake.process.state import HOST

ACCOUNT = "fakesnow"
USER = "dp"


def connection_settings() -> dict[str, str | int]:
    """Start the warehouse if need be and give what a client needs to log in.

    Returns:
        account, user, password, host, port, protocol, database, warehouse and role; the names are
        those of snowflake-connector-python.

    Raises:
        LocalWarehouseError: The warehouse cannot be started.
    """
    state = ensure_running()
    return {
        "account": ACCOUNT,
        "user": USER,
        "password": state.token,
        "host": HOST,
        "port": state.port,
        "protocol": "http",
        "database": "RAW",
        "warehouse": "LOCAL",
        "role": "SYSADMIN",
    }
