"""What clients can ask about objects, sessions and earlier results.

`information_schema.py` replaces the views of INFORMATION_SCHEMA by DuckDB macros, which are in
`information_schema.sql`; DESCRIBE (`describe.py`) and SHOW use the same macros. SHOW is parsed in
`show_statement.py`, answered in `show.py` by the queries of `show_queries.py` and
`show_routines.py`; the columns are in `show.sql`. `context_functions.py` has CURRENT_…() and
SYSTEM$…(), `result_scan.py` RESULT_SCAN.

A new column of INFORMATION_SCHEMA or SHOW belongs into the SQL files, a new SHOW into
`show_queries.QUERIES`, a new context function into `context_functions`.
"""
