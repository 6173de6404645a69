"""The columns of dbt models and what they are made of, read from their SQL, without a warehouse.

`python -m factories.dbt.compiled_columns FOLDER CHANGED…` prints them as JSON: of the nodes that
CHANGED names, by unique id or by file, and of what is downstream of them. The columns of a source
are those that its YAML declares, and those that models name.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot.errors import OptimizeError

from factories.core.warehouse.names import Relation
from factories.dbt.environment import PLACEHOLDER, dbt_environment
from factories.dbt.prepare import target_folder
from factories.dbt.project.manifest_file import stored_names
from factories.dbt.sql_lineage import Select, Table, names_of_using
from factories.dbt.stated_columns import (
    seed_columns,
    snapshot_columns,
    source_columns,
    when_lost,
)

if TYPE_CHECKING:
    from factories.dbt.offline_compile import OfflineProject

# Stands for the columns of a table that nobody declares: where a `*` takes it, it comes out.
UNDECLARED = "?"
TYPE = "unknown"
Node = Any  # dbt's


@dataclass
class TableColumns:
    """What is known of the columns of a node's table.

    Attributes:
        name: The node's name.
        columns: What each column is made of: tables and their columns; None when not known.
        expressions: The SQL of each column.
        why: Why they are not known.
        lacking: The columns that its SQL names and nothing has, with the tables they may be of.
        when_lost: What becomes of a column in the table that the SQL has no more: it is `gone` with
            the next run, is `kept` as it was, or the node's own run `fails`.
    """

    name: str
    columns: dict[str, list[tuple[str, str]]] | None = None
    expressions: dict[str, str] = field(default_factory=dict)
    why: str = ""
    lacking: list[tuple[str, list[str]]] = field(default_factory=list)
    when_lost: str = "gone"


def trace_columns(project: OfflineProject, changed: Iterable[str]) -> dict[str, TableColumns]:
    """Return the columns of what a change touches and of what is downstream, by table.

    Args:
        project: The dbt project.
        changed: Unique ids of nodes, and files relative to the dbt project.
    """
    return _Trace(project).of(frozenset(changed))


class _Trace:
    def __init__(self, project: OfflineProject) -> None:
        self._project = project
        self._nodes: Mapping[str, Node] = {
            uid: node
            for uid, node in project.manifest.nodes.items()
            if node.resource_type in {"model", "seed", "snapshot"}
        }
        self._sources: Mapping[str, Node] = project.manifest.sources
        self._reads = {
            uid: [dep for dep in _reads(node) if dep in self._nodes or dep in self._sources]
            for uid, node in self._nodes.items()
        }
        self._columns: dict[str, list[str] | None] = {}

    def of(self, changed: frozenset[str]) -> dict[str, TableColumns]:
        order = [uid for uid in TopologicalSorter(self._reads).static_order() if uid in self._nodes]
        touched: set[str] = set()
        for uid in order:
            reads = self._reads[uid]
            sources = [dep for dep in reads if dep in self._sources]
            if touched.intersection(reads) or any(
                self._is_changed(one, changed) for one in (uid, *sources)
            ):
                touched.add(uid)
        needed = self._with_upstream(touched)
        found: dict[str, TableColumns] = {}
        for uid in order:
            if uid in needed and not _is_ephemeral(self._nodes[uid]):
                columns = self._trace(uid, whole=uid in touched)
                self._columns[uid] = None if columns.columns is None else [*columns.columns]
                if uid in touched:
                    found[_text(self._table(uid))] = columns
        return found

    def _is_changed(self, uid: str, changed: frozenset[str]) -> bool:
        node = self._nodes.get(uid) or self._sources[uid]
        patch = (getattr(node, "patch_path", None) or "").partition("://")[2]
        return not changed.isdisjoint({uid, node.original_file_path, patch})

    def _with_upstream(self, touched: Iterable[str]) -> set[str]:
        needed: set[str] = set()
        left = list(touched)
        while left:
            uid = left.pop()
            if uid not in needed:
                needed.add(uid)
                left += self._reads.get(uid, ())
        return needed

    def _table(self, uid: str) -> Table:
        node = self._nodes.get(uid) or self._sources[uid]
        return stored_names(node.relation_name)

    def _trace(self, uid: str, *, whole: bool) -> TableColumns:
        """Return a node's columns.

        Args:
            uid: The node.
            whole: Also what they are made of.
        """
        from factories.dbt.offline_compile import NotCompiledError  # noqa: PLC0415 - imports dbt

        node = self._nodes[uid]
        found = TableColumns(node.name, when_lost=when_lost(node))
        if node.resource_type == "seed":
            names = seed_columns(node, self._project.folder_of(node))
            found.columns = {name: [] for name in names}
            return found
        reads = [*self._through(uid)]
        try:
            self._read(self._project.compile(node), reads, found, whole=whole)
            if whole and node.config.materialized == "incremental":
                self._columns[uid] = None if found.columns is None else [*found.columns]
                self._add_increment(node, [*reads, uid], found)
        except NotCompiledError as error:
            found.why = str(error)
        if found.columns is not None and node.resource_type == "snapshot":
            found.columns |= {name: [] for name in snapshot_columns(node)}
        return found

    def _read(self, sql: str, reads: list[str], found: TableColumns, *, whole: bool) -> None:
        """Read a node's SQL: its columns, what they are made of, and what it lacks."""
        known = self._known(reads)
        open_tables = self._open_tables(reads)
        try:
            tables = _schema(known, open_tables, names_of_using(sql) if open_tables else ())
            select = Select(sql, tables)
            lacking = [*select.lacking()]
            if _add_named(lacking, tables, open_tables):
                select = Select(sql, tables)
            columns = select.columns
            deps = select.deps() if whole else {}
        except OptimizeError as error:  # it joins by a column that one side does not have
            found.why = f"its SQL cannot be followed: {error}"
            found.lacking = [(n, [_text(table) for table in known]) for n in names_of_using(sql)]
            return
        except Exception as error:  # noqa: BLE001 - whatever sqlglot stumbles over
            found.why = f"its SQL cannot be followed: {str(error).splitlines()[0]}"
            return
        found.lacking = _as_texts(lacking)
        if not {UNDECLARED, "*"}.isdisjoint(columns):
            unknown = sorted(_text(t) for t in open_tables if UNDECLARED in tables[t])
            names = ", ".join(unknown) or "a table that is no ref or source"
            found.why = f"selects * of {names}, whose columns are not known"
            return
        found.expressions = select.expressions()
        found.columns = {
            name: [
                (_text(table), column) for table, column in deps.get(name, ()) if table in tables
            ]
            for name in columns
        }

    def _add_increment(self, node: Node, reads: list[str], found: TableColumns) -> None:
        """Add what an incremental node lacks only where its table is there already."""
        from factories.dbt.offline_compile import NotCompiledError  # noqa: PLC0415 - imports dbt

        increment = TableColumns(found.name)
        try:
            sql = self._project.compile(node, incrementally=True)
        except NotCompiledError:
            return  # for instance, it asks how far its table is
        self._read(sql, reads, increment, whole=False)
        found.lacking += [one for one in increment.lacking if one not in found.lacking]

    def _known(self, reads: Iterable[str]) -> dict[Table, list[str] | None]:
        """Return the columns of what a node reads; None where they are not known."""
        known: dict[Table, list[str] | None] = {}
        for dep in reads:
            if dep in self._nodes:
                known[self._table(dep)] = self._columns[dep]
            else:
                known[self._table(dep)] = [*source_columns(self._sources[dep])] or None
        return known

    def _open_tables(self, reads: Iterable[str]) -> set[Table]:
        """Return the tables that may have more columns than are known."""
        return {
            self._table(dep) for dep in reads if dep in self._sources or self._columns[dep] is None
        }

    def _through(self, uid: str) -> Iterator[str]:
        """Yield what a node reads, through ephemeral models, whose SQL becomes part of its own."""
        seen: set[str] = set()
        left = list(self._reads[uid])
        while left:
            dep = left.pop()
            if dep not in seen:
                seen.add(dep)
                if dep in self._nodes and _is_ephemeral(self._nodes[dep]):
                    left += self._reads[dep]
                else:
                    yield dep


