"""CREATE TABLE and CREATE VIEW in all forms.

What fakesnow lacks: temporary objects outside DuckDB's own schema, LIKE, CLONE with defaults and
NOT NULL, typed columns together with AS SELECT *, comments with quotes in them, the error for a
name that is taken; and it lets DuckDB enforce keys, which Snowflake only records
(https://docs.snowflake.com/en/sql-reference/constraints-overview).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import cast

from fakesnow.statement_type import DDL
from fakesnow.transforms import create_table_autoincrement
from sqlglot import Expr, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.account import copy_grants, drop_grants
from local_snowflake.objects.annotations import (
    Key,
    annotate_columns,
    annotate_relation,
    copy_annotations,
    type_annotation,
)
from local_snowflake.objects.catalog import columns_sql, relation_kind
from local_snowflake.objects.temporary import stored_name
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import already_exists, does_not_exist, unsupported
from local_snowflake.sql.names import Name, as_table, resolve, stored_identifier
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.copy.history import clear_load_history

_NOT_HERE = ("DYNAMIC", "EXTERNAL", "HYBRID", "ICEBERG", "EVENT", "INTERACTIVE", "MATERIALIZED")
_KEYS = (
    (exp.PrimaryKeyColumnConstraint, "PRIMARY KEY"),
    (exp.UniqueColumnConstraint, "UNIQUE"),
    (exp.Reference, "FOREIGN KEY"),
)
_KEPT_CONSTRAINTS = (
    exp.NotNullColumnConstraint,
    exp.DefaultColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
)


@dataclass
class Declarations:
    """The parts of a column list beyond DuckDB's names, types, NOT NULL and defaults."""

    comments: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)


