"""Asks the warehouse several questions of one table in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from factories.core.execution.table_reader import QueryFailedError, WarehouseSilentError

COUNT = "count(*)"

Answer = Sequence[Any] | QueryFailedError


class Query(Protocol):
    """Runs one SQL statement and returns its rows."""

    def __call__(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return all rows of the statement's result.

        Raises:
            QueryFailedError: When there is no result.
        """
        ...


def ask(
    relation: str, questions: Mapping[str, Sequence[str]], query: Query
) -> Iterator[tuple[str, Answer]]:
    """Ask all questions in one statement; when it is refused, each half of them, and so on.

    So a question that the warehouse refuses is found with few statements, and those beside it are
    answered. When the warehouse does not answer at all, nothing is asked again.

    Args:
        relation: The table, as SQL calls it.
        questions: The expressions of each question, by its name: aggregates, or subqueries.
        query: Runs a statement.

    Yields:
        The values of each question's expressions, or the error.
    """
    if not questions:
        return
    expressions = list(dict.fromkeys([COUNT, *(e for each in questions.values() for e in each)]))
    # On lines of their own: one that ends with a comment does not hide the next.
    listed = ",\n  ".join(expressions)
    try:
        (row,) = query(f"select\n  {listed}\nfrom {relation}")
    except QueryFailedError as error:
        if len(questions) == 1 or isinstance(error, WarehouseSilentError):
            yield from ((name, error) for name in questions)
            return
        names = list(questions)
        middle = len(names) // 2
        for part in (names[:middle], names[middle:]):
            yield from ask(relation, {name: questions[name] for name in part}, query)
        return
    values = dict(zip(expressions, row, strict=True))
    for name, asked in questions.items():
        yield name, [values[expression] for expression in asked]
