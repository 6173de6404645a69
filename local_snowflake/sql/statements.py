"""Splits the text of a request into statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import Expr
from sqlglot.errors import SqlglotError

from local_snowflake.sql.lexer import NOT_CODE, strip_comments

_SCAN = re.compile(NOT_CODE.pattern + r"|(?P<end>;)|(?P<bind>\?)", re.DOTALL)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)""", re.DOTALL)
_DML = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"})
_DDL = frozenset({"CREATE", "ALTER", "DROP", "UNDROP", "COMMENT", "GRANT", "REVOKE"})


@dataclass(frozen=True)
class Statement:
    """One statement of a request.

    Attributes:
        sql: Its text without the closing semicolon.
        binds: How many `?` it has.
    """

    sql: str
    binds: int = 0

    @cached_property
    def words(self) -> list[str]:
        """The first words in upper case: `["CREATE", "TABLE", "T"]`.

        Comments, strings and quoted names are left out: a table may be called "TEMPORARY VIEW".
        """
        plain = _QUOTED.sub(" ", strip_comments(self.sql)[:2000])
        return re.findall(r"[A-Za-z_$][\w$]*", plain[:500].upper())[:8]

    @property
    def keyword(self) -> str:
        """The first word: SELECT, CREATE, …."""
        return self.words[0] if self.words else ""

    @property
    def label(self) -> str:
        """The statement's name for messages: `CREATE TASK`, `SELECT`."""
        if self.keyword in _DDL | {"SHOW", "DESCRIBE", "DESC", "EXECUTE"}:
            skipped = {"OR", "REPLACE", "TEMPORARY", "TEMP", "TRANSIENT", "SCOPED"}
            return " ".join([w for w in self.words if w not in skipped][:2])
        return self.keyword or "an empty statement"

    @property
    def is_dml(self) -> bool:
        """Whether it changes rows, so that it runs in a transaction.

        TRUNCATE is DML in Snowflake: https://docs.snowflake.com/en/sql-reference/sql-dml
        """
        return self.keyword in _DML

    @property
    def is_ddl(self) -> bool:
        """Whether it changes objects, so that it commits the open transaction first.

        See https://docs.snowflake.com/en/sql-reference/transactions#ddl
        """
        return self.keyword in _DDL and self.words[1:2] != ["SESSION"]

    @property
    def is_call(self) -> bool:
        """Whether it calls a procedure, whose statements have transactions of their own."""
        return self.keyword == "CALL"

    @property
    def is_relation_ddl(self) -> bool:
        """Whether it changes tables or views, which takes several DuckDB statements here."""
        return self.is_ddl and (
            self.keyword == "COMMENT" or bool({"TABLE", "VIEW"} & set(self.words[1:6]))
        )

    def is_of_kind(self, tree: type[Expr], *kinds: str) -> bool:
        """Whether sqlglot parses it as `tree`, such as `exp.Drop`, about a kind of objects."""
        expression = self.expression
        return isinstance(expression, tree) and str(expression.args.get("kind")).upper() in kinds

    @cached_property
    def expression(self) -> Expr | None:
        """The syntax tree, or None when sqlglot cannot read the statement; do not change it."""
        try:
            return sqlglot.parse_one(self.sql, read="snowflake")
        except SqlglotError:
            return None


def split_statements(text: str) -> list[Statement]:
    """Split the text of a request at its semicolons; statements without content are left out."""
    statements = []
    start = binds = 0
    ends = [(m.start(), m.lastgroup) for m in _SCAN.finditer(text)] + [(len(text), "end")]
    for position, kind in ends:
        if kind == "bind":
            binds += 1
        elif kind == "end":
            sql = text[start:position].strip()
            if strip_comments(sql):
                statements.append(Statement(sql, binds))
            start, binds = position + 1, 0
    return statements
