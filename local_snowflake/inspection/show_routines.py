"""The queries behind SHOW PROCEDURES and SHOW USER FUNCTIONS."""

from __future__ import annotations

from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.definitions import Routine, describe_returns
from local_snowflake.sql.quoting import sql_literal

_COLUMNS = """
    created_on::TIMESTAMPTZ AS "created_on", name AS "name", schema_name AS "schema_name",
    'N' AS "is_builtin", 'N' AS "is_aggregate", 'N' AS "is_ansi",
    least_arguments AS "min_num_arguments", most_arguments AS "max_num_arguments",
    signature AS "arguments", description AS "description", catalog_name AS "catalog_name",
    'N' AS "is_table_function", 'N' AS "valid_for_clustering", 'N' AS "is_secure",
    '' AS "secrets", '' AS "external_access_integrations", 'N' AS "is_external_function",
    'PYTHON' AS "language", 'N' AS "is_memoizable", 'N' AS "is_data_metric" """
_VALUES = (
    "r(created_on, name, schema_name, least_arguments, most_arguments, signature, description, "
    "catalog_name)"
)
NO_ROUTINES = f"""
SELECT {_COLUMNS} FROM (VALUES (to_timestamp(0), '', '', 0, 0, '', '', '')) AS {_VALUES}
WHERE false"""  # noqa: S608 - constants


def routines_sql(kind: str, session: RoutineContext, scope: str) -> str:
    """Return the query for the procedures or functions of a session that are in `scope`."""
    rows = [_row(routine) for routine in session.routines.visible() if routine.kind == kind]
    if not rows:
        return NO_ROUTINES
    return f"""
        SELECT {_COLUMNS} FROM (VALUES {", ".join(rows)}) AS {_VALUES}
        WHERE {scope} ORDER BY catalog_name, schema_name, name
    """  # noqa: S608 - literals


def _row(routine: Routine) -> str:
    values = (
        routine.created_on,
        routine.name.name,
        routine.name.schema,
        routine.required,
        len(routine.arguments),
        f"{routine.signature} RETURN {describe_returns(routine)}",
        routine.comment or f"user-defined {routine.kind.lower()}",
        routine.name.database,
    )
    return f"({', '.join(sql_literal(value) for value in values)})"
