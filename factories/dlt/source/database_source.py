"""The tables of a `sql_database` source: one dlt resource for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dlt
import sqlalchemy
from dlt.common.configuration.specs import ConnectionStringCredentials
from dlt.extract import DltResource
from dlt.sources.sql_database import engine_from_credentials, sql_table
from dlt.sources.sql_database.schema_types import sqla_col_to_column_schema
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from factories.core.execution.window import Window
from factories.core.yaml.problems import did_you_mean, nearest
from factories.dlt.config.database_drivers import with_installed_driver
from factories.dlt.config.pipelines import Resource
from factories.dlt.errors import SourceError
from factories.dlt.source.cursor import incremental_arguments

BACKEND = "pyarrow"


def database_tables(
    config: Mapping[str, Any], selected: Iterable[Resource], covered: Window | None
) -> list[DltResource]:
    """Build the resources of a database, whose tables are looked at here.

    Args:
        config: Arguments of dlt's `sql_table()`, and `resources` with those of one table.
        selected: What is to be loaded.
        covered: The window of the run's partitions, None for what is new.

    Raises:
        SourceError: When the database cannot be reached, or lacks a table or a cursor's column.
    """
    common = {"backend": BACKEND, **config}
    own = {entry["name"]: entry for entry in common.pop("resources", None) or []}
    made = []
    for resource in selected:
        arguments = {"table": resource.name, **common, **own.get(resource.name, {})}
        arguments.pop("name", None)
        arguments.pop("defer_table_reflect", None)  # this is the run that it would wait for
        arguments["credentials"] = with_installed_driver(arguments["credentials"])
        made.append(_table(resource, arguments, covered).with_name(resource.name))
    return made


def _table(resource: Resource, arguments: dict[str, Any], covered: Window | None) -> DltResource:
    # One for each table: dlt removes the columns that are not read from what it has looked at.
    metadata = sqlalchemy.MetaData(schema=arguments.get("schema"))
    try:
        made = sql_table(metadata=metadata, type_adapter_callback=_convert_type, **arguments)
    except NoSuchTableError:
        raise SourceError(_no_table(arguments)) from None
    except DBAPIError as error:
        raise SourceError(f"the database cannot be read: {str(error.orig).strip()}") from None
    settings = resource.settings.incremental
    if settings:
        (table,) = (t for t in metadata.tables.values() if t.name == arguments["table"])
        field = _time_of(table, settings.cursor_path)
        if covered and field is None and settings.datetime_format is None:
            kind = table.c[settings.cursor_path].type
            raise SourceError(
                f"the column {settings.cursor_path} is {kind}: incremental.datetime_format must say"
                " how it holds time, such as epoch or '%Y-%m-%d'"
            )
        cursor = incremental_arguments(settings, covered, field=field)
        made.apply_hints(incremental=dlt.sources.incremental(**cursor))
    return made


def _convert_type(kind: Any) -> Any:
    """Return a column's type as dlt knows it.

    In SQLAlchemy 2.1 floating-point types are no longer numeric ones, for which dlt 1.31 looks.
    """
    return sqlalchemy.Numeric(asdecimal=False) if isinstance(kind, sqlalchemy.Float) else kind


def _time_of(table: sqlalchemy.Table, column: str) -> str | None:
    """Return how a column holds time, as `datetime_format` says it; None when it is not a time."""
    if column not in table.c:
        known = list(table.c.keys())
        hint = did_you_mean(nearest(column, known))
        raise SourceError(
            f"incremental.cursor_path: {table.name} has no column {column!r}, or does not read it,"
            f" but {', '.join(known)}{hint}"
        )
    found = sqla_col_to_column_schema(table.c[column], "full") or {}
    if found.get("data_type") == "timestamp":
        return "timestamp" if found.get("timezone") else "timestamp_ntz"
    return "date" if found.get("data_type") == "date" else None


def _no_table(arguments: Mapping[str, Any]) -> str:
    credentials = arguments["credentials"]
    if isinstance(credentials, Mapping):
        credentials = ConnectionStringCredentials(dict(credentials))
    engine = engine_from_credentials(credentials, **(arguments.get("engine_kwargs") or {}))
    schema = arguments.get("schema")
    try:
        looked_at = sqlalchemy.inspect(engine)
        known = sorted([*looked_at.get_table_names(schema), *looked_at.get_view_names(schema)])
    finally:
        engine.dispose()
    where = f"the schema {schema!r}" if schema else "the default schema"
    hint = did_you_mean(nearest(arguments["table"], known))
    return f"{where} has no table {arguments['table']!r}{hint}"
