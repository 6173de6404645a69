"""Which columns of which tables a model's columns are made of, read from its compiled SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import dagster as dg
from sqlglot import exp
from sqlglot.lineage import Node, lineage

from factories.core.execution.table_reader import TableReader
from factories.core.warehouse.names import Relation
from factories.dbt.project.manifest import Node as DbtNode

QUOTED = re.compile(r'"((?:[^"]|"")*)"$')
Keys = dict[tuple[str, str, str], dg.AssetKey]


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
        keys: Keys = {}
        schema: dict[str, Any] = {}
        for dep in node.depends_on:
            relation = self._tables.relation(dep)
            if relation and dep in self._tables.keys:
                keys[_name(relation)] = self._tables.keys[dep]
                _put(schema, relation, self._columns(relation))
        if compiled is None and _is_copy(node):
            compiled = next((f"select * from {_sql(name)}" for name in keys), None)  # noqa: S608 - only parsed
        if not compiled:
            return None
        try:
            # Else each column gets a copy of every SELECT: 20 s for one of 240 columns.
            nodes = lineage(None, compiled, schema, dialect="snowflake", trim_selects=False)
        except Exception as error:  # noqa: BLE001 - whatever it stumbles over, the table is built
            self._report(f"no column lineage of {node.name}: {type(error).__name__}: {error}")
            return None
        found = {
            column: [dg.TableColumnDep(key, name) for key, name in dict.fromkeys(_deps(root, keys))]
            for column, root in nodes.items()
            if column != "*"  # of a table whose columns sqlglot does not find
        }
        found = {column: deps for column, deps in found.items() if deps}
        return dg.TableColumnLineage(found) if found else None


def _is_copy(node: DbtNode) -> bool:
    """Tell whether a node has the columns of what it reads: a snapshot that YAML declares."""
    return node.kind == "snapshot" and not node.path.endswith(".sql") and len(node.depends_on) == 1


def _name(relation: Relation) -> tuple[str, str, str]:
    return relation.database, relation.schema, relation.table


def _sql(name: tuple[str, str, str]) -> str:
    return Relation(*name).sql


def _put(schema: dict[str, Any], relation: Relation, columns: Mapping[str, str]) -> None:
    tables = schema.setdefault(relation.database, {}).setdefault(relation.schema, {})
    tables[relation.table] = dict(columns)


def _deps(node: Node, keys: Keys) -> Iterator[tuple[dg.AssetKey, str]]:
    for leaf in node.walk():
        table = leaf.expression
        if isinstance(table, exp.Table):
            database, schema, own = (table.args.get(part) for part in ("catalog", "db", "this"))
            name = (_stored(database), _stored(schema), _stored(own))
            if name in keys:
                yield keys[name], _column_name(leaf.name)


def _stored(identifier: Any) -> str:
    """Return what Snowflake calls a part of a table's name: as it is where it is quoted."""
    name = str(identifier.name) if identifier else ""
    return name if identifier and identifier.args.get("quoted") else name.upper()


def _column_name(leaf: str) -> str:
    """Return the column of a leaf such as `ORDERS."Unit price"`, as Snowflake stores it."""
    if quoted := QUOTED.search(leaf):
        return quoted[1].replace('""', '"')
    return leaf.rpartition(".")[2].upper()
