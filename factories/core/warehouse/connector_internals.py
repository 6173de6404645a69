"""What of snowflake-connector-python is not public, in one place.

The test beside it fails by name when an upgrade changes one of these.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from typing import Any


def abandon_connection(connection: Any) -> None:
    """Leave a session whose server no longer answers to the server.

    Args:
        connection: The connector's; it is not to be used any more, nor closed. Closing it, which
            the connector also does when the process ends, would wait for the server once more.
    """
    atexit.unregister(connection._close_at_exit)  # noqa: SLF001 - see above


def set_default_timeouts(timeouts: Mapping[str, int]) -> None:
    """Give this process's connections timeouts where whoever opens them gives none.

    Args:
        timeouts: By the connector's names.
    """
    from snowflake.connector.connection import DEFAULT_CONFIGURATION  # noqa: PLC0415 - 0.4 s

    for name, seconds in timeouts.items():
        _, kinds = DEFAULT_CONFIGURATION[name]
        DEFAULT_CONFIGURATION[name] = (seconds, kinds)
