"""Quotes text and names for SQL."""

from __future__ import annotations


def sql_literal(text: str) -> str:
    """Return text as a string literal of Snowflake's SQL, where a backslash is an escape too."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def sql_identifier(name: str) -> str:
    """Return a name, as Snowflake stores it, as an identifier of its SQL.

    A quoted name may be a reserved word such as ORDER. Snowflake stores unquoted names in upper
    case, so pass a name from YAML in upper case.
    """
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
