"""The environment of a dbt process: what `profiles.yml` and the macros read of a target."""

from __future__ import annotations

import getpass
import json
import os

from factories.core.warehouse.settings import WarehouseSettings, client_environment
from factories.core.yaml.variables import target
from factories.dbt.program import TIMEOUTS

# Parsing connects to nothing, but `profiles.yml` must find what it names.
PLACEHOLDER = WarehouseSettings(
    account="none",
    user="none",
    password="none",  # noqa: S106 - no password
    host="localhost",
    port=1,
    protocol="http",
)
# dbt keeps what is named so out of its logs and artifacts.
SECRET = "DBT_ENV_SECRET_"  # noqa: S105 - a prefix
# Where the server is, when not where the account's name says: in a profile they have defaults, so
# that no value is not the same as an empty one.
OF_THE_SERVER = ("SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL")
# What of a model is built, and with which output of the profile, says the run or DP_TARGET. dbt
# would read each from the environment, and no option prevents that.
OF_THE_RUN = (
    "EMPTY",
    "EVENT_TIME_END",
    "EVENT_TIME_START",
    "EXCLUDE_RESOURCE_TYPES",
    "FULL_REFRESH",
    "PROFILE",
    "RESOURCE_TYPES",
    "SAMPLE",
    "TARGET",
)
PREFIXES = ("DBT_", "DBT_ENGINE_")  # dbt's older and newer names


def dbt_environment(settings: WarehouseSettings) -> dict[str, str | None]:
    """Return the variables that a dbt process gets beside those of its parent.

    None removes a variable. What the target's connection lacks must not come from the parent's
    environment: a person's own login, for another server.
    """
    given: dict[str, object] = {
        "SNOWFLAKE_ACCOUNT": settings.account,
        "SNOWFLAKE_USER": settings.user,
        f"{SECRET}SNOWFLAKE_PASSWORD": settings.password,
        "SNOWFLAKE_PRIVATE_KEY_PATH": settings.private_key_path,
        f"{SECRET}SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": settings.private_key_passphrase,
        "SNOWFLAKE_AUTHENTICATOR": settings.authenticator,
        "SNOWFLAKE_ROLE": settings.role,
        "SNOWFLAKE_WAREHOUSE": settings.warehouse,
        "SNOWFLAKE_HOST": settings.host,
        "SNOWFLAKE_PORT": settings.port,
        "SNOWFLAKE_PROTOCOL": settings.protocol,
        # The project's macros name databases and schemas as `WarehouseNames` does.
        "DP_TARGET": target(),
    }
    if target() == "dev":  # the macros cannot ask the system who it is
        given["DP_SCHEMA_SUFFIX"] = os.environ.get("DP_SCHEMA_SUFFIX") or getpass.getuser()
    return {
        **dict.fromkeys(f"{prefix}{name}" for prefix in PREFIXES for name in OF_THE_RUN),
        **client_environment(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        TIMEOUTS: json.dumps(settings.connector_timeouts),
        **{name: _text(name, value) for name, value in given.items()},
    }


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None if name in OF_THE_SERVER else ""
    return str(value)
