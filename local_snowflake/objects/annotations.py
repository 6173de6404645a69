"""Properties of tables that DuckDB cannot store, kept in DuckDB's comments.

What fakesnow lacks: it keeps comments and text lengths in a table beside the database, where they
survive the object, miss renames and break on a quote; and it does not keep declared types:
TIMESTAMP_LTZ comes back as TIMESTAMP_TZ, ARRAY and OBJECT as VARIANT.

DuckDB's comments follow the object, are transactional and are dropped with it. A comment here is
`<the user's comment>` SEPARATOR `<a note>`: for a column the declared type, for a table its keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from duckdb import DuckDBPyConnection
from sqlglot import exp

from local_snowflake.sql.names import SEPARATOR, Name
from local_snowflake.sql.quoting import sql_identifier, sql_literal

_TYPES_WITHOUT_EQUAL = {
    exp.DataType.Type.ARRAY: "ARRAY",
    exp.DataType.Type.OBJECT: "OBJECT",
    exp.DataType.Type.TIMESTAMPLTZ: "TIMESTAMP_LTZ",
}
_TEXTS = {
    exp.DataType.Type.VARCHAR,
    exp.DataType.Type.TEXT,
    exp.DataType.Type.CHAR,
    exp.DataType.Type.NVARCHAR,
    exp.DataType.Type.NCHAR,
}


@dataclass(frozen=True)
class Key:
    """A constraint that is recorded and, as in Snowflake, not enforced.

    Attributes:
        kind: PRIMARY KEY, UNIQUE or FOREIGN KEY.
        columns: Its columns.
        name: Its name, if it has one.
    """

    kind: str
    columns: list[str]
    name: str = ""


def type_annotation(kind: exp.DataType | None) -> str:
    """Return what to store of a column's declared type; empty if DuckDB's type is enough."""
    if kind is None:
        return ""
    if kind.this in _TEXTS and kind.expressions:
        return f"TEXT({kind.expressions[0].name})"
    if kind.this == exp.DataType.Type.DECIMAL and kind.expressions[:1]:
        precision, *scale = [parameter.name for parameter in kind.expressions]
        return "NUMBER(19)" if precision == "19" and scale in ([], ["0"]) else ""
    return _TYPES_WITHOUT_EQUAL.get(kind.this, "")


def annotate_columns(
    duck: DuckDBPyConnection,
    relation: Name,
    comments: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
) -> None:
    """Set comments and declared types of columns; others stay as they are."""
    comments, types = comments or {}, types or {}
    if not comments and not types:
        return  # DuckDB scans the columns of all databases to find those of one table
    known = {
        column: _parts(comment)
        for column, comment in duck.execute(
            "SELECT column_name, comment FROM duckdb_columns() "
            "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            list(relation),
        ).fetchall()
    }
    for column in {**comments, **types}:
        comment, note = known.get(column, ("", ""))
        text = _joined(comments.get(column, comment), types.get(column, note))
        # A column that does not exist fails here, with DuckDB's message.
        duck.execute(f"COMMENT ON COLUMN {relation.sql}.{sql_identifier(column)} IS {text}")


def annotate_relation(
    duck: DuckDBPyConnection,
    relation: Name,
    kind: str,
    *,
    comment: str | None = None,
    keys: list[Key] | None = None,
) -> None:
    """Set the comment and the keys of a TABLE or VIEW; a None leaves them as they are."""
    old_comment, note = _parts(_relation_comment(duck, relation, kind))
    if keys is not None:
        note = json.dumps([asdict(key) for key in keys]) if keys else ""
    text = _joined(old_comment if comment is None else comment, note)
    duck.execute(f"COMMENT ON {kind} {relation.sql} IS {text}")


def recorded_keys(duck: DuckDBPyConnection, relation: Name) -> list[Key]:
    """Return the recorded keys of a table."""
    note = _parts(_relation_comment(duck, relation, "TABLE"))[1]
    return [Key(**key) for key in json.loads(note)] if note else []


def copy_annotations(duck: DuckDBPyConnection, source: Name, target: Name) -> None:
    """Copy the annotations of a table to another one with the same columns."""
    rows = duck.execute(
        "SELECT column_name, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? AND comment IS NOT NULL",
        list(source),
    ).fetchall()
    for column, comment in rows:
        duck.execute(
            f"COMMENT ON COLUMN {target.sql}.{sql_identifier(column)} IS {sql_literal(comment)}"
        )
    if comment := _relation_comment(duck, source, "TABLE"):
        duck.execute(f"COMMENT ON TABLE {target.sql} IS {sql_literal(comment)}")


def _relation_comment(duck: DuckDBPyConnection, relation: Name, kind: str) -> str | None:
    listing, column = (
        ("duckdb_views()", "view_name") if kind == "VIEW" else ("duckdb_tables()", "table_name")
    )
    row = duck.execute(
        f"SELECT comment FROM {listing} "  # noqa: S608 - constants
        f"WHERE database_name = ? AND schema_name = ? AND {column} = ?",
        list(relation),
    ).fetchone()
    return row[0] if row else None


def _parts(comment: str | None) -> tuple[str, str]:
    text, _, note = (comment or "").partition(SEPARATOR)
    return text, note


def _joined(comment: str, note: str) -> str:
    text = f"{comment}{SEPARATOR}{note}" if note else comment
    return sql_literal(text) if text else "NULL"
