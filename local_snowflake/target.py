"""The connection settings of the embedded warehouse."""

from __future__ import annotations

from local_snowflake.identity import ACCOUNT, HOST
from local_snowflake.process.control import ensure_running

USER = "dp"


def connection_settings() -> dict[str, str | int]:
    """Start the warehouse if it does not run, and return what a client needs to log in.

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
