"""Which values of a source's configuration must never be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from factories.core.yaml import variables

# What an error may name: a page's address is of no use with its host hidden.
LOGIN_ADDRESSES = frozenset({"access_token_url", "auth_endpoint"})
ADDRESS_KEYS = LOGIN_ADDRESSES | {"base_url", "bucket_url", "endpoint_url", "path"}
PUBLIC_KEYS = ADDRESS_KEYS | frozenset(
    {"drivername", "host", "port", "database", "username", "schema", "table"}
    | {"region_name", "file_glob"}
)
# Within these a key is the service's word, not dlt's; as a user name, some take their key.
PRIVATE_PLACES = frozenset({"auth", "headers", "params", "json", "data"})
SHORTEST_PARAMETER = 8


def source_secrets(config: Any, values: Mapping[str, str]) -> Iterator[str]:
    """Yield what stands for `${VAR}`s, unless its place is public; of an address, its secrets.

    What is public in one place and secret in another is secret.

    Args:
        config: Plain YAML, with its `${VAR}`s.
        values: The value of each variable.
    """
    for path, name in variables.names(config):
        value = values[name]
        keys = [step for step in path if isinstance(step, str)]
        text = str(reduce(getitem, path, config))
        is_address = "://" in value
        if not _is_public(keys, text, f"${{{name}}}", is_address=is_address):
            yield value
        elif is_address:
            yield from _address_secrets(value)


def _is_public(keys: list[str], text: str, variable: str, *, is_address: bool) -> bool:
    key = keys[-1] if keys else ""
    private = PRIVATE_PLACES.intersection(keys) and key not in LOGIN_ADDRESSES
    if key not in PUBLIC_KEYS or private:
        return False
    if key not in ADDRESS_KEYS or text == variable:
        return True
    # Part of an address: its host is public; a path, a parameter or a login may hold a key.
    before, _, after = text.partition(variable)
    if not before and is_address:
        return True
    scheme, separator, authority = before.rpartition("://")
    rest = after.partition("/")[0]
    return (
        bool(separator and scheme) and not {"/", "?", "#", "@"} & {*authority} and "@" not in rest
    )


def _address_secrets(address: str) -> Iterator[str]:
    """Yield what an address holds that lets someone in: password, or token, and long parameters."""
    try:
        parts = urlsplit(address)
    except ValueError:
        yield address
        return
    if login := parts.password or parts.username:
        yield login
    yield from (v for _, v in parse_qsl(parts.query) if len(v) >= SHORTEST_PARAMETER)
