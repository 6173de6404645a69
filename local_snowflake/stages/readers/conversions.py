"""Fields of files as values of a table's columns.

What fakesnow lacks: it leaves all of it to DuckDB's casts, which read a binary column's text as its
bytes, refuse a blank before a time zone's offset, and know neither `on` nor `off`.
See https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from dataclasses import dataclass

from local_snowflake.sql.quoting import sql_literal


@dataclass(frozen=True)
class TextRules:
    """How texts are read where the type is not text.

    Attributes:
        binary: HEX, BASE64 or UTF8.
        binary_as_text: Whether bytes that go to another column are text in UTF-8; else in HEX.
        json_in_text: Whether a text that goes to a VARIANT is JSON; else it is a text there too.
        date: strptime format; None: recognise ISO 8601.
        time: strptime format; None: recognise ISO 8601.
        timestamp: strptime format; None: recognise ISO 8601.
    """

    binary: str = "HEX"
    binary_as_text: bool = False
    json_in_text: bool = True
    date: str | None = None
    time: str | None = None
    timestamp: str | None = None


def converted(value: str, source: str, target: str, rules: TextRules) -> str:
    """An expression for `value` as a column's type; it fails where the value does not fit.

    Args:
        value: An expression.
        source: DuckDB's type of it.
        target: DuckDB's type of the column.
        rules: How texts are read.
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
        # A text is what stands between its quotes, and a JSON null is NULL.
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
