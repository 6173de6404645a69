"""Queries of DuckDB's catalog."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from local_snowflake.sql.names import Name
from local_snowflake.sql.quoting import sql_identifier


def relation_kind(duck: DuckDBPyConnection, relation: Name) -> str | None:
    """Return TABLE or VIEW; None if the relation does not exist."""
    row = duck.execute(
        "SELECT 'TABLE' FROM duckdb_tables() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? "
        "UNION ALL SELECT 'VIEW' FROM duckdb_views() "
        "WHERE database_name = ? AND schema_name = ? AND view_name = ?",
        [*relation, *relation],
    ).fetchone()
    return str(row[0]) if row else None


def columns_sql(duck: DuckDBPyConnection, table: Name) -> str:
    """Return the column list with which DuckDB would create the table again."""
    rows = duck.execute(
        "SELECT column_name, data_type, column_default, is_nullable FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        list(table),
    ).fetchall()
    return ", ".join(
        f"{sql_identifier(name)} {kind}"
        + (f" DEFAULT {default}" if default is not None else "")
        + ("" if nullable else " NOT NULL")
        for name, kind, default, nullable in rows
    )
