"""Snowflake settings for a target, and what each tool needs of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from factories.core.errors import StepStartError
from factories.core.local_systems import call_entry_point
from factories.core.yaml.variables import target

LOCAL_PROVIDER = "dp.local_warehouse"
# Snowflake answers a statement that still runs after 45 seconds, and the client asks again: to a
# request that has no answer for longer than that none will come, however long the statement takes.
LOGIN_TIMEOUT = 30
NETWORK_TIMEOUT = 60
LEAST_NETWORK_TIMEOUT = 50
QUERY_TAG = "data-platform"


class WarehouseSettingsError(StepStartError):
    """The environment lacks what is needed to reach the target's Snowflake."""


class WarehouseNotRunningError(WarehouseSettingsError):
    """The embedded warehouse does not run, and was not to be started."""


class WarehouseConnection(Protocol):
    """The methods of the Python connector's connection that the factories use."""

    def cursor(self) -> Any:
        """Return a cursor."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


@dataclass(frozen=True)
class WarehouseSettings:
    """How to reach Snowflake, and as whom.

    The password never shows in `repr`, logs or error text.

    Attributes:
        login_timeout: Seconds within which a client must have logged in.
        network_timeout: Seconds within which the server must answer a request.
        statement_timeout: Seconds after which the warehouse cancels a statement; None leaves that
            to the account's parameter.
    """

    account: str
    user: str
    password: str | None = field(default=None, repr=False)
    private_key_path: str | None = None
    private_key_passphrase: str | None = field(default=None, repr=False)
    authenticator: str | None = None
    role: str | None = None
    warehouse: str | None = None
    host: str | None = None
    port: int | None = None
    protocol: str | None = None
    login_timeout: int = LOGIN_TIMEOUT
    network_timeout: int = NETWORK_TIMEOUT
    statement_timeout: int | None = None

    @property
    def address(self) -> str:
        """The server's name and port, as people know it."""
        if self.host is not None:
            return f"{self.host}:{self.port}"
        domain = "cn" if ".cn-" in self.account.lower() else "com"  # as Snowflake's drivers
        return f"{self.account}.snowflakecomputing.{domain}:443"

    @property
    def url(self) -> str:
        """The server's address, as HTTP asks for it."""
        return f"{self.protocol or 'https'}://{self.address}/"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        return tuple(s for s in (self.password, self.private_key_passphrase) if s)

    def connector_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `snowflake.connector.connect`."""
        arguments: dict[str, Any] = {
            "account": self.account,
            "user": self.user,
            "password": self.password,
            "private_key_file": self.private_key_path,
            "private_key_file_pwd": self.private_key_passphrase,
            "authenticator": self.authenticator,
            "role": self.role,
            "warehouse": self.warehouse,
            "host": self.host,
            "port": self.port,
            "protocol": self.protocol,
            **self.connector_timeouts,
            # Otherwise each login collects the names of all imported modules.
            "log_imported_packages_in_telemetry": False,
        }
        return {name: value for name, value in arguments.items() if value is not None}

    @property
    def connector_timeouts(self) -> dict[str, int]:
        """The Python connector's timeouts, by its names.

        What the connector calls `network_timeout` is none of the network alone: after that time it
        cancels a statement that runs, however well the server answers. So it is that of statements,
        and who repeats requests to a server that no longer answers is stopped from outside
        (`core.warehouse.watchdog.py`).
        """
        timeouts = {"login_timeout": self.login_timeout, "socket_timeout": self.network_timeout}
        if self.statement_timeout is not None:
            timeouts["network_timeout"] = self.statement_timeout
        return timeouts

    def session_parameters(self, tag: str = QUERY_TAG) -> dict[str, Any]:
        """Return the parameters that every session is opened with.

        Args:
            tag: What the warehouse's query history shows beside each statement.
        """
        parameters: dict[str, Any] = {"QUERY_TAG": tag}
        if self.statement_timeout is not None:
            parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = self.statement_timeout
        return parameters

    def connect(self, database: str) -> WarehouseConnection:
        """Open a session with the Python connector.

        The connector is imported here: it costs 0.4 s that a process without a query need not pay.
        """
        import snowflake.connector  # noqa: PLC0415 - see above

        connection: WarehouseConnection = snowflake.connector.connect(
            **self.connector_arguments(),
            database=database,
            session_parameters=self.session_parameters(),
        )
        return connection

    def sling_connection(self, database: str) -> str | dict[str, Any]:
        """Return what Sling takes as a connection named in the environment.

        The server and the timeouts stand in a URL, because Sling 1.4.11 passes on to its driver
        what is there, and not what is in a map. The URL names no schema: Sling would read it as
        part of the database's name.
        """
        query: dict[str, Any] = {
            "warehouse": self.warehouse,
            "role": self.role,
            "authenticator": "SNOWFLAKE_JWT" if self.private_key_path else self.authenticator,
            # The driver's own defaults are 300 seconds for a login, and no end for a request.
            "loginTimeout": self.login_timeout,
            "requestTimeout": self.network_timeout,
            "clientTimeout": self.network_timeout,  # of one try
            "STATEMENT_TIMEOUT_IN_SECONDS": self.statement_timeout,
        }
        if self.host is not None:
            query |= {
                "account": self.account,
                "protocol": self.protocol,
                "validateDefaultParameters": "false",
            }
        parameters = urlencode({key: value for key, value in query.items() if value})
        login = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}"
        url = f"snowflake://{login}@{self.address}/{database}?{parameters}"
        if self.host is not None:
            return url
        properties = {
            "type": "snowflake",
            "url": url,
            "database": database,
            "role": self.role,
            "warehouse": self.warehouse,
            "authenticator": query["authenticator"],
            "private_key_path": self.private_key_path,
            "private_key_passphrase": self.private_key_passphrase,
        }
        return {name: value for name, value in properties.items() if value is not None}

    def dlt_credentials(self, database: str) -> dict[str, Any]:
        """Return what dlt takes as credentials of its Snowflake destination."""
        server = {"host": self.host, "port": self.port, "protocol": self.protocol}
        credentials: dict[str, Any] = {
            "host": self.account,
            "username": self.user,
            "password": self.password,
            "private_key_path": self.private_key_path,
            "private_key_passphrase": self.private_key_passphrase,
            "authenticator": self.authenticator,
            "database": database,
            "role": self.role,
            "warehouse": self.warehouse,
            # Passed on to the connector unchanged. dlt's own `host` is the account, so the embedded
            # server needs these. dlt's own `query_tag` would be one more statement for every file.
            "query": {
                "session_parameters": self.session_parameters(),
                "log_imported_packages_in_telemetry": False,
                **self.connector_timeouts,
                **{name: str(value) for name, value in server.items() if value is not None},
            },
        }
        return {name: value for name, value in credentials.items() if value}


def client_environment() -> dict[str, str]:
    """Return the environment variables for a process that runs one of Snowflake's clients.

    At login the Python connector asks the cloud providers' metadata services where it runs, unless
    this variable is set. The embedded warehouse does not need that, and on a machine without these
    services one login in ten took five seconds.
    """
    return {"SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true"} if target() == "local" else {}


def warehouse_settings(
    environ: Mapping[str, str] = os.environ, *, start: bool = True
) -> WarehouseSettings:
    """Return the settings of this process's target; `local` starts the embedded warehouse.

    Args:
        environ: The environment.
        start: Whether to start it.

    Raises:
        WarehouseSettingsError: When the environment lacks a setting, all of them are named, or has
            one that cannot be used.
        WarehouseNotRunningError: When the embedded warehouse was not to be started.
        LocalSystemError: When the embedded warehouse does not start.
    """
    timeouts = _read_timeouts(environ)
    if target(environ) == "local":
        providers = entry_points(group=LOCAL_PROVIDER)
        if not providers:
            raise WarehouseSettingsError("no embedded warehouse is installed; set DP_TARGET")
        found: Mapping[str, Any] = call_entry_point(next(iter(providers)), start=start)
        if not found:
            raise WarehouseNotRunningError("the embedded warehouse does not run")
        known = WarehouseSettings.__dataclass_fields__
        return WarehouseSettings(
            **{key: val for key, val in found.items() if key in known}, **timeouts
        )
    if missing := missing_settings(environ):
        raise WarehouseSettingsError(
            f"the target {target(environ)!r} needs these environment variables:"
            f" {', '.join(missing)}"
        )
    return WarehouseSettings(
        account=environ["SNOWFLAKE_ACCOUNT"],
        user=environ["SNOWFLAKE_USER"],
        private_key_path=environ.get("SNOWFLAKE_PRIVATE_KEY_PATH"),
        private_key_passphrase=environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        authenticator=environ.get("SNOWFLAKE_AUTHENTICATOR"),
        role=environ.get("SNOWFLAKE_ROLE"),
        warehouse=environ.get("SNOWFLAKE_WAREHOUSE"),
        **timeouts,
    )


def missing_settings(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the variables that the target needs and that are not set; `local` needs none."""
    if target(environ) == "local":
        return []
    missing = [name for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not environ.get(name)]
    if not environ.get("SNOWFLAKE_PRIVATE_KEY_PATH") and not environ.get("SNOWFLAKE_AUTHENTICATOR"):
        missing.append("SNOWFLAKE_PRIVATE_KEY_PATH (or SNOWFLAKE_AUTHENTICATOR)")
    return missing


def _read_timeouts(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the timeouts that the environment sets, by the names of the fields.

    Raises:
        WarehouseSettingsError: When one cannot be used.
    """
    least = {
        "SNOWFLAKE_LOGIN_TIMEOUT": 1,
        # The embedded warehouse can be told to answer sooner than Snowflake does.
        "SNOWFLAKE_NETWORK_TIMEOUT": 1 if target(environ) == "local" else LEAST_NETWORK_TIMEOUT,
        "SNOWFLAKE_STATEMENT_TIMEOUT": 1,
    }
    found: dict[str, int] = {}
    for name, lowest in least.items():
        text = environ.get(name)
        if not text:
            continue
        if not text.isdecimal() or int(text) < lowest:
            why = ""
            if lowest > 1:
                why = ": Snowflake answers a statement that still runs only after 45 seconds"
            raise WarehouseSettingsError(
                f"{name} is {text!r}, but must be a whole number of seconds, at least {lowest}{why}"
            )
        found[name.removeprefix("SNOWFLAKE_").lower()] = int(text)
    return found
