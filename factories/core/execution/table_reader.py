"""Reads the rows and columns of loaded tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from factories.core.secret_mask import SecretMask
from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.names import RAW, Relation, WarehouseNames
from factories.core.warehouse.quoting import sql_identifier
from factories.core.warehouse.settings import WarehouseConnection, WarehouseSettings
from factories.core.warehouse.watchdog import WarehouseLostError

COLUMN_SCHEMA = "dagster/column_schema"
ROW_COUNT = "dagster/row_count"
COLUMNS_SQL = """
    select column_name, data_type
    from {database}.information_schema.columns
    where upper(table_schema) = upper(%s) and upper(table_name) = upper(%s)
    order by ordinal_position
"""
MISSING = 2003  # Snowflake's code


class QueryFailedError(Exception):
    """The warehouse refused a statement or did not answer; the text is the warehouse's own.

    Attributes:
        is_missing: Whether what the statement names does not exist, or this role does not see it.
    """

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.is_missing = is_missing


class WarehouseSilentError(QueryFailedError):
    """The warehouse did not answer: another statement would have no answer either."""


class TableReader:
    """Reads loaded tables through one session, which is opened when first needed."""

    def __init__(self, settings: WarehouseSettings, names: WarehouseNames) -> None:
        """Take what a session needs; nothing is opened yet."""
        self._settings = settings
        self._names = names
        self._opened: WarehouseConnection | None = None

    @cached_property
    def _connection(self) -> WarehouseConnection:
        self._opened = self._settings.connect(self._names.database(RAW))
        return self._opened

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Return the rows of one statement.

        Raises:
            QueryFailedError: When the statement fails; its text holds no secrets.
            WarehouseSilentError: When there is no session, or no answer.
        """
        return self._execute(sql, parameters)

    def run_script(self, sql: str) -> None:
        """Run any number of statements, up to the first that fails.

        Raises:
            QueryFailedError: As in `query`.
            WarehouseSilentError: As in `query`.
        """
        self._execute(sql, num_statements=0)

    def _execute(
        self, sql: str, parameters: Sequence[Any] = (), **options: Any
    ) -> list[Sequence[Any]]:
        from snowflake.connector import errors  # noqa: PLC0415 - 0.4 s, while the tool loads

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters), **options)
                return list(cursor.fetchall())
        except errors.Error as error:
            text = SecretMask(self._settings.secrets)(str(error))
            refusals = (errors.ProgrammingError, errors.IntegrityError, errors.DataError)
            if not isinstance(error, refusals):
                raise WarehouseSilentError(text) from None
            raise QueryFailedError(text, is_missing=error.errno == MISSING) from None
        except WarehouseLostError:
            self.close(abandon=True)
            raise

    def columns(self, relation: Relation) -> dict[str, str]:
        """Return the types of a table's columns by name, in order.

        Raises:
            QueryFailedError: When they cannot be read.
        """
        database = sql_identifier(relation.database).replace("%", "%%")
        sql = COLUMNS_SQL.format(database=database)
        rows = self.query(sql, (relation.schema, relation.table))
        return {str(name): str(kind) for name, kind in rows}

    def row_count(self, relation: Relation) -> int:
        """Return how many rows a table has.

        Raises:
            QueryFailedError: When it cannot be read.
        """
        return int(self.query(f"select count(*) from {relation.sql}")[0][0])  # noqa: S608 - names from the project's own YAML

    def content_hash(self, relation: Relation, columns: Collection[str]) -> str:
        """Return a hash of all rows of a table, whatever their order.

        Raises:
            QueryFailedError: When they cannot be read.
        """
        names = ", ".join(map(sql_identifier, columns))
        sql = f"select hash_agg({names}) from {relation.sql}"  # noqa: S608 - names of the warehouse
        return str(self.query(sql)[0][0])

    def close(self, *, abandon: bool = False) -> None:
        """End the session, if one was opened.

        Args:
            abandon: Whether to send nothing any more, to a warehouse that does not answer.
        """
        opened, self._opened = self._opened, None
        if opened is not None and abandon:
            abandon_connection(opened)
        elif opened is not None:
            opened.close()


def table_metadata(
    reader: TableReader, relation: Relation, columns: Mapping[str, str]
) -> dict[str, Any]:
    """Return a table's row count, name and columns under the names that Dagster's UI knows.

    Raises:
        QueryFailedError: When the table cannot be read.
    """
    return {
        ROW_COUNT: reader.row_count(relation),
        "dagster/table_name": str(relation),
        COLUMN_SCHEMA: dg.TableSchema([dg.TableColumn(*column) for column in columns.items()]),
    }
