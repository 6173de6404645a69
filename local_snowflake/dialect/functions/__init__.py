"""Snowflake's functions that fakesnow translates wrongly: a row of a table here first.

- `translated.py`: the function is one expression of DuckDB. If it depends on the type of an
  argument, add a macro to `macros.sql`: DuckDB knows the types when it binds the statement.
- `rewritten.py`: code changes the call or its arguments. The code is in `rewrites/`, in the module
  of its theme.
- `refused.py`: the result would be wrong without an error.

`rows.py` says what a row has. `coverage.py` makes a page of the tables: run `dp local docs`.
"""
