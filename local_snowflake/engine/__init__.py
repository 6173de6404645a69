"""Runs statements: the session, its transaction, the warehouse, and the layer over fakesnow.

Two floors. Above: `session.py` (how a statement runs), `applied_layer.py` (the gap-fillers at
work in a session), `warehouse.py` (DuckDB and its files), `upstream.py` (fakesnow's cursor),
`preflight.py` (errors before a transaction sees them), `gap_fillers.py` (the list of all
gap-fillers). Below, for the packages of gap-fillers: `context.py` and `layer.py` (what they may
use, and where they hook in), `transactions.py` with `transaction_control.py` (BEGIN, COMMIT) and
`conflicts.py`, `table_locks.py`, `results.py`, `recent_results.py`, `result_types.py`, `errors.py`.

A session imports these packages, and they import `context.py`, never `session.py`. If a gap-filler
needs something new of a session, add it to `context.StatementContext`.
"""
