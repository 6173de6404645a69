"""The connection settings of the embedded warehouse."""

from __future__ import annotations

from local_snowflake.identity import ACCOUNT, HOST
from local_snowflake.process.control import ensure_running, find_running

USER = "dp"


def connection_settings(*, start: bool = True) -> dict[str, str | int]:
    """Start the warehouse if it does not run, and return what a client needs to log in.

    Args:
        start: Whether to start it.

    Returns:
        account, user, password, host, port, protocol, database, warehouse and role; the names are
        those of snowflake-connector-python. Nothing when it does not run, and is not to be started.

    Raises:
        LocalWarehouseError: The warehouse cannot be started.
    """
    state = ensure_running() if start else find_running()
    if state is None:
        return {}
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
