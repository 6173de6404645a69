"""The addresses in a source's configuration, and whether something listens there."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

CONNECT_SECONDS = 5
# The ports of schemes whose addresses leave them out. A driver may stand behind a plus sign.
PORTS = {
    "http": 80,
    "https": 443,
    "postgres": 5432,
    "postgresql": 5432,
    "redshift": 5439,
    "mysql": 3306,
    "mariadb": 3306,
    "mssql": 1433,
    "sqlserver": 1433,
    "oracle": 1521,
    "mongodb": 27017,
    "sftp": 22,
    "ssh": 22,
    "ftp": 21,
    "clickhouse": 9000,
    "snowflake": 443,
}


@dataclass(frozen=True, order=True)
class Address:
    """A server's address, or a folder of this machine.

    Attributes:
        host: The server's name; empty for a folder.
        port: Its port.
        path: The folder.
    """

    host: str
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.host else self.path


def find_addresses(config: Any) -> Iterator[Address]:
    """Yield what a configuration reads from, as far as it says so in plain sight.

    Args:
        config: Plain values, with those of variables.
    """
    if isinstance(config, str):
        if "://" in config and (found := _of_url(config)):
            yield found
    elif isinstance(config, Mapping):
        host = config.get("host")
        kind = str(config.get("drivername") or "").partition("+")[0]
        port = config.get("port") or PORTS.get(kind)
        if isinstance(host, str) and port and str(port).isdecimal():
            yield Address(host, int(port))
        for value in config.values():
            yield from find_addresses(value)
    elif isinstance(config, list):
        for value in config:
            yield from find_addresses(value)


def _of_url(text: str) -> Address | None:
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.partition("+")[0].lower(), parts.port
    except ValueError:
        return None
    if scheme == "file":
        return Address("", path=unquote(parts.path))
    port = port or PORTS.get(scheme)
    return Address(parts.hostname, port) if parts.hostname and port else None


def why_unreachable(address: Address) -> str:
    """Return why nothing can be read from there; empty when something listens.

    Where HTTP goes through a proxy, that is what has to listen.
    """
    if not address.host:
        return "" if Path(address.path).exists() else f"{address.path} does not exist"
    try:
        with socket.create_connection((address.host, address.port), CONNECT_SECONDS):
            return ""
    except TimeoutError:
        return f"{address} does not answer within {CONNECT_SECONDS} s"
    except socket.gaierror:
        return f"there is no host {address.host}"
    except OSError as error:
        return f"{address}: {error.strerror or type(error).__name__}"


def through_proxy(address: Address) -> Address:
    """Return the proxy that HTTP takes to an address, or the address where it takes none."""
    scheme = {80: "http", 443: "https"}.get(address.port)
    proxy = getproxies().get(scheme or "")
    if proxy is None or proxy_bypass(address.host):
        return address
    return _of_url(proxy if "://" in proxy else f"http://{proxy}") or address
