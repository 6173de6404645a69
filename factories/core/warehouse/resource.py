"""Dagster's `SnowflakeResource` for the target's warehouse.

Imports dagster-snowflake, which costs 2.7 s: a lazy resource does that in the step that asks.
"""

from __future__ import annotations

from dagster_snowflake import SnowflakeResource

from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import QUERY_TAG, warehouse_settings

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


def create_snowflake_resource(names: WarehouseNames) -> SnowflakeResource:
    """Return the resource that connects to the target's warehouse.

    Args:
        names: How the target's databases and schemas are called.

    Raises:
        StepStartError: When the environment lacks what is needed to reach the target.
    """
    arguments = warehouse_settings().connector_arguments()
    fields = {FIELDS[name]: arguments.pop(name) for name in FIELDS if name in arguments}
    return SnowflakeResource(
        **fields,
        database=names.database(RAW),
        additional_snowflake_connection_args={
            **arguments,  # the host, port and protocol of the embedded server
            "session_parameters": {"QUERY_TAG": QUERY_TAG},
        },
    )
