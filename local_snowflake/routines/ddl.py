"""CREATE, DROP, DESCRIBE and ALTER of procedures and functions.

What fakesnow lacks: it passes them to DuckDB, whose syntax error quotes the whole body. Those in
Python run here (see `calls.py` and `functions.py`); those in SQL, JavaScript, Java and Scala are
refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fakesnow.statement_type import DDL, DESCRIBE

from local_snowflake.engine.results import (
    StatementResult,
    already_exists_result,
    rows_result,
    status_result,
    text_column,
)
from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.definitions import (
    FUNCTION,
    PROCEDURE,
    Routine,
    Signature,
    describe_returns,
)
from local_snowflake.routines.functions import is_built_in
from local_snowflake.routines.grammar import read_routine, read_types
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import does_not_exist, unsupported
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.names import Name, read_name
from local_snowflake.sql.options import read_create_modifiers
from local_snowflake.sql.statements import Statement

_KINDS = {FUNCTION, PROCEDURE}
_BEFORE_KIND = {"OR", "REPLACE", "TEMPORARY", "TEMP", "SECURE", "AGGREGATE", "EXTERNAL", "TABLE"}


class CreateRoutine:
    """CREATE [OR REPLACE] [TEMPORARY] PROCEDURE or FUNCTION."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement creates one."""
        return statement.keyword == "CREATE" and _kind(statement) is not None

    def run(
        self, session: RoutineContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Store the definition.

        Raises:
            SqlError: It exists, it is not in Python, or its environment lacks a package.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("CREATE")
        is_replaced, is_temporary = read_create_modifiers(reader)
        reader.accept("SECURE")
        for word, feature in (
            ("AGGREGATE", "An aggregate function (UDAF)"),
            ("EXTERNAL", "An external function"),
        ):
            if reader.accept(word):
                raise unsupported(feature)
        kind = reader.expect_kind("word").upper
        if_not_exists = reader.accept("IF", "NOT", "EXISTS")
        name = read_name(reader, session)
        routine = read_routine(reader, kind, name, session)
        routine = replace(routine, created_on=datetime.now(UTC).isoformat())
        found = (
            session.routines.temporary.get(routine.signature)
            if is_temporary
            else session.routines.permanent.get(routine.signature)
        )
        if found is not None and not is_replaced:
            return already_exists_result(name.name, if_not_exists=if_not_exists)
        if kind == FUNCTION and is_built_in(name.name):
            raise unsupported(f"A function with the name of a built-in one ({name.name})")
        session.warehouse.handlers.check_packages(routine.packages)
        _store(session, routine, is_temporary=is_temporary)
        return status_result(f"{kind.capitalize()} {name.name} successfully created.", DDL)


class DropRoutine:
    """DROP PROCEDURE or FUNCTION [IF EXISTS] name(types)."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement drops one."""
        return statement.keyword == "DROP" and _kind(statement) is not None

    def run(
        self, session: RoutineContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Drop it; of two with one signature the temporary one is dropped.

        Raises:
            SqlError: It does not exist.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("DROP")
        kind = reader.expect_kind("word").upper
        if_exists = reader.accept("IF", "EXISTS")
        signature = _read_signature(reader, kind, session)
        reader.expect_end()
        temporary = session.routines.temporary.pop(signature, None)
        if temporary is not None:
            session.warehouse.functions.drop(temporary, session.number)
        else:
            permanent = session.routines.permanent.get(signature)
            if permanent is None:
                if not if_exists:
                    raise does_not_exist(kind.capitalize(), signature)
                message = (
                    f"Drop statement executed successfully ({signature.name.name} already dropped)."
                )
                return status_result(message, DDL)
            session.routines.permanent.drop([signature])
            session.warehouse.functions.drop(permanent)
        return status_result(f"{signature.name.name} successfully dropped.", DDL)


class DescribeRoutine:
    """DESCRIBE PROCEDURE or FUNCTION name(types)."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement describes one."""
        return statement.keyword in {"DESCRIBE", "DESC"} and _kind(statement) is not None

    def run(
        self, session: RoutineContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Return a row per property.

        Raises:
            SqlError: It does not exist.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect(statement.keyword)
        kind = reader.expect_kind("word").upper
        signature = _read_signature(reader, kind, session)
        reader.expect_end()
        routine = session.routines.get(signature)
        if routine is None:
            raise does_not_exist(kind.capitalize(), signature)
        rows = [[key, value] for key, value in _described(routine).items()]
        return rows_result(rows, [text_column("property"), text_column("value")], DESCRIBE)


class CommentOnRoutine:
    """COMMENT [IF EXISTS] ON PROCEDURE or FUNCTION name(types) IS '…'."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement comments on one."""
        words = [word for word in statement.words if word not in {"IF", "EXISTS"}]
        return words[:2] == ["COMMENT", "ON"] and bool(_KINDS & set(words[2:3]))

    def run(
        self, session: RoutineContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Store the comment.

        Raises:
            SqlError: There is no such procedure or function.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("COMMENT")
        if_exists = reader.accept("IF", "EXISTS")
        reader.expect("ON")
        kind = reader.expect_kind("word").upper
        signature = _read_signature(reader, kind, session)
        reader.expect("IS")
        comment = reader.expect_kind("string").text
        routine = session.routines.get(signature)
        if routine is None and not if_exists:
            raise does_not_exist(kind.capitalize(), signature)
        if routine is not None:
            is_temporary = signature in session.routines.temporary
            _store(session, replace(routine, comment=comment), is_temporary=is_temporary)
        return status_result(type_id=DDL)


class UnsupportedRoutine:
    """ALTER of procedures and functions, anonymous procedures, EXECUTE IMMEDIATE."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is one of them."""
        words = statement.words
        return (
            words[:2] == ["EXECUTE", "IMMEDIATE"]
            or (statement.keyword == "ALTER" and _kind(statement) is not None)
            or (statement.keyword == "WITH" and words[2:4] == ["AS", "PROCEDURE"])
        )

    def run(
        self,
        session: RoutineContext,  # noqa: ARG002 - the protocol's signature
        statement: Statement,
        bindings: Bindings,  # noqa: ARG002 - the protocol's signature
    ) -> StatementResult:
        """Raise the error that names the feature."""
        if statement.keyword == "WITH":
            raise unsupported("An anonymous procedure (WITH … AS PROCEDURE)")
        if statement.keyword == "EXECUTE":
            raise unsupported("EXECUTE IMMEDIATE (Snowflake Scripting)")
        raise unsupported(statement.label)


def _store(session: RoutineContext, routine: Routine, *, is_temporary: bool) -> None:
    if is_temporary:
        session.routines.temporary[routine.signature] = routine
    else:
        session.routines.permanent.put(routine)
    if routine.kind == FUNCTION:
        session.warehouse.functions.define(routine, session.number if is_temporary else None)


def _described(routine: Routine) -> dict[str, str | None]:
    arguments = ", ".join(f"{a.name} {a.type.kind}" for a in routine.arguments)
    described = {
        "signature": f"({arguments})",
        "returns": describe_returns(routine),
        "language": "PYTHON",
        "null handling": "RETURNS NULL ON NULL INPUT" if routine.strict else "CALLED ON NULL INPUT",
        "volatility": "IMMUTABLE" if routine.immutable else "VOLATILE",
        "execute as": routine.execute_as,
        "body": routine.body,
        "imports": f"[{', '.join(str(item) for item in routine.imports)}]",
        "handler": routine.handler,
        "runtime_version": routine.runtime_version,
        "packages": str(list(routine.packages)),
        "installed_packages": str(list(routine.packages)),
        "is_aggregate": "false",
    }
    if routine.kind == FUNCTION:
        del described["execute as"]
    return described


def _read_signature(reader: Reader, kind: str, session: RoutineContext) -> Signature:
    name: Name = read_name(reader, session)
    return Signature(kind, name, read_types(reader))


def _kind(statement: Statement) -> str | None:
    for word in statement.words[1:6]:
        if word in _KINDS:
            return word
        if word not in _BEFORE_KIND:
            return None
    return None
