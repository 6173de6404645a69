"""Queries over a staged file: `SELECT t.$1, $2:name::number FROM @stage t`.

What upstream lacks: positions with a table's alias, and more than one level of a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from local_snowflake.copy_statement import STAGED
from local_snowflake.errors import syntax_error

if TYPE_CHECKING:
    from local_snowflake.sessions import Session


def position_name(number: int) -> str:
    """What the column at a position, from 1 on, is called here."""
    return f"${number}"


class StagedQuery:
    """A query over the rows of one file, which it calls `STAGED`.

    Args:
        sql: In Snowflake's SQL.

    Raises:
        SqlError: It cannot be read.
    """

    def __init__(self, sql: str) -> None:
        try:
            self._tree = sqlglot.parse_one(sql, read="snowflake")
        except SqlglotError as error:
            raise syntax_error(str(error)) from error
        self.width = 0
        for parameter in list(self._tree.find_all(exp.Parameter)):
            number = int(parameter.name) if parameter.name.isdigit() else 0
            if not number:
                raise syntax_error(f"${parameter.name} is no column of a staged file")
            self.width = max(self.width, number)
            name = exp.to_identifier(position_name(number), quoted=True)
            if isinstance(parameter.parent, exp.Column):
                parameter.replace(name)
            else:
                parameter.replace(exp.Column(this=name))

    def expressions(self) -> list[Expr]:
        """The columns of the result."""
        return list(self._tree.expressions)

    def over(self, session: Session, rows: str) -> str:
        """The query in DuckDB's SQL.

        Args:
            session: Whose variables and current database it sees.
            rows: A SELECT that gives the file's rows; its columns are called `position_name`.
        """
        cursor = session.connection.cursor()
        translated = cursor.translate(self._tree.copy(), None).sql(dialect="duckdb")
        return f'WITH "{STAGED}" AS ({rows}) {translated}'
