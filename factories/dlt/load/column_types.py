"""Columns that are of another type in the warehouse than they are to be: dlt changes none.

Values would be rounded to the digits that the column has, without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.extract import DltSource

from factories.dlt.errors import LoadedDataError

ColumnTypes = Mapping[str, Mapping[str, TColumnSchema]]


def find_column_types(opened: dlt.Pipeline, name: str) -> ColumnTypes:
    """Return the columns of the tables that earlier loads have made, by the schema's name."""
    if name not in opened.schemas:
        return {}
    return {
        str(table["name"]): {column: {**of} for column, of in table["columns"].items()}
        for table in opened.schemas[name].data_tables()
    }


def check_column_types(opened: dlt.Pipeline, source: DltSource, before: ColumnTypes) -> None:
    """Refuse to load into columns whose type is another than the source, or YAML, says.

    What is inferred from rows is of the columns' types already.

    Args:
        opened: dlt's pipeline, whose schema knows what was normalized.
        source: The source.
        before: The columns before it was read.

    Raises:
        LoadedDataError: When the warehouse has such a column.
    """
    schema = opened.schemas[source.schema.name]
    changed = list(_changed(schema, source, before))
    if not changed:
        return
    with opened.destination_client(source.schema.name) as client:
        if not isinstance(client, SqlJobClientBase):
            return
        for table, column in changed:
            _, columns = client.get_storage_table(table)
            by_name = {name.lower(): of for name, of in columns.items()}
            stored = by_name.get(str(column["name"]).lower())
            if stored is not None and not _holds(stored, column):
                raise LoadedDataError(
                    f"the column {column['name']!r} of {table} is {_written(stored)} in the"
                    f" warehouse and {_written(column)} in the load, and dlt changes no column that"
                    " is there: drop the table, which the next run makes anew, or give the"
                    " resource another table_name"
                )


def _changed(
    schema: Schema, source: DltSource, before: ColumnTypes
) -> Iterator[tuple[str, TColumnSchema]]:
    """Yield the columns, with their tables, that hints have given another type."""
    for resource in source.selected_resources.values():
        hints = resource.columns
        table = schema.naming.normalize_tables_path(str(resource.table_name))
        if not isinstance(hints, Mapping) or table not in before or table not in schema.tables:
            continue
        for name in map(schema.naming.normalize_path, hints):
            column = schema.tables[table]["columns"].get(name)
            known = before[table].get(name)
            if column and known and "data_type" in known and not _holds(known, column):
                yield table, column


def _holds(column: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Tell whether a column holds the values of another without loss."""
    kind = values.get("data_type")
    if column.get("data_type") != kind:
        return False
    if kind == "decimal":
        return (column.get("scale") or 0) >= (values.get("scale") or 0)
    if kind == "timestamp":
        return bool(column.get("timezone", True)) == bool(values.get("timezone", True))
    return True


def _written(column: Mapping[str, Any]) -> str:
    kind = column.get("data_type")
    if kind == "decimal" and column.get("precision"):
        return f"decimal({column['precision']}, {column.get('scale') or 0})"
    if kind == "timestamp":
        return f"timestamp {'with' if column.get('timezone', True) else 'without'} zone"
    return str(kind)
