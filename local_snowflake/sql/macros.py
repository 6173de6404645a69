"""Where this package's DuckDB macros are, and how a call of one is written.

The packages that need macros have them in a `.sql` file beside the module that creates them, in the
database `memory`, so that every session can call them and no file holds them.
"""

from __future__ import annotations

from sqlglot import Expr, exp

CATALOG = "memory"
SCHEMA = "snowflake_catalog"


def macro_call(name: str, *arguments: Expr) -> exp.Dot:
    """Build the call of a macro, which works from any current database."""
    return exp.Dot.build(
        [
            exp.to_identifier(CATALOG, quoted=True),
            exp.to_identifier(SCHEMA, quoted=True),
            exp.Anonymous(this=name, expressions=list(arguments)),
        ]
    )
