"""The properties of connections that Sling's documentation names, and what their values must be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile
from factories.core.yaml.validation import format_value

LOGIN = ("host", "user", "username", "password", "port", "database", "schema")
SSH = ("ssh_tunnel", "ssh_private_key", "ssh_passphrase")
# What Sling reads of any database.
OF_DATABASES = ("use_bulk", "allow_bulk_import", "allow_bulk_export", "adjust_column_type")
# The parameters of MySQL's driver that Sling passes on, each in its own spelling too.
MYSQL_DRIVER = (
    "allow_all_files", "allow_cleartext_passwords", "allow_fallback_to_plaintext",
    "allow_native_passwords", "allow_old_passwords", "charset", "check_conn_liveness", "collation",
    "client_found_rows", "columns_with_alias", "interpolate_params", "loc", "time_truncate",
    "max_allowed_packet", "multi_statements", "parse_time", "read_timeout", "reject_read_only",
    "server_pub_key", "timeout", "tls", "write_timeout", "connection_attributes",
)  # fmt: skip
CERTIFICATES = ("cert_file", "cert_key_file", "cert_ca_file")


def _both_spellings(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names in snake case, and as Go's libraries write them: `readTimeout`."""
    words = (name.split("_") for name in names)
    camel = (first + "".join(word.capitalize() for word in rest) for first, *rest in words)
    return (*names, *camel)


MYSQL = (*LOGIN, *SSH, *OF_DATABASES, *CERTIFICATES, *_both_spellings(MYSQL_DRIVER))
# Of the types that most people have; of any other, names are not compared.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "postgres": (*LOGIN, *SSH, *OF_DATABASES, "dbname", "role", "sslmode"),
    "redshift": (
        *LOGIN, *SSH, "dbname", "sslmode", "aws_bucket", "aws_access_key_id",
        "aws_secret_access_key",
    ),
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "sqlserver": (
        *LOGIN, *SSH, "instance", "encrypt", "trust_server_certificate", "hostname_in_certificate",
        "certificate", "log", "fedauth", "bcp_auth_string", "bcp_path", "bcp_entra_auth",
    ),
    "oracle": (*LOGIN, *SSH, "sid", "service_name", "tns", "jdbc_str", "client_charset"),
    "snowflake": (
        "account", *LOGIN, "role", "warehouse", "passcode", "authenticator", "token",
        "private_key", "private_key_path", "private_key_passphrase", "internal_stage",
        "copy_method", "oauth_client_id", "oauth_client_secret",
    ),
    "s3": (
        "bucket", "access_key_id", "secret_access_key", "session_token", "endpoint", "region",
        "profile",
    ),
    "gs": ("bucket", "key_file", "key_body"),
    "azure": ("account", "container", "conn_str", "sas_svc_url"),
    "sftp": ("host", "user", "username", "password", "port", "private_key", "passphrase", *SSH),
    "ftp": ("host", "user", "username", "password", "port", "ftps"),
}  # fmt: skip
OF_ALL = ("type", "url")
# Whose list above is whole, by Sling's own source: it would pass over any other name without a
# word. Of the others only a name that looks like a misspelt one is a mistake.
WHOLE = frozenset({"postgres", "mysql", "mariadb"})
# What is text whatever the type: as a number it would lose zeros, as a list it has no meaning.
TEXTS = frozenset(
    {"host", "user", "username", "password", "database", "dbname", "schema", "role", "warehouse"}
    | {"account", "bucket", "container", "region", "endpoint", "sslmode", "url", "authenticator"}
    | {"access_key_id", "secret_access_key", "session_token", "private_key", "private_key_path"}
    | {"private_key_passphrase", "token", "passcode", "conn_str", "sid", "service_name", *SSH}
)
LAST_PORT = 65_535
SIMILAR = 0.8


def find_property_problems(
    file: YamlFile, name: str, kind: str | None, properties: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield the properties of a connection that its type has not, or whose value cannot be right.

    Args:
        file: `connections.yaml`.
        name: The connection.
        kind: Its type.
        properties: What YAML says of it.
    """
    known = PROPERTIES.get(kind or "")
    for key, value in properties.items():
        at = ["connections", name, key]
        if known and key not in (*known, *OF_ALL):
            message = f"{key!r} is not a property of {kind}"
            if kind in WHOLE:
                allowed = (*known, *OF_ALL)
                near = nearest(str(key), allowed)
                yield file.problem(at, message, allowed=allowed, nearest=near, at_key=True)
            elif similar := difflib.get_close_matches(
                str(key).lower(), (*known, *OF_ALL), n=1, cutoff=SIMILAR
            ):
                yield file.problem(at, message, nearest=similar[0], at_key=True)
        elif wrong := _find_wrong_value(str(key), value):
            yield file.problem(at, f"{key}: {wrong}")


def _find_wrong_value(key: str, value: Any) -> str | None:
    """Return what is wrong with the value of a property."""
    if key == "port":
        if isinstance(value, str) and "$" in value:
            return None
        digits = str(value) if isinstance(value, str | int) else ""
        if digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) <= LAST_PORT:
            return None
        return f"must be a port from 1 to {LAST_PORT}, not {format_value(value)}"
    if key in TEXTS and not isinstance(value, str):
        quotes = ": put it in quotes" if isinstance(value, bool | int | float) else ""
        return f"must be text, not {format_value(value)}{quotes}"
    return None
