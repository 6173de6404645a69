"""`dp local docs`: the page of what is translated, rewritten and refused, from the three tables.

`python -m local_snowflake.dialect.functions.coverage` writes it into the current project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_snowflake.dialect.functions.refused import REFUSED
from local_snowflake.dialect.functions.rewritten import REWRITTEN
from local_snowflake.dialect.functions.translated import TRANSLATED
from local_snowflake.dialect.refused_objects import REFUSED_OBJECTS

PAGE = Path("docs/reference/embedded-warehouse.md")

_INTRO = """\
# Functions of the embedded warehouse

What `local_snowflake` does to Snowflake's functions before DuckDB runs them. This page is generated
from the tables in `local_snowflake/dialect/functions/`: change those and run `dp local docs`.

A function that is not listed here is as fakesnow and sqlglot translate it, or fails with DuckDB's
error that there is no such function. Where the warehouse differs from Snowflake otherwise is in its
[README](../../local_snowflake/README.md#where-it-differs-from-snowflake).
"""
_TRANSLATED = """\
## Translated

One expression of DuckDB each. `:this` is an argument by sqlglot's name, `:a1` the first of a
function that sqlglot does not know, `:all` all of them, `:call` the function as sqlglot writes it;
`macro.…` is a macro of `local_snowflake/dialect/functions/macros.sql`.
"""
_REWRITTEN = """\
## Rewritten

Code changes the call or its arguments, since the right result depends on more than one expression
says: on the type of an argument, on the unit, on what is around it.
"""
_REFUSED = """\
## Refused

Without the error, the result would be another one than in Snowflake.
"""
_REFUSED_OBJECTS = """\
### Objects

Statements that create, change or show them fail.
"""


def coverage_page() -> str:
    """Return the page as Markdown."""
    parts = [
        _INTRO,
        _TRANSLATED,
        _table(
            ("function", "in DuckDB", "note"),
            ((_calls(row.call), f"`{row.duckdb}`", row.note) for row in TRANSLATED),
        ),
        _REWRITTEN,
        _table(
            ("functions", "because", "what differs still"),
            ((row.functions, row.because, row.note) for row in REWRITTEN),
        ),
        _REFUSED,
        _table(("call", "because"), ((row.call, row.because) for row in REFUSED)),
        _REFUSED_OBJECTS,
        _table(("object", "because"), REFUSED_OBJECTS.items()),
    ]
    return "\n".join(parts)


def _calls(text: str) -> str:
    return ", ".join(f"`{call})`" for call in text.removesuffix(")").split("), "))


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_lines([titles, tuple("---" for _ in titles), *rows]))


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(coverage_page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
