"""Queries over a staged file: `SELECT t.$1, $2:name::number FROM @stage t`.

What upstream lacks: positions with a table's alias, and more than one level of a path.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from local_snowflake.sql.errors import syntax_error
from local_snowflake.sql.quoting import literal
from local_snowflake.stages.copy.statement import STAGED

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session
    from local_snowflake.stages.readers.sources import FileSource

_ROOT_AND_KEY = 2
_FILE_NAME = "METADATA$FILENAME"
_ROW_NUMBER = "METADATA$FILE_ROW_NUMBER"


def position_name(number: int) -> str:
    """What the column at a position, from 1 on, is called here."""
    return f"${number}"


class StagedQuery:
    """A query over the rows of files, which it calls `STAGED`.

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

    def over(self, session: Session, files: Iterable[tuple[FileSource, str]]) -> str:
        """The query in DuckDB's SQL.

        Args:
            session: Whose variables and current database it sees.
            files: The files that it reads, and what METADATA$FILENAME says of each.
        """
        tree = self._tree.copy()
        metadata = {c.name.upper() for c in tree.find_all(exp.Column)} & {_FILE_NAME, _ROW_NUMBER}
        fields: dict[str, str] = {}
        parts = []
        for source, name in files:
            fields |= source.fields_of_first() or {}
            rows = source.by_position(max(self.width, 1), exact=False)
            if metadata:
                extra = f"{literal(name)} AS {_FILE_NAME}, row_number() OVER () AS {_ROW_NUMBER}"
                rows = f"SELECT *, {extra} FROM ({rows})"  # noqa: S608 - constants
            parts.append(rows)
        if fields:
            _read_fields(tree, fields)
        translated = session.connection.cursor().translate(tree, None).sql(dialect="duckdb")
        return f'WITH "{STAGED}" AS ({" UNION ALL BY NAME ".join(parts)}) {translated}'


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
