"""Procedures and functions in Python.

`ddl.py` creates and drops them: `grammar.py` parses a definition, `definitions.py` says what it is,
`catalog.py` keeps it. A CALL runs in `calls.py`. A function in a query becomes a DuckDB function
(`functions.py`, `duck_functions.py`), which sends batches of rows to a process (`workers.py`), in
larger batches for simple queries (`large_batches.py`). `overloads.py` chooses between several of
one name. `handler_processes/` starts the processes, `handler_side/` is the code that runs in them.

A new clause of CREATE goes into `grammar.py` and `definitions.py`, a type conversion into
`handler_side/values.py` and `sql/types.py`.
"""
