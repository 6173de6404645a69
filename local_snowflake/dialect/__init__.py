"""Rewrites of SQL that fakesnow translates wrongly: functions, names, formats, MERGE.

A rewrite is a function `(expression, session) -> expression`. It runs before fakesnow's
translation, on Snowflake's syntax tree, or after it, on DuckDB's; `engine/gap_fillers.py` has the
order.

- A function with a wrong result: `functions.py`, or `aggregates.py` for SUM, AVG and the like. If
  the result depends on the type of an argument, add a macro to `functions.sql`: DuckDB picks the
  right form when it binds the statement.
- A date or time format: `formats.py`.
- Names: `identifiers.py` (quoting, IDENTIFIER()), `column_names.py` (names of result columns).
- A feature that will never be here: `unsupported.py`.
"""
