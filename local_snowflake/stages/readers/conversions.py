"""Converts fields of files to the types of a table's columns.

What fakesnow lacks: it leaves all conversions to DuckDB's casts, which take the text of a binary
column as its bytes, refuse a blank before a time zone's offset, and know neither `on` nor `off`.
See https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from dataclasses import dataclass

from local_snowflake.sql.quoting import sql_literal


@dataclass(frozen=True)
class TextRules:
    """How strings are converted to other types.

    Attributes:
        binary: HEX, BASE64 or UTF8.
        binary_as_text: Whether bytes become UTF-8 text in columns of other types; else HEX.
        json_in_text: Whether a string becomes JSON in a VARIANT; else it stays a string.
        date: strptime format; None for ISO 8601.
        time: strptime format; None for ISO 8601.
        timestamp: strptime format; None for ISO 8601.
    """

    binary: str = "HEX"
    binary_as_text: bool = False
    json_in_text: bool = True
    date: str | None = None
    time: str | None = None
    timestamp: str | None = None


def convert_field(value: str, source: str, target: str, rules: TextRules) -> str:
    """Return an expression for `value` in a column's type; it fails if the value does not fit.

    Args:
        value: An expression.
        source: Its type in DuckDB.
        target: The column's type in DuckDB.
        rules: How strings are converted.
    """
    if source == target:
        return value
    if source == "BLOB" and target != "BLOB":
        value = f"decode({value})" if rules.binary_as_text else f"hex({value})"
        source = "VARCHAR"
        if target == "JSON":
            return f"to_json({value})"
    if target == "JSON":
        return _as_variant(value, source, rules)
    if source == "JSON":
        # A JSON string without its quotes; a JSON null is NULL.
        value, source = f"({value} ->> '$')", "VARCHAR"
    if source == "VARCHAR":
        value = _from_text(value, target, rules)
    return f"CAST({value} AS {target})"


def _from_text(value: str, target: str, rules: TextRules) -> str:
    times = {"DATE": rules.date, "TIME": rules.time}
    if form := times.get(target, rules.timestamp if target.startswith("TIMESTAMP") else None):
        return f"strptime({value}, {sql_literal(form)})"
    match target:
        case "BLOB":
            function = {"HEX": "unhex", "BASE64": "from_base64", "UTF8": "encode"}[rules.binary]
            return f"{function}({value})"
        case "BOOLEAN":
            words = "WHEN 'on' THEN 'true' WHEN 'off' THEN 'false'"
            return f"CASE lower({value}) {words} ELSE {value} END"
        case "TIMESTAMP WITH TIME ZONE":
            return rf"regexp_replace({value}, '\s+([+-]\d\d(:?\d\d)?)$', '\1')"
    return value


def _as_variant(value: str, source: str, rules: TextRules) -> str:
    if source == "VARCHAR" and rules.json_in_text:
        return f"CAST({value} AS JSON)"
    return f"CASE WHEN {value} IS NOT NULL THEN to_json({value}) END"
