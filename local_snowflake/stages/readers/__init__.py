"""Readers of staged files, one per file format, by DuckDB's own readers.

`opening.py` chooses the reader of a file's format (`formats.py`); all have the interface of
`reader.py`. `plain_files.py` makes a file readable for DuckDB, `conversions.py` converts fields to
the types of a table's columns.
"""