def _schema(
    known: Mapping[Table, list[str] | None], open_tables: set[Table], using: Iterable[str]
) -> dict[Table, dict[str, str]]:
    schema = {
        table: dict.fromkeys([UNDECLARED] if columns is None else columns, TYPE)
        for table, columns in known.items()
    }
    for table in open_tables:
        schema[table] |= dict.fromkeys(using, TYPE)
    return schema


def _add_named(
    lacking: Iterable[tuple[str, frozenset[Table]]],
    tables: Mapping[Table, dict[str, str]],
    open_tables: set[Table],
) -> bool:
    """Add the columns that the SQL names to tables that may have them; tell whether any was."""
    added = False
    for name, of in lacking:
        if len(of) == 1 and of <= open_tables:
            tables[next(iter(of))][name] = TYPE
            added = True
    return added


def _as_texts(lacking: Iterable[tuple[str, frozenset[Table]]]) -> list[tuple[str, list[str]]]:
    merged: defaultdict[str, set[str]] = defaultdict(set)
    for name, tables in lacking:
        merged[name].update(_text(table) for table in tables)
    return [(name, sorted(tables)) for name, tables in sorted(merged.items())]


def _text(table: Table) -> str:
    return str(Relation(*table))


def _reads(node: Node) -> Iterable[str]:
    return () if node.resource_type == "seed" else node.depends_on.nodes


def _is_ephemeral(node: Node) -> bool:
    return bool(node.resource_type == "model" and node.config.materialized == "ephemeral")


def main() -> None:
    """Print the columns of the project that the command line names."""
    folder, changed = Path(sys.argv[1]), sys.argv[2:]
    for name, value in dbt_environment(PLACEHOLDER).items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as name:
        from factories.dbt.offline_compile import OfflineProject  # noqa: PLC0415 - reads variables

        parsed = target_folder(folder) / "partial_parse.msgpack"
        if parsed.is_file():
            shutil.copy(parsed, name)
        found = trace_columns(OfflineProject(folder, Path(name)), changed)
    sys.stdout.write(json.dumps({table: asdict(columns) for table, columns in found.items()}))


if __name__ == "__main__":
    main()
