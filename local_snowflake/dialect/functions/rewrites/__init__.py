"""The code behind the rows of `rewritten.py`, a module for each theme.

A rewrite is a function `(expression, session) -> expression` that returns a changed syntax tree:
Snowflake's if its row says `before`, DuckDB's if it says `after`.
"""
