"""What of snowflake-connector-python is not public, in one place.

The test beside it fails by name when an upgrade changes one of these.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Mapping
from typing import Any


def abandon_connection(connection: Any) -> None:
    """Leave a session whose server no longer answers to the server.

    Args:
        connection: The connector's; it is not to be used any more, nor closed. Closing it, which
            the connector also does when the process ends, would wait for the server once more.
    """
    atexit.unregister(connection._close_at_exit)  # noqa: SLF001 - see above


def refuse_requests(url: str, reason: str) -> None:
    """Let this process's connections to a server fail at their next request, or at its repetition.

    A connection repeats a request to a server that is gone for as long as a statement may take:
    threads that wait for it would keep the process from ending.

    Args:
        url: The server's address.
        reason: The text of the error.
    """
    network = sys.modules.get("snowflake.connector.network")
    if network is None:  # nothing has connected
        return

    def refuse(**_: Any) -> None:
        raise network.OperationalError(msg=reason)

    for found in gc.get_objects():
        if type(found) is network.SnowflakeRestful and found.server_url == url.rstrip("/"):
            found._request_exec = refuse  # noqa: SLF001 - see above


def set_default_timeouts(timeouts: Mapping[str, int]) -> None:
    """Give this process's connections timeouts where whoever opens them gives none.

    Args:
        timeouts: By the connector's names.
    """
    from snowflake.connector.connection import DEFAULT_CONFIGURATION  # noqa: PLC0415 - 0.4 s

    for name, seconds in timeouts.items():
        _, kinds = DEFAULT_CONFIGURATION[name]
        DEFAULT_CONFIGURATION[name] = (seconds, kinds)
