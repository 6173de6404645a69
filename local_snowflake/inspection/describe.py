"""DESCRIBE TABLE and DESCRIBE VIEW.

What fakesnow lacks: temporary objects, declared types, comments and keys.
"""

from __future__ import annotations

from typing import cast

from sqlglot import exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult
from local_snowflake.objects.annotations import recorded_keys
from local_snowflake.objects.catalog import relation_kind
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist
from local_snowflake.sql.macros import CATALOG, SCHEMA
from local_snowflake.sql.names import resolve
from local_snowflake.sql.statements import Statement

_TYPE_SQL = """
CASE "DATA_TYPE"
    WHEN 'NUMBER' THEN format('NUMBER({},{})', "NUMERIC_PRECISION", "NUMERIC_SCALE")
    WHEN 'TEXT' THEN format('VARCHAR({})', "CHARACTER_MAXIMUM_LENGTH")
    WHEN 'BINARY' THEN 'BINARY(8388608)'
    ELSE CASE WHEN "DATA_TYPE" LIKE 'TIME%' THEN "DATA_TYPE" || '(9)' ELSE "DATA_TYPE" END
END"""
"""A column's type as DESCRIBE writes it, from a row of INFORMATION_SCHEMA.COLUMNS."""


class DescribeRelation:
    """DESCRIBE [TABLE|VIEW]."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement describes a table or a view that is not in INFORMATION_SCHEMA."""
        expression = statement.expression
        if not isinstance(expression, exp.Describe) or not isinstance(expression.this, exp.Table):
            return False
        kind = str(expression.args.get("kind") or "TABLE").upper()
        return kind in {"TABLE", "VIEW"} and expression.this.db.upper() != "INFORMATION_SCHEMA"

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Return a row per column."""
        describe = cast(exp.Describe, statement.expression)
        name = resolve(describe.this, session)
        temporary = name in session.temporaries
        place = session.temporaries.physical(name)
        if relation_kind(session.duck, place) is None:
            kind = str(describe.args.get("kind") or "TABLE")
            raise does_not_exist(kind.title(), name, "42S02")
        keys = recorded_keys(session.duck, place)
        primary, unique = (
            [column for key in keys if key.kind == kind for column in key.columns]
            for kind in ("PRIMARY KEY", "UNIQUE")
        )
        return session.select(
            f"""
            SELECT "COLUMN_NAME" AS "name", {_TYPE_SQL} AS "type", 'COLUMN' AS "kind",
                CASE WHEN "IS_NULLABLE" = 'YES' THEN 'Y' ELSE 'N' END AS "null?",
                "COLUMN_DEFAULT" AS "default",
                CASE WHEN list_contains($4::VARCHAR[], "COLUMN_NAME") THEN 'Y' ELSE 'N' END
                    AS "primary key",
                CASE WHEN list_contains($5::VARCHAR[], "COLUMN_NAME") THEN 'Y' ELSE 'N' END
                    AS "unique key",
                NULL::VARCHAR AS "check", NULL::VARCHAR AS "expression", "COMMENT" AS "comment",
                NULL::VARCHAR AS "policy name", NULL::VARCHAR AS "privacy domain"
            FROM {CATALOG}.{SCHEMA}.all_columns()
            WHERE "TABLE_CATALOG" = $1 AND "TABLE_SCHEMA" = $2 AND "TABLE_NAME" = $3
              AND is_temporary = $6
            ORDER BY "ORDINAL_POSITION"
            """,  # noqa: S608 - constants
            [*name, primary, unique, temporary],
        )
