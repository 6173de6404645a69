"""SQL that fakesnow translates wrongly: functions, names, MERGE, and kinds of objects.

- `functions/`: Snowflake's functions, as rows of three tables.
- `identifiers.py`: quoting, IDENTIFIER(); `column_names.py`: the names of result columns.
- `merge.py`: runs MERGE, and counts the rows that it has inserted, updated and deleted.
- `refused_objects.py`: refuses statements about what will never be here, such as tasks.

The first two are rewrites: functions `(expression, session) -> expression`, which run before
fakesnow's translation, on Snowflake's syntax tree, or after it, on DuckDB's. The last two are
handlers, which run whole statements. `engine/gap_fillers.py` has the order of all of them.
"""