class CreateRelation:
    """CREATE [OR REPLACE] [TEMPORARY|TRANSIENT] TABLE|VIEW, with columns, AS, LIKE or CLONE."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates a table or a view."""
        expression = statement.expression
        return (
            isinstance(expression, exp.Create)
            and str(expression.kind).upper() in {"TABLE", "VIEW"}
            and "TEMPLATE" not in statement.words
        )

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Create it with its comments and keys."""
        _refuse_other_kinds(statement)
        create = cast(exp.Create, statement.expression).copy()
        kind = str(create.kind).upper()
        name = resolve(_target(create), session)
        temporary = create.find(exp.TemporaryProperty) is not None
        place = stored_name(name) if temporary else name

        exists = relation_kind(session.duck, place) is not None
        if exists and not create.args.get("replace"):
            if create.args.get("exists"):
                message = f"{name.name} already exists, statement succeeded."
                return status_result(message, type_id=DDL)
            raise already_exists(name)

        keeps_grants = create.find(exp.CopyGrantsProperty) is not None
        if exists and not temporary and not keeps_grants:
            drop_grants(session, name)
        comment = _strip_properties(create)
        schema = create.this if isinstance(create.this, exp.Schema) else None
        wide = mentions_number_38_0(statement)
        declared = extract_declarations(schema, wide=wide) if schema else Declarations()
        _target(create).replace(as_table(place))
        source = _source(create)
        if source is not None:
            origin = session.temporaries.physical(resolve(source, session))
            _copy(session, create, place, origin)
            if keeps_grants and not exists:
                copy_grants(session, origin, place)
        elif kind == "TABLE" and create.expression is not None and schema is not None:
            _create_from_query(session, create, place, bindings)
        else:
            _create(session, create, bindings)

        if temporary:
            session.temporaries.add(name)
        elif kind == "TABLE":
            clear_load_history(session.duck, place)
        session.times.created(place)
        annotate_columns(session.duck, place, declared.comments, declared.types)
        if comment or declared.keys:
            annotate_relation(
                session.duck, place, kind, comment=comment, keys=declared.keys or None
            )
        return status_result(f"{kind.title()} {name.name} successfully created.", type_id=DDL)


def _refuse_other_kinds(statement: Statement) -> None:
    for word in takewhile(lambda word: word not in {"TABLE", "VIEW"}, statement.words):
        if word in _NOT_HERE:
            raise unsupported(f"{word} {'VIEW' if word == 'MATERIALIZED' else 'TABLE'}")


def mentions_number_38_0(statement: Statement) -> bool:
    """Whether the statement spells out NUMBER(38, 0): sqlglot parses NUMBER as the same."""
    return re.search(r"\(\s*38\s*,\s*0\s*\)", statement.sql) is not None


def extract_declarations(schema: exp.Schema, *, wide: bool = False) -> Declarations:
    """Remove from a column list what DuckDB cannot store or would enforce, and return it.

    Args:
        schema: The column list, which is changed.
        wide: Whether NUMBER(38, 0) holds 38 digits; else it becomes fakesnow's BIGINT.

    Raises:
        SqlError: A column has an unsupported type.
    """
    declared = Declarations()
    kept = []
    for item in schema.expressions:
        if isinstance(item, exp.ColumnDef):
            _extract_from_column(item, declared, wide=wide)
            if schema.find_ancestor(exp.Create, exp.Alter) and item.args.get("kind") is None:
                item = item.this  # noqa: PLW2901 - a view's column, or one typed by AS SELECT
            kept.append(item)
        elif isinstance(item, exp.Identifier | exp.Column):
            kept.append(item)
        else:
            declared.keys += parse_keys(item)
    schema.set("expressions", kept)
    primary = {c for key in declared.keys if key.kind == "PRIMARY KEY" for c in key.columns}
    for column in kept:
        if isinstance(column, exp.ColumnDef) and stored_identifier(column.this) in primary:
            column.append("constraints", exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    return declared


def _extract_from_column(column: exp.ColumnDef, declared: Declarations, *, wide: bool) -> None:
    name = stored_identifier(column.this)
    kind = column.args.get("kind")
    if note := type_annotation(kind):
        declared.types[name] = note
    if isinstance(kind, exp.DataType):
        _choose_number(kind, wide=wide)
    kept = []
    for constraint in column.constraints:
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.CommentColumnConstraint):
            declared.comments[name] = kind.this.name
        declared.keys += [Key(label, [name]) for cls, label in _KEYS if isinstance(kind, cls)]
        if isinstance(kind, _KEPT_CONSTRAINTS):
            kept.append(constraint)
    column.set("constraints", kept)


def _choose_number(kind: exp.DataType, *, wide: bool) -> None:
    """Use DuckDB's BIGINT for whole numbers that fit: more of its functions take it.

    dlt declares NUMBER(19, 0) for 64-bit integers.
    """
    if kind.this == exp.DataType.Type.DECFLOAT:
        raise unsupported("DECFLOAT")
    if kind.this != exp.DataType.Type.DECIMAL:
        return
    parameters = [parameter.name for parameter in kind.expressions]
    if parameters in (["19"], ["19", "0"]):
        kind.set("this", exp.DataType.Type.BIGINT)
        kind.set("expressions", [])
    elif wide and parameters == ["38", "0"]:
        # fakesnow turns this into BIGINT, but not NUMBER(38).
        kind.set("expressions", kind.expressions[:1])


def parse_keys(item: Expr) -> list[Key]:
    """Return the keys of a constraint that is an item of its own in a column list."""
    name = stored_identifier(item.this) if isinstance(item, exp.Constraint) else ""
    keys = []
    for cls, label in (
        (exp.PrimaryKey, "PRIMARY KEY"),
        (exp.UniqueColumnConstraint, "UNIQUE"),
        (exp.ForeignKey, "FOREIGN KEY"),
    ):
        for found in item.find_all(cls):
            parts = found.expressions or (found.this.expressions if found.args.get("this") else [])
            keys.append(Key(label, [stored_identifier(_identifier(part)) for part in parts], name))
    return keys


def _identifier(part: Expr) -> Expr:
    return part if isinstance(part, exp.Identifier) else next(part.find_all(exp.Identifier))


def _target(create: exp.Create) -> exp.Table:
    return cast(exp.Table, create.this.this if isinstance(create.this, exp.Schema) else create.this)


def _source(create: exp.Create) -> exp.Table | None:
    """Return the table of LIKE or CLONE."""
    clone = create.args.get("clone")
    if clone is not None:
        if clone.this.args.get("when") or clone.this.args.get("version"):
            raise unsupported("Time Travel (AT, BEFORE)")
        return cast(exp.Table, clone.this)
    like = create.find(exp.LikeProperty)
    return cast(exp.Table, like.this) if like else None


def _strip_properties(create: exp.Create) -> str | None:
    """Remove all properties but TEMPORARY and return the comment.

    The others have no effect here: COPY GRANTS, CLUSTER BY, retention, SECURE, TRANSIENT.
    """
    properties = create.args.get("properties")
    comment = None
    kept = []
    for item in properties.expressions if properties else ():
        if isinstance(item, exp.SchemaCommentProperty):
            comment = item.this.name
        if isinstance(item, exp.TemporaryProperty | exp.LikeProperty):
            kept.append(item)
    create.set("properties", exp.Properties(expressions=kept) if kept else None)
    for option in ("cluster", "copy_grants", "no_schema_binding"):
        create.set(option, None)
    return comment


def _create(session: StatementContext, create: exp.Create, bindings: Bindings) -> None:
    """Create a relation from columns or from a query."""
    for part in create_table_autoincrement(create):
        if str(part.args.get("kind")).upper() == "SEQUENCE":
            _place_sequence(part, create)
        session.run_translated(part, bindings)


def _place_sequence(sequence: Expr, create: exp.Create) -> None:
    """Put the sequence of an AUTOINCREMENT column into the schema of its table."""
    table = _target(create)
    if table.catalog == "temp":
        raise unsupported("AUTOINCREMENT in a temporary table")
    for part in ("db", "catalog"):
        sequence.this.set(part, table.args[part].copy())


def _create_from_query(
    session: StatementContext, create: exp.Create, place: Name, bindings: Bindings
) -> None:
    """Create a table from a query, with the column list's types and NOT NULL."""
    query = create.expression
    columns = create.this.expressions
    if all(isinstance(column, exp.ColumnDef) for column in columns):
        create.set("expression", None)
        _create(session, create, Bindings())
        insert = exp.Insert(this=as_table(place), expression=query)
        session.run_translated(insert, bindings)
        return
    alias = exp.TableAlias(this=exp.to_identifier("_source"), columns=columns)
    source = exp.Subquery(this=query.unnest(), alias=alias)
    create.set("this", as_table(place))
    create.set("expression", exp.select("*").from_(source))
    session.run_translated(create, bindings)


def _copy(session: StatementContext, create: exp.Create, place: Name, origin: Name) -> None:
    """Run LIKE and CLONE: copy the columns, and for CLONE the rows."""
    if relation_kind(session.duck, origin) != "TABLE":
        raise does_not_exist("Table", origin, "42S02")
    head = "CREATE OR REPLACE" if create.args.get("replace") else "CREATE"
    kind = "TEMPORARY TABLE" if place.database == "temp" else "TABLE"
    session.duck.execute(f"{head} {kind} {place.sql} ({columns_sql(session.duck, origin)})")
    if create.args.get("clone"):
        session.duck.execute(f"INSERT INTO {place.sql} FROM {origin.sql}")
    copy_annotations(session.duck, origin, place)
