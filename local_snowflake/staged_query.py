"""Queries over a staged file: `SELECT t.$1, $2:name::number FROM @stage t`.

What upstream lacks: positions with a table's alias, and more than one level of a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from local_snowflake.copy_statement import STAGED
from local_snowflake.duck_sql import identifier
from local_snowflake.errors import syntax_error

if TYPE_CHECKING:
    from local_snowflake.sessions import Session
    from local_snowflake.sources import FileSource

_ROOT_AND_KEY = 2


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

    def over(self, session: Session, source: FileSource, metadata: dict[str, str]) -> str:
        """The query in DuckDB's SQL, reading one file.

        Args:
            session: Whose variables and current database it sees.
            source: The file.
            metadata: Values of the columns METADATA$…, as expressions.
        """
        tree = self._tree.copy()
        fields = source.fields_of_first()
        if fields is not None:
            _read_fields(tree, fields)
        rows = source.by_position(self.width, exact=False)
        used = {column.name.upper() for column in tree.find_all(exp.Column)} & metadata.keys()
        if used:
            extra = ", ".join(f"{metadata[name]} AS {identifier(name)}" for name in sorted(used))
            rows = f"SELECT *, {extra} FROM ({rows})"  # noqa: S608 - constants
        translated = session.connection.cursor().translate(tree, None).sql(dialect="duckdb")
        return f'WITH "{STAGED}" AS ({rows}) {translated}'


def _read_fields(tree: Expr, fields: dict[str, str]) -> None:
    """Let `$1:name` be the file's column of that name, in its own type.

    Args:
        tree: Is changed.
        fields: The columns' names and DuckDB's types.
    """
    for extract in list(tree.find_all(exp.JSONExtract)):
        path = extract.expression
        column = extract.this
        if not isinstance(column, exp.Column) or column.name != position_name(1):
            continue
        if not isinstance(path, exp.JSONPath) or len(path.expressions) < _ROOT_AND_KEY:
            continue
        key = path.expressions[1].this
        if key not in fields:
            extract.replace(exp.Null())
            continue
        field = column.copy()
        field.set("this", exp.to_identifier(key, quoted=True))
        rest = path.expressions[_ROOT_AND_KEY:]
        if rest:
            deeper = exp.JSONPath(expressions=[exp.JSONPathRoot(), *(r.copy() for r in rest)])
            extract.set("this", exp.func("TO_JSON", field))
            extract.set("expression", deeper)
        else:
            extract.replace(field)
