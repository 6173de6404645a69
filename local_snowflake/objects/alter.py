"""ALTER TABLE and ALTER VIEW.

What fakesnow lacks: SWAP WITH, several columns at once for DROP and ALTER, keys (which DuckDB would
enforce), comments with quotes in them, temporary objects.
"""

from __future__ import annotations

import sqlglot
from fakesnow.statement_type import DDL
from sqlglot import Expr, TokenType, exp

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, status_result
from local_snowflake.objects.account import move_grants
from local_snowflake.objects.annotations import (
    Key,
    annotate_columns,
    annotate_relation,
    copy_annotations,
    recorded_keys,
)
from local_snowflake.objects.catalog import columns_sql, relation_kind
from local_snowflake.objects.tables import extract_declarations, mentions_number_38_0, parse_keys
from local_snowflake.objects.temporary import stored_name
from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import already_exists, does_not_exist, unsupported
from local_snowflake.sql.lexer import strip_comments
from local_snowflake.sql.names import Name, as_table, resolve, stored_identifier
from local_snowflake.sql.quoting import sql_identifier
from local_snowflake.sql.statements import Statement

_RELATIONS = {"TABLE", "VIEW"}


class AlterRelation:
    """ALTER TABLE and ALTER VIEW."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement alters a table or a view."""
        return statement.keyword == "ALTER" and statement.words[1:2] in (["TABLE"], ["VIEW"])

    def run(
        self,
        session: StatementContext,
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Run each of the statement's actions."""
        wide = mentions_number_38_0(statement)
        for alter in _alters(statement):
            name = resolve(alter.this, session)
            place = session.temporaries.physical(name)
            kind = relation_kind(session.duck, place)
            if kind is None:
                if alter.args.get("exists"):
                    continue
                raise does_not_exist(str(alter.kind).title(), name, "42S02")
            for action in alter.args["actions"]:
                _Action(session, name, place, kind, wide=wide).run(action)
                if not isinstance(action, exp.SwapTable | exp.AlterRename):
                    session.times.altered(place)
        return status_result(type_id=DDL)


def _alters(statement: Statement) -> list[exp.Alter]:
    """Parse the statement into trees: sqlglot parses ALTER COLUMN with one column only."""
    if isinstance(statement.expression, exp.Alter):
        return [statement.expression.copy()]
    sql = strip_comments(statement.sql)
    tokens = sqlglot.tokenize(sql, read="snowflake")
    verb = next(
        (
            position
            for position, token in enumerate(tokens)
            if position > 1 and token.text.upper() in {"ALTER", "MODIFY"}
        ),
        None,
    )
    if verb is None:
        raise unsupported(" ".join(sql.split()[:6]))
    head = sql[: tokens[verb].start]
    items = tokens[verb + 1 :]
    if items and items[0].token_type == TokenType.L_PAREN:
        items = items[1:-1]
    depth = 0
    groups: list[list[sqlglot.Token]] = [[]]
    for token in items:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.COMMA and depth == 0:
            groups.append([])
        else:
            groups[-1].append(token)
    alters = []
    for group in groups:
        item = sql[group[0].start : group[-1].end + 1] if group else ""
        column = item if item.upper().startswith("COLUMN ") else f"COLUMN {item}"
        alter = sqlglot.parse_one(f"{head} ALTER {column}", read="snowflake")
        if not isinstance(alter, exp.Alter):
            raise unsupported(f"ALTER TABLE … ALTER {item}")
        alters.append(alter)
    return alters


class _Action:
    """One action on one table or view.

    Args:
        session: The session.
        name: The table's name in Snowflake.
        place: Its name in DuckDB.
        kind: TABLE or VIEW.
        wide: Whether NUMBER(38, 0) holds 38 digits.
    """

    def __init__(
        self, session: StatementContext, name: Name, place: Name, kind: str, *, wide: bool
    ) -> None:
        self.session = session
        self.duck = session.duck
        self.name = name
        self.place = place
        self.kind = kind
        self.wide = wide

    def run(self, action: Expr) -> None:  # noqa: C901, PLR0912 - one case per kind of action
        """Run the action."""
        match action:
            case exp.SwapTable():
                self._swap(resolve(action.this, self.session))
            case exp.AlterRename():
                self._rename(resolve(action.this, self.session))
            case exp.AddConstraint():
                keys = [key for item in action.expressions for key in parse_keys(item)]
                self._set_keys([*recorded_keys(self.duck, self.place), *keys])
            case exp.ColumnDef():
                self._add([action])
            case exp.Schema():
                self._add(list(action.expressions))
            case exp.Drop() if str(action.args.get("kind")).upper() == "COLUMN":
                exists = "IF EXISTS " if action.args.get("exists") else ""
                for column in action.args["tables"]:
                    self._alter(f"DROP COLUMN {exists}{_column(column)}")
            case exp.Drop():
                dropped = {stored_identifier(item.this) for item in action.args["tables"]}
                keys = recorded_keys(self.duck, self.place)
                self._set_keys([key for key in keys if key.name not in dropped])
            case exp.RenameColumn():
                self._alter(f"RENAME COLUMN {_column(action.this)} TO {_column(action.args['to'])}")
            case exp.AlterColumn():
                self._alter_column(action)
            case exp.AlterSet() | exp.Set():
                self._set_properties(action)
            case exp.Command():
                self._command(action)
            case exp.ClusterProperty() | exp.Cluster():
                pass  # clustering has no meaning here
            case _:
                raise unsupported(f"ALTER {self.kind} … {action.sql('snowflake')}")

    def _alter(self, action: str) -> None:
        self.duck.execute(f"ALTER {self.kind} {self.place.sql} {action}")

    def _add(self, columns: list[Expr]) -> None:
        schema = exp.Schema(this=as_table(self.place), expressions=columns)
        alter = exp.Alter(this=as_table(self.place), kind="TABLE", actions=[schema])
        declared = extract_declarations(schema, wide=self.wide)
        for column in schema.expressions:
            alter.set("actions", [column.copy()])
            self.session.run_translated(alter.copy(), NO_BINDINGS)
        annotate_columns(self.duck, self.place, declared.comments, declared.types)

    def _alter_column(self, action: exp.AlterColumn) -> None:
        column = stored_identifier(next(action.this.find_all(exp.Identifier)))
        comment = action.args.get("comment")
        if comment is not None:
            annotate_columns(self.duck, self.place, {column: comment.name})
            return
        alter = exp.Alter(this=as_table(self.place), kind="TABLE", actions=[action])
        note = None
        if isinstance(kind := action.args.get("dtype"), exp.DataType):
            schema = exp.Schema(
                expressions=[exp.ColumnDef(this=exp.to_identifier(column, quoted=True), kind=kind)]
            )
            note = extract_declarations(schema, wide=self.wide).types.get(column, "")
        self.session.run_translated(alter.copy(), NO_BINDINGS)
        if note is not None:
            annotate_columns(self.duck, self.place, types={column: note})

    def _set_properties(self, action: Expr) -> None:
        """Store comments; retention, change tracking, tags and SECURE have no effect here."""
        for found in action.find_all(exp.SchemaCommentProperty):
            annotate_relation(self.duck, self.place, self.kind, comment=found.this.name)
        if isinstance(action, exp.Set) and "COMMENT" in action.sql().upper():
            annotate_relation(self.duck, self.place, self.kind, comment="")

    def _command(self, action: exp.Command) -> None:
        words = f"{action.this} {action.args.get('expression') or ''}".split()
        match [word.upper() for word in words]:
            case ["DROP", "PRIMARY", "KEY"]:
                keys = recorded_keys(self.duck, self.place)
                self._set_keys([key for key in keys if key.kind != "PRIMARY KEY"])
            case ["DROP", "CLUSTERING", "KEY"] | ["RESUME" | "SUSPEND", "RECLUSTER"]:
                pass  # clustering has no meaning here
            case ["DROP", _]:
                self._alter(f"DROP COLUMN {sql_identifier(_stored_word(words[1]))}")
            case _:
                raise unsupported(f"ALTER {self.kind} … {' '.join(words[:3])}")

    def _set_keys(self, keys: list[Key]) -> None:
        annotate_relation(self.duck, self.place, self.kind, keys=keys)

    def _rename(self, name: Name) -> None:
        temporary = self.name in self.session.temporaries
        target = stored_name(name) if temporary else name
        if relation_kind(self.duck, target) is not None:
            raise already_exists(name)
        self._move(self.place, target)
        self.session.times.moved({self.place: target})
        move_grants(self.session, {self.place: target})
        if temporary:
            self.session.temporaries.discard(self.name)
            self.session.temporaries.add(name)

    def _swap(self, name: Name) -> None:
        """Exchange the names of two tables; the statement's transaction makes it atomic."""
        other = self.session.temporaries.physical(name)
        if relation_kind(self.duck, other) != "TABLE" or self.kind != "TABLE":
            raise does_not_exist("Table", name, "42S02")
        if (self.place.database, self.place.schema) == ("temp", "main") or other[0] == "temp":
            raise unsupported("SWAP WITH of a temporary table")
        if self.place == other:
            return
        between = self.place._replace(name=f"{self.place.name} (swapped)")
        self._move(self.place, between)
        self._move(other, self.place)
        self._move(between, other)
        self.session.times.moved({self.place: other, other: self.place})
        move_grants(self.session, {self.place: other, other: self.place})

    def _move(self, source: Name, target: Name) -> None:
        if source.database != target.database:
            raise unsupported(f"ALTER {self.kind} across databases")
        if source.schema == target.schema:
            self.duck.execute(
                f"ALTER {self.kind} {source.sql} RENAME TO {sql_identifier(target.name)}"
            )
            return
        if self.kind == "VIEW":
            raise unsupported("ALTER VIEW RENAME to another schema")
        # DuckDB renames within a schema only.
        self.duck.execute(f"CREATE TABLE {target.sql} ({columns_sql(self.duck, source)})")
        self.duck.execute(f"INSERT INTO {target.sql} FROM {source.sql}")
        copy_annotations(self.duck, source, target)
        self.duck.execute(f"DROP TABLE {source.sql}")


def _column(column: Expr) -> str:
    return sql_identifier(stored_identifier(next(column.find_all(exp.Identifier))))


def _stored_word(word: str) -> str:
    return word[1:-1] if word.startswith('"') else word.upper()
