"""Where the columns of a SELECT come from, read from its SQL by sqlglot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

DIALECT = "snowflake"
QUOTED = re.compile(r'"((?:[^"]|"")*)"$')
Table = tuple[str, str, str]  # database, schema and name, as Snowflake stores them
Column = tuple[Table, str]
# Parts of a SELECT that may name one of its own columns.
AFTER_SELECT = (exp.Group, exp.Having, exp.Order, exp.Qualify)


class Select:
    """A SELECT, with each `*` spelled out and each column assigned to what it is read from."""

    def __init__(self, sql: str, tables: Mapping[Table, Mapping[str, str]]) -> None:
        """Parse the SQL.

        Args:
            sql: The statement, as the warehouse gets it.
            tables: The columns of the tables that it reads, with their types.

        Raises:
            SqlglotError: When sqlglot does not understand it.
        """
        nested: dict[str, Any] = {}
        for (database, schema, name), columns in tables.items():
            nested.setdefault(database, {}).setdefault(schema, {})[name] = dict(columns)
        # The names are as Snowflake stores them: lower case stays what it is.
        self._schema = MappingSchema(nested, dialect=DIALECT, normalize=False)
        self._tables = tables
        parsed = normalize_identifiers(parse_one(sql, dialect=DIALECT), dialect=DIALECT)
        self._excluded = {*_excluded(parsed)}  # qualified, no `*` is left that excludes anything
        self._expression = qualify(
            parsed,
            dialect=DIALECT,
            schema=self._schema,
            validate_qualify_columns=False,
            allow_partial_qualification=True,  # what is not there is told by `lacking`
            identify=False,
        )
        scope = build_scope(self._expression)
        if scope is None or not isinstance(scope.expression, exp.Query):
            raise SqlglotError("it is no SELECT")
        self._scope = scope
        self._query: exp.Query = scope.expression

    @property
    def columns(self) -> list[str]:
        """Its columns; `*` where it takes all of a table that is not known."""
        return [str(name) for name in self._query.named_selects]

    def deps(self) -> dict[str, list[Column]]:
        """Return the columns of tables that each of its columns is made of.

        Raises:
            Exception: Whatever sqlglot stumbles over.
        """
        nodes = lineage(
            None,
            self._expression,
            self._schema,
            dialect=DIALECT,
            scope=self._scope,
            # Else each column gets a copy of every SELECT: 20 s for one of 240 columns.
            trim_selects=False,
            copy=False,
        )
        return {name: list(dict.fromkeys(_leaves(root))) for name, root in nodes.items()}

    def expressions(self) -> dict[str, str]:
        """Return the SQL of each of its columns."""
        return {
            select.alias_or_name: select.unalias().sql(dialect=DIALECT)
            for select in self._query.selects
        }

    def lacking(self) -> Iterator[tuple[str, frozenset[Table]]]:
        """Yield the columns that it names and nothing has: each with the tables it may be of."""
        for scope in self._scope.traverse():
            for column in scope.columns:
                tables = _tables_without(column, scope, self._tables)
                if tables:
                    yield column.name, tables
        below = _tables_below(self._scope)
        for name in sorted(self._excluded):
            if not any(name in columns for columns in self._tables.values()):
                yield name, below


def _excluded(expression: exp.Expr) -> Iterator[str]:
    """Yield the columns that a `* exclude (…)` names."""
    for star in expression.find_all(exp.Star):
        for column in star.args.get("except_") or ():
            yield column.name


def names_of_using(sql: str) -> set[str]:
    """Return the columns that a statement joins tables by with USING."""
    expression = normalize_identifiers(parse_one(sql, dialect=DIALECT), dialect=DIALECT)
    return {
        identifier.name
        for join in expression.find_all(exp.Join)
        for identifier in join.args.get("using") or ()
    }


def _tables_without(
    column: exp.Column, scope: Scope, known: Mapping[Table, Mapping[str, str]]
) -> frozenset[Table]:
    """Return the tables that a column may be of where no table has it; else nothing."""
    if column.table:
        source = scope.sources.get(column.table)
        if isinstance(source, exp.Table):
            columns = known.get(_table(source))
            lacks = columns is not None and column.name not in columns
            return frozenset([_table(source)]) if lacks else frozenset()
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            names = source.expression.named_selects
            lacks = "*" not in names and column.name not in names
            return _tables_below(source) if lacks else frozenset()
        return frozenset()
    names = scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []
    if column.name in names and column.find_ancestor(*AFTER_SELECT):
        return frozenset()
    return _tables_below(scope)


def _tables_below(scope: Scope) -> frozenset[Table]:
    """Return the tables that a SELECT reads, also by way of others inside it."""
    found: set[Table] = set()
    for _, source in scope.selected_sources.values():
        if isinstance(source, exp.Table):
            found.add(_table(source))
        else:
            found |= _tables_below(source)
    for part in scope.set_operation_scopes:
        found |= _tables_below(part)
    return frozenset(found)


def _leaves(node: Node) -> Iterator[Column]:
    for leaf in node.walk():
        if isinstance(leaf.expression, exp.Table):
            yield _table(leaf.expression), _column_name(leaf.name)


def _table(table: exp.Table) -> Table:
    database, schema, own = (_stored(table.args.get(part)) for part in ("catalog", "db", "this"))
    return database, schema, own


def _stored(identifier: Any) -> str:
    """Return what Snowflake calls a part of a table's name: as it is where it is quoted."""
    name = str(identifier.name) if identifier else ""
    return name if identifier and identifier.args.get("quoted") else name.upper()


def _column_name(leaf: str) -> str:
    """Return the column of a leaf such as `ORDERS."Unit price"`, as Snowflake stores it."""
    if quoted := QUOTED.search(leaf):
        return quoted[1].replace('""', '"')
    return leaf.rpartition(".")[2]
