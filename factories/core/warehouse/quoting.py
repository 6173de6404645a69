"""Texts and names in SQL."""

from __future__ import annotations


def sql_literal(text: str) -> str:
    """Return a text as a literal of Snowflake's SQL, in which a backslash escapes too."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def sql_identifier(name: str) -> str:
    """Return a name, as Snowflake stores it, as an identifier of its SQL.

    In quotes it may be a reserved word such as ORDER; without them Snowflake stores a name in upper
    case, so a name from YAML is to be in upper case here.
    """
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
