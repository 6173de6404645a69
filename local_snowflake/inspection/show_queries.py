"""The queries behind SHOW, one per kind of object, with Snowflake's columns."""

from __future__ import annotations

from collections.abc import Callable

from local_snowflake.inspection.show_routines import NO_ROUTINES, routines_sql
from local_snowflake.inspection.show_statement import Show
from local_snowflake.objects.account import GRANTS, OBJECTS
from local_snowflake.objects.relation_times import databases_with_times
from local_snowflake.objects.session_parameters import DEFAULTS
from local_snowflake.routines.context import RoutineContext
from local_snowflake.sql.quoting import sql_literal

ShowQuery = Callable[[Show, RoutineContext], str]

_CATALOG = "memory.snowflake_catalog"
_LONG_AGO = "to_timestamp(0)"

NOTHING: dict[str, str] = {
    "EXTERNAL FUNCTIONS": NO_ROUTINES,
    "DYNAMIC TABLES": f"""
SELECT {_LONG_AGO} AS "created_on", '' AS "name", '' AS "database_name", '' AS "schema_name",
    '' AS "target_lag", '' AS "refresh_mode", '' AS "warehouse", '' AS "text", '' AS "comment"
WHERE false""",
}
"""Kinds of objects that never exist here."""


def _in_scope(show: Show, session: RoutineContext, database: str, schema: str) -> str:
    """Return the condition for the database and the schema that a SHOW looks into."""
    current = session.database, session.schema
    if show.scope_kind == "ACCOUNT":
        return "true"
    searched: tuple[str | None, str | None]
    if show.scope_kind == "DATABASE":
        searched = (show.scope[0] if show.scope else current[0], None)
    elif show.scope:
        searched = (show.scope[-2] if len(show.scope) > 1 else current[0], show.scope[-1])
    else:
        searched = current
    conditions = [
        f"{column} = {sql_literal(value)}"
        for column, value in zip((database, schema), searched, strict=True)
        if value is not None
    ]
    return " AND ".join(conditions) or "true"


def _databases_with_times(session: RoutineContext) -> str:
    return sql_literal(databases_with_times(session.duck))


def _relations(kind: str) -> ShowQuery:
    condition = {
        "OBJECTS": "true",
        "TABLES": "\"TABLE_TYPE\" <> 'VIEW'",
        "VIEWS": "\"TABLE_TYPE\" = 'VIEW'",
    }[kind]
    more = {
        "OBJECTS": "",
        "TABLES": """, 'OFF' AS "automatic_clustering", 'OFF' AS "change_tracking",
            'N' AS "is_external", 'N' AS "enable_schema_evolution", 'N' AS "is_event",
            NULL::VARCHAR AS "budget", 'N' AS "is_immutable" """,
        "VIEWS": """, view_text AS "text", 'false' AS "is_secure", 'false' AS "is_materialized",
            'OFF' AS "change_tracking", '' AS "reserved" """,
    }[kind]

    def query(show: Show, session: RoutineContext) -> str:
        scope = _in_scope(show, session, '"TABLE_CATALOG"', '"TABLE_SCHEMA"')
        return f"""
            SELECT "CREATED" AS "created_on", "TABLE_NAME" AS "name",
                "TABLE_CATALOG" AS "database_name", "TABLE_SCHEMA" AS "schema_name",
                CASE "TABLE_TYPE" WHEN 'BASE TABLE' THEN 'TABLE'
                    WHEN 'LOCAL TEMPORARY' THEN 'TEMPORARY' ELSE "TABLE_TYPE" END AS "kind",
                coalesce("COMMENT", '') AS "comment", '' AS "cluster_by", "ROW_COUNT" AS "rows",
                "BYTES" AS "bytes", "TABLE_OWNER" AS "owner", '1' AS "retention_time",
                'ROLE' AS "owner_role_type", 'N' AS "is_hybrid", 'N' AS "is_dynamic",
                'N' AS "is_iceberg"{more}
            FROM {_CATALOG}.all_tables({_databases_with_times(session)})
            WHERE {condition} AND {scope}
            ORDER BY "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"
        """  # noqa: S608 - literals

    return query


def _schemas(show: Show, session: RoutineContext) -> str:
    database = show.scope[-1] if show.scope else session.database
    everywhere = show.scope_kind == "ACCOUNT" or database is None
    scope = "true" if everywhere else f'"CATALOG_NAME" = {sql_literal(str(database))}'
    current = sql_literal(session.schema or "")
    return f"""
        SELECT "CREATED" AS "created_on", "SCHEMA_NAME" AS "name", 'N' AS "is_default",
            CASE WHEN "SCHEMA_NAME" = {current} THEN 'Y' ELSE 'N' END AS "is_current",
            "CATALOG_NAME" AS "database_name", "SCHEMA_OWNER" AS "owner",
            coalesce("COMMENT", '') AS "comment", '' AS "options", '1' AS "retention_time",
            'ROLE' AS "owner_role_type", NULL::VARCHAR AS "kind",
            NULL::VARCHAR AS "schema_name"
        FROM {_CATALOG}.all_schemata() WHERE {scope} ORDER BY "CATALOG_NAME", "SCHEMA_NAME"
    """  # noqa: S608 - literals


