"""What a team's own asset annotates a parameter with to get one of the default resources.

The classes themselves do as well, but a module that imports `dagster_snowflake` costs each load of
its code location, and each of its steps, 2.7 s of CPU; these cost nothing. A type checker sees the
classes.

Example:
    >>> import dagster as dg
    >>> from factories import SnowflakeResource
    >>> @dg.asset
    ... def airlines(snowflake: SnowflakeResource) -> None:
    ...     with snowflake.get_connection() as connection:
    ...         connection.cursor().execute("select 1")
    >>> sorted(airlines.required_resource_keys - {"io_manager"})
    ['snowflake']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from dagster_snowflake import SnowflakeResource
    from snowflake.snowpark import Session as SnowparkSession
else:
    SnowflakeResource = dg.ResourceParam[Any]
    SnowparkSession = dg.ResourceParam[Any]

__all__ = ["SnowflakeResource", "SnowparkSession"]
