"""DROP, TRUNCATE and UNDROP of tables and views, COMMENT ON.

What fakesnow lacks: temporary objects, TRUNCATE IF EXISTS, comments with quotes in them, the errors
for objects that do not exist.
"""

from __future__ import annotations

from typing import cast

from fakesnow.statement_type import DDL
from sqlglot import exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.account import drop_grants
from local_snowflake.objects.annotations import annotate_columns, annotate_relation
from local_snowflake.objects.catalog import relation_kind
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, does_not_exist, syntax_error, unsupported
from local_snowflake.sql.names import resolve, stored_identifier
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.copy.history import clear_load_history
from local_snowflake.stages.stages import delete_table_stage

_RELATIONS = {"TABLE", "VIEW"}


class DropRelation:
    """DROP TABLE and DROP VIEW; of two objects with one name the temporary one is dropped."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops a table or a view."""
        return statement.is_of_kind(exp.Drop, *_RELATIONS)

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Drop it."""
        drop = cast(exp.Drop, statement.expression)
        kind = str(drop.args["kind"]).upper()
        if len(drop.args["tables"]) > 1:
            raise syntax_error(f"DROP {kind} takes one name")
        name = resolve(drop.args["tables"][0], session)
        place = session.temporaries.physical(name)
        found = relation_kind(session.duck, place)
        if found is None:
            if drop.args.get("exists"):
                message = f"Drop statement executed successfully ({name.name} already dropped)."
                return status_result(message, type_id=DDL)
            raise does_not_exist(kind.title(), name, "42S02")
        if found != kind:
            raise SqlError(
                f"SQL compilation error:\nObject found is of type '{found}', "
                f"not specified type '{kind}'.",
                2203,
                "42601",
            )
        session.duck.execute(f"DROP {kind} {place.sql}")
        if place == name:
            drop_grants(session, name)
            if kind == "TABLE":
                delete_table_stage(name, session)
        session.temporaries.discard(name)
        return status_result(f"{name.name} successfully dropped.", type_id=DDL)


class TruncateTable:
    """TRUNCATE [TABLE] [IF EXISTS]: DuckDB has no IF EXISTS."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement empties a table."""
        return isinstance(statement.expression, exp.TruncateTable)

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Delete the rows."""
        truncate = cast(exp.TruncateTable, statement.expression)
        name = resolve(truncate.expressions[0], session)
        place = session.temporaries.physical(name)
        if relation_kind(session.duck, place) == "TABLE":
            session.duck.execute(f"DELETE FROM {place.sql}")  # noqa: S608 - quoted
            clear_load_history(session.duck, place)
            session.times.rows_changed(place)
        elif not truncate.args.get("exists"):
            raise does_not_exist("Table", name, "42S02")
        return status_result(type_id=DDL)


class CommentOn:
    """COMMENT [IF EXISTS] ON TABLE, VIEW or COLUMN."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is COMMENT ON."""
        return statement.keyword == "COMMENT"

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Store the comment."""
        comment = statement.expression
        if not isinstance(comment, exp.Comment):
            raise syntax_error("COMMENT ON takes an object's kind, its name, IS and a string")
        kind = str(comment.args["kind"]).upper()
        text = comment.expression.name
        if kind == "COLUMN":
            column = comment.this
            owner = {
                key: column.args[part].copy()
                for key, part in (("this", "table"), ("db", "db"), ("catalog", "catalog"))
                if column.args.get(part)
            }
            if not owner:
                raise syntax_error("COMMENT ON COLUMN takes the table's name and the column's")
            place = session.temporaries.physical(resolve(exp.Table(**owner), session))
            annotate_columns(session.duck, place, {stored_identifier(column.this): text})
            session.times.altered(place)
        elif kind in _RELATIONS:
            name = resolve(comment.this, session)
            place = session.temporaries.physical(name)
            found = relation_kind(session.duck, place)
            if found is None and not comment.args.get("exists"):
                raise does_not_exist(kind.title(), name, "42S02")
            if found is not None:
                annotate_relation(session.duck, place, found, comment=text)
                session.times.altered(place)
        elif kind not in {"SCHEMA", "DATABASE", "WAREHOUSE", "ROLE", "USER", "STAGE"}:
            raise unsupported(f"COMMENT ON {kind}")
        return status_result(type_id=DDL)


class Undrop:
    """UNDROP is refused: dropped objects are gone."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is UNDROP."""
        return statement.keyword == "UNDROP"

    def run(
        self,
        session: StatementContext,  # noqa: ARG002 - the protocol's signature
        statement: Statement,  # noqa: ARG002 - the protocol's signature
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Raise the error that names the feature."""
        raise unsupported("UNDROP (Time Travel)")