def _databases(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
    current = sql_literal(session.database or "")
    return f"""
        SELECT "CREATED" AS "created_on", "DATABASE_NAME" AS "name", 'N' AS "is_default",
            CASE WHEN "DATABASE_NAME" = {current} THEN 'Y' ELSE 'N' END AS "is_current",
            '' AS "origin", "DATABASE_OWNER" AS "owner", '' AS "comment", '' AS "options",
            '1' AS "retention_time", 'STANDARD' AS "kind", NULL::VARCHAR AS "database_name",
            NULL::VARCHAR AS "schema_name", 'ROLE' AS "owner_role_type"
        FROM {_CATALOG}.all_databases() ORDER BY "DATABASE_NAME"
    """  # noqa: S608 - literals


def _columns(show: Show, session: RoutineContext) -> str:
    if show.scope_kind in {"TABLE", "VIEW"} or (show.scope and not show.scope_kind):
        *outer, table = show.scope
        within = (session.database, session.schema)
        database, schema = (*within[: 2 - len(outer)], *outer)[-2:]
        searched = {"TABLE_CATALOG": database, "TABLE_SCHEMA": schema, "TABLE_NAME": table}
        scope = " AND ".join(f'"{k}" = {sql_literal(str(v))}' for k, v in searched.items())
    else:
        scope = _in_scope(show, session, '"TABLE_CATALOG"', '"TABLE_SCHEMA"')
    return f"""
        SELECT "TABLE_NAME" AS "table_name", "TABLE_SCHEMA" AS "schema_name",
            "COLUMN_NAME" AS "column_name",
            to_json(CASE "DATA_TYPE"
                WHEN 'NUMBER' THEN json_object('type', 'FIXED', 'precision', "NUMERIC_PRECISION",
                    'scale', "NUMERIC_SCALE", 'nullable', "IS_NULLABLE" = 'YES')
                WHEN 'TEXT' THEN json_object('type', 'TEXT', 'length', "CHARACTER_MAXIMUM_LENGTH",
                    'byteLength', "CHARACTER_OCTET_LENGTH", 'nullable', "IS_NULLABLE" = 'YES',
                    'fixed', false)
                WHEN 'FLOAT' THEN json_object('type', 'REAL', 'nullable', "IS_NULLABLE" = 'YES')
                WHEN 'BINARY' THEN json_object('type', 'BINARY', 'length', 8388608,
                    'byteLength', 8388608, 'nullable', "IS_NULLABLE" = 'YES', 'fixed', false)
                ELSE CASE WHEN "DATA_TYPE" LIKE 'TIME%'
                    THEN json_object('type', "DATA_TYPE", 'precision', 0, 'scale', 9,
                        'nullable', "IS_NULLABLE" = 'YES')
                    ELSE json_object('type', "DATA_TYPE", 'nullable', "IS_NULLABLE" = 'YES') END
            END)::VARCHAR AS "data_type",
            CASE WHEN "IS_NULLABLE" = 'YES' THEN 'true' ELSE 'NOT_NULL' END AS "null?",
            coalesce("COLUMN_DEFAULT", '') AS "default", 'COLUMN' AS "kind", '' AS "expression",
            coalesce("COMMENT", '') AS "comment", "TABLE_CATALOG" AS "database_name",
            '' AS "autoincrement", NULL::VARCHAR AS "schema_evolution_record",
            "COLUMN_NAME" AS "name"
        FROM {_CATALOG}.all_columns() WHERE {scope}
        ORDER BY "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "ORDINAL_POSITION"
    """  # noqa: S608 - literals


def _keys(kind: str) -> ShowQuery:
    def query(show: Show, session: RoutineContext) -> str:
        if show.scope_kind == "TABLE" or (show.scope and not show.scope_kind):
            *outer, table = show.scope
            within = (session.database, session.schema)
            database, schema = (*within[: 2 - len(outer)], *outer)[-2:]
            scope = (
                f'"TABLE_CATALOG" = {sql_literal(str(database))} AND '
                f'"TABLE_SCHEMA" = {sql_literal(str(schema))} AND '
                f'"TABLE_NAME" = {sql_literal(table)}'
            )
        else:
            scope = _in_scope(show, session, '"TABLE_CATALOG"', '"TABLE_SCHEMA"')
        return f"""
            SELECT "CREATED" AS "created_on", "TABLE_CATALOG" AS "database_name",
                "TABLE_SCHEMA" AS "schema_name", "TABLE_NAME" AS "table_name",
                unnest(key_columns) AS "column_name",
                unnest(range(1, len(key_columns) + 1)) AS "key_sequence",
                "CONSTRAINT_NAME" AS "constraint_name", 'false' AS "rely",
                NULL::VARCHAR AS "comment"
            FROM {_CATALOG}.all_constraints({_databases_with_times(session)})
            WHERE "CONSTRAINT_TYPE" = '{kind}' AND {scope}
        """  # noqa: S608 - literals

    return query


def _account(kind: str, columns: str) -> ShowQuery:
    def query(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
        current = session.role_name if kind == "ROLE" else session.warehouse_name
        return f"""
            SELECT created_on AS "created_on", name AS "name", coalesce(comment, '') AS "comment",
                coalesce(owner, '') AS "owner", 'N' AS "is_default",
                CASE WHEN name = {sql_literal(current or "")} THEN 'Y' ELSE 'N' END
                    AS "is_current"{columns}
            FROM {OBJECTS} WHERE kind = '{kind}' ORDER BY name
        """  # noqa: S608 - literals

    return query


def _grants(show: Show, session: RoutineContext) -> str:
    scope = ".".join(show.scope)
    if show.preposition == "ON":
        outer = [session.database, session.schema]
        if show.scope_kind in {"TABLE", "VIEW", ""}:
            full = [*map(str, outer[: max(0, 3 - len(show.scope))]), *show.scope]
            scope = ".".join(full[-3:])
        elif show.scope_kind == "SCHEMA" and len(show.scope) == 1:
            scope = f"{outer[0]}.{scope}"
        where = f"name = {sql_literal(scope)}"
    elif show.preposition == "OF":
        where = f"granted_on LIKE '%ROLE' AND name = {sql_literal(scope)}"
    else:
        where = f"grantee_name = {sql_literal(scope or session.role_name or session.user)}"
    return f"""
        SELECT created_on AS "created_on", privilege AS "privilege", granted_on AS "granted_on",
            name AS "name", granted_to AS "granted_to", grantee_name AS "grantee_name",
            grant_option::VARCHAR AS "grant_option", coalesce(granted_by, '') AS "granted_by"
        FROM {GRANTS} WHERE {where} ORDER BY created_on, privilege
    """  # noqa: S608 - literals


def _parameters(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
    values = {**DEFAULTS, **session.parameters}
    rows = ", ".join(
        f"({sql_literal(name)}, {sql_literal(values[name])}, "
        f"{sql_literal(DEFAULTS.get(name, ''))}, "
        f"'{'SESSION' if name in session.parameters else ''}', '', 'STRING')"
        for name in sorted(values)
    )
    return (
        f"SELECT * FROM (VALUES {rows}) "  # noqa: S608 - literals
        'AS parameters("key", "value", "default", "level", "description", "type")'
    )


def _variables(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
    rows = [
        f"({sql_literal(name.upper())}, {sql_literal(value)})"
        for name, value in session.variables.items()
    ]
    values = ", ".join(rows) or "(NULL, NULL)"
    return f'SELECT * FROM (VALUES {values}) AS v("name", "value") WHERE "name" IS NOT NULL'  # noqa: S608 - literals


def _routines(kind: str) -> ShowQuery:
    def query(show: Show, session: RoutineContext) -> str:
        scope = _in_scope(show, session, '"catalog_name"', '"schema_name"')
        return routines_sql(kind, session, scope)

    return query


QUERIES: dict[str, ShowQuery] = {
    "FUNCTIONS": _routines("FUNCTION"),
    "USER FUNCTIONS": _routines("FUNCTION"),
    "PROCEDURES": _routines("PROCEDURE"),
    "USER PROCEDURES": _routines("PROCEDURE"),
    "OBJECTS": _relations("OBJECTS"),
    "TABLES": _relations("TABLES"),
    "VIEWS": _relations("VIEWS"),
    "SCHEMAS": _schemas,
    "DATABASES": _databases,
    "COLUMNS": _columns,
    "PRIMARY KEYS": _keys("PRIMARY KEY"),
    "UNIQUE KEYS": _keys("UNIQUE"),
    "IMPORTED KEYS": _keys("NONE"),
    "EXPORTED KEYS": _keys("NONE"),
    "ROLES": _account("ROLE", ", 'N' AS \"is_inherited\""),
    "USERS": _account("USER", ', name AS "login_name", name AS "display_name"'),
    "WAREHOUSES": _account(
        "WAREHOUSE",
        ", 'STARTED' AS \"state\", 'STANDARD' AS \"type\", 'X-Small' AS \"size\"",
    ),
    "RESOURCE MONITORS": _account("RESOURCE MONITOR", ""),
    "NETWORK POLICIES": _account("NETWORK POLICY", ""),
    "GRANTS": _grants,
    "PARAMETERS": _parameters,
    "VARIABLES": _variables,
}
