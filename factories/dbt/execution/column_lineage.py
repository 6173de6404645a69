"""Which columns of which tables a model's columns are made of, read from its compiled SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

import dagster as dg

from factories.core.execution.table_reader import TableReader
from factories.core.warehouse.names import Relation
from factories.dbt.project.manifest import Node as DbtNode
from factories.dbt.sql_lineage import Select, Table


class Tables(Protocol):
    """The tables of a dbt project: their assets, and where they lie."""

    @property
    def keys(self) -> Mapping[str, dg.AssetKey]:
        """The asset keys of nodes and sources, by unique id."""

    def relation(self, unique_id: str) -> Relation | None:
        """Return the table of a node or source."""


class ColumnLineage:
    """Reads the lineage of models, one after the other; a table's columns are asked for once."""

    def __init__(self, tables: Tables, reader: TableReader, report: Callable[[str], None]) -> None:
        """Take what finds the lineage.

        Args:
            tables: Of the dbt project.
            reader: Looks at tables.
            report: Called with the reason when a model has no lineage.
        """
        self._tables = tables
        self._report = report
        self._columns = cache(reader.columns)

    def of(self, node: DbtNode, compiled: str | None) -> dg.TableColumnLineage | None:
        """Return the columns that each column depends on; None when the SQL does not show it.

        Args:
            node: The model.
            compiled: Its SELECT, as the warehouse gets it; dbt keeps none of a snapshot.

        Raises:
            QueryFailedError: When the columns of what it reads cannot be read.
        """
        keys: dict[Table, dg.AssetKey] = {}
        columns: dict[Table, Mapping[str, str]] = {}
        for dep in node.depends_on:
            relation = self._tables.relation(dep)
            if relation and dep in self._tables.keys:
                keys[_name(relation)] = self._tables.keys[dep]
                columns[_name(relation)] = self._columns(relation)
        if compiled is None and _is_copy(node):
            compiled = next((f"select * from {_sql(name)}" for name in keys), None)  # noqa: S608 - only parsed
        if not compiled:
            return None
        try:
            read = Select(compiled, columns).deps()
        except Exception as error:  # noqa: BLE001 - whatever it stumbles over, the table is built
            self._report(f"no column lineage of {node.name}: {type(error).__name__}: {error}")
            return None
        found = {
            column: [dg.TableColumnDep(keys[table], name) for table, name in deps if table in keys]
            for column, deps in read.items()
            if column != "*"  # of a table whose columns sqlglot does not find
        }
        found = {column: deps for column, deps in found.items() if deps}
        return dg.TableColumnLineage(found) if found else None


def _is_copy(node: DbtNode) -> bool:
    """Tell whether a node has the columns of what it reads: a snapshot that YAML declares."""
    return node.kind == "snapshot" and not node.path.endswith(".sql") and len(node.depends_on) == 1


def _name(relation: Relation) -> Table:
    return relation.database, relation.schema, relation.table


def _sql(name: Table) -> str:
    return Relation(*name).sql
