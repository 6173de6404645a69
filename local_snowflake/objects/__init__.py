"""Objects of the account and the session: tables, views, schemas, databases, roles, parameters.

`tables.py` (CREATE), `alter.py` and `drop.py` (also TRUNCATE and COMMENT ON) are about tables and
views; `temporary.py` gives them temporary ones in any schema. What DuckDB cannot store of them,
such as comments, declared types and keys, is in `annotations.py`, their times in
`relation_times.py`; `catalog.py` queries DuckDB's catalog. `databases.py` has databases and
schemas, `account.py` roles, warehouses and grants, `session_parameters.py` ALTER SESSION.

A new statement is a handler here, listed in `engine/gap_fillers.py`; a new session parameter is a
line in `session_parameters.DEFAULTS`.
"""
