"""Rewrites of SQL that fakesnow translates wrongly: functions, names, MERGE.

A rewrite is a function `(expression, session) -> expression`. It runs before fakesnow's
translation, on Snowflake's syntax tree, or after it, on DuckDB's; `engine/gap_fillers.py` has the
order.

Functions are rows of three tables (`rows.py`), of which `coverage.py` makes a page:

- `translated.py`: one expression of DuckDB. If it depends on the type of an argument, add a macro
  to `functions.sql`: DuckDB knows the types when it binds the statement.
- `rewritten.py`: code that changes the call or its arguments. The code is in the module of its
  theme: `texts.py`, `arrays.py`, `variants.py`, `dates.py`, `formats.py`, `aggregates.py`,
  `flatten.py`, and `functions.py` for the rest.
- `refused.py`: what would be wrong without an error, and kinds of objects that will never be here.

Names: `identifiers.py` (quoting, IDENTIFIER()), `column_names.py` (names of result columns).
"""
