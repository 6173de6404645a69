"""The queries behind SHOW, one per kind of object: which rows of the macros in `show.sql`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files

from local_snowflake.engine.context import WarehouseAccess
from local_snowflake.inspection.show_routines import NO_ROUTINES, routines_sql
from local_snowflake.inspection.show_statement import Show
from local_snowflake.objects.relation_times import databases_with_times
from local_snowflake.objects.session_parameters import DEFAULTS
from local_snowflake.routines.context import RoutineContext
from local_snowflake.sql.macros import CATALOG, SCHEMA
from local_snowflake.sql.quoting import Value, sql_literal

ShowQuery = Callable[[Show, RoutineContext], str]


def create_show_macros(warehouse: WarehouseAccess) -> None:
    """Create the macros of `show.sql`, once per process."""
    with warehouse.connect() as duck:
        duck.execute(files(__package__).joinpath("show.sql").read_text())


def _rows(macro: str, *arguments: Value, where: str = "true") -> str:
    values = ", ".join(sql_literal(argument) for argument in arguments)
    return f"SELECT * FROM {CATALOG}.{SCHEMA}.{macro}({values}) WHERE {where}"  # noqa: S608 - literals


def _equal(searched: Mapping[str, Value | None]) -> str:
    conditions = [
        f'"{column}" = {sql_literal(value)}'
        for column, value in searched.items()
        if value is not None
    ]
    return " AND ".join(conditions) or "true"


def _in_scope(show: Show, session: RoutineContext, database: str = "database_name") -> str:
    """Return the condition for the database and the schema that a SHOW looks into."""
    if show.scope_kind == "ACCOUNT":
        return "true"
    searched: tuple[str | None, str | None] = session.database, session.schema
    if show.scope_kind == "DATABASE":
        searched = (show.scope[0] if show.scope else session.database, None)
    elif show.scope:
        searched = (show.scope[-2] if len(show.scope) > 1 else session.database, show.scope[-1])
    return _equal(dict(zip((database, "schema_name"), searched, strict=True)))


def _in_table(show: Show, session: RoutineContext) -> str:
    """Return the condition for the table that a SHOW looks into, or for its scope."""
    if show.scope_kind not in {"TABLE", "VIEW"} and (show.scope_kind or not show.scope):
        return _in_scope(show, session)
    *outer, table = show.scope
    within = (session.database, session.schema)
    database, schema = (*within[: 2 - len(outer)], *outer)[-2:]
    searched = {"database_name": database, "schema_name": schema, "table_name": table}
    return _equal({column: str(value) for column, value in searched.items()})


def _relations(macro: str) -> ShowQuery:
    return lambda show, session: _rows(
        macro, databases_with_times(session.duck), where=_in_scope(show, session)
    )


def _schemas(show: Show, session: RoutineContext) -> str:
    database = show.scope[-1] if show.scope else session.database
    searched = None if show.scope_kind == "ACCOUNT" else database
    return _rows("show_schemas", session.schema or "", where=_equal({"database_name": searched}))


def _databases(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
    return _rows("show_databases", session.database or "")


def _columns(show: Show, session: RoutineContext) -> str:
    return _rows("show_columns", where=_in_table(show, session))


def _keys(kind: str) -> ShowQuery:
    return lambda show, session: _rows(
        "show_keys", databases_with_times(session.duck), kind, where=_in_table(show, session)
    )


def _roles(show: Show, session: RoutineContext) -> str:  # noqa: ARG001 - a query's signature
    return _rows("show_roles", session.role_name or "")


def _of_warehouse(macro: str, *kind: str) -> ShowQuery:
    return lambda _show, session: _rows(macro, *kind, session.warehouse_name or "")


def _grants(show: Show, session: RoutineContext) -> str:
    scope = ".".join(show.scope)
    if show.preposition == "ON":
        outer = [session.database, session.schema]
        if show.scope_kind in {"TABLE", "VIEW", ""}:
            full = [*map(str, outer[: max(0, 3 - len(show.scope))]), *show.scope]
            scope = ".".join(full[-3:])
        elif show.scope_kind == "SCHEMA" and len(show.scope) == 1:
            scope = f"{outer[0]}.{scope}"
        where = f'"name" = {sql_literal(scope)}'
    elif show.preposition == "OF":
        where = f""""granted_on" LIKE '%ROLE' AND "name" = {sql_literal(scope)}"""
    else:
        where = f'"grantee_name" = {sql_literal(scope or session.role_name or session.user)}'
    return _rows("show_grants", where=where)


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
    return lambda show, session: routines_sql(
        kind, session, _in_scope(show, session, database="catalog_name")
    )


QUERIES: dict[str, ShowQuery] = {
    "FUNCTIONS": _routines("FUNCTION"),
    "USER FUNCTIONS": _routines("FUNCTION"),
    "EXTERNAL FUNCTIONS": lambda _show, _session: NO_ROUTINES,
    "PROCEDURES": _routines("PROCEDURE"),
    "USER PROCEDURES": _routines("PROCEDURE"),
    "OBJECTS": _relations("show_objects"),
    "TABLES": _relations("show_tables"),
    "DYNAMIC TABLES": lambda _show, _session: _rows("show_dynamic_tables"),
    "VIEWS": _relations("show_views"),
    "SCHEMAS": _schemas,
    "DATABASES": _databases,
    "COLUMNS": _columns,
    "PRIMARY KEYS": _keys("PRIMARY KEY"),
    "UNIQUE KEYS": _keys("UNIQUE"),
    "IMPORTED KEYS": _keys("NONE"),
    "EXPORTED KEYS": _keys("NONE"),
    "ROLES": _roles,
    "USERS": _of_warehouse("show_users"),
    "WAREHOUSES": _of_warehouse("show_warehouses"),
    "RESOURCE MONITORS": _of_warehouse("show_account_objects", "RESOURCE MONITOR"),
    "NETWORK POLICIES": _of_warehouse("show_account_objects", "NETWORK POLICY"),
    "GRANTS": _grants,
    "PARAMETERS": _parameters,
    "VARIABLES": _variables,
}
