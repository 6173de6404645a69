"""The tables of a `sql_database` source: one dlt resource for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import dlt
import sqlalchemy
from dlt.common.configuration.specs import ConnectionStringCredentials
from dlt.extract import DltResource
from dlt.sources.sql_database import engine_from_credentials, sql_table
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from factories.core.execution.window import Window
from factories.core.yaml.problems import did_you_mean, nearest
from factories.dlt.config.database_drivers import with_installed_driver
from factories.dlt.config.pipelines import Resource
from factories.dlt.errors import SourceError
from factories.dlt.source.cursor import escaped_path, incremental_arguments
from factories.dlt.source.cursor_values import CursorValues
from factories.dlt.source.row_cursor import check_cursor
from factories.dlt.source.table_columns import check_format, check_names, check_types, time_of
from factories.dlt.source.table_loader import compare_first, loader_of, read_as_text

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
    columns: dict[str, Any] = {}

    def note(_inspector: Any, reflected: sqlalchemy.Table, column: Any) -> None:
        if reflected.name == arguments["table"]:
            columns[column["name"]] = column["type"]

    sqlalchemy.event.listen(metadata, "column_reflect", note)
    hints = resource.settings.columns or {}
    texts = {name for name, hint in hints.items() if hint.data_type == "text"}
    try:
        made = sql_table(
            metadata=metadata,
            type_adapter_callback=_convert_type,
            table_adapter_callback=partial(read_as_text, names=texts),
            table_loader_class=loader_of(arguments["backend"]),
            **arguments,
        )
    except NoSuchTableError:
        raise SourceError(_no_table(arguments)) from None
    except DBAPIError as error:
        raise SourceError(f"the database cannot be read: {str(error.orig).strip()}") from None
    (table,) = (t for t in metadata.tables.values() if t.name == arguments["table"])
    check_names(resource.settings, table, arguments, list(columns))
    check_types(resource.settings, table, arguments["backend"])
    settings = resource.settings.incremental
    if settings:
        field = time_of(table.c[settings.cursor_path])
        if covered:
            check_format(settings, table.c[settings.cursor_path], field)
        cursor = incremental_arguments(settings, covered, field=field)
        cursor["cursor_path"] = escaped_path(settings.cursor_path)
        made.apply_hints(incremental=dlt.sources.incremental(**cursor))
        if covered and field is None:  # else the column's type says it
            expected = CursorValues(settings.cursor_path, settings.datetime_format, covered)
            compare_first(table, settings.cursor_path, expected)
            check_cursor(made, cursor["cursor_path"], settings.datetime_format, covered)
    return made


def _convert_type(kind: Any) -> Any:
    """Return a column's type as dlt knows it.

    In SQLAlchemy 2.1 floating-point types are no longer numeric ones, for which dlt 1.31 looks.
    """
    return sqlalchemy.Numeric(asdecimal=False) if isinstance(kind, sqlalchemy.Float) else kind


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
