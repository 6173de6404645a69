"""The text of SQL: splitting, parsing, names, types and quoting; nothing runs here.

`statements.py` splits a request, `lexer.py` cuts a statement into tokens for those that sqlglot
cannot parse, `options.py` reads `NAME = value`. `names.py` completes names, `quoting.py` writes
names and constants for DuckDB, `types.py` has Snowflake's types and `macros.py` the calls of DuckDB
macros. `bindings.py` holds the values of `?`, `errors.py` the error that a statement fails with.

All other packages may use this one, and it imports none of them.
"""
