"""Stages, the files in them, and loading and unloading them.

`stages.py` and `named_formats.py` create stages and file formats, which `named_objects.py` drops,
`locations.py` finds the files of `@stage/path`, `files.py` has PUT, GET, LIST and REMOVE. `copy/`
is COPY INTO: its grammar (`statement.py`), loading (`load.py`), unloading (`unload.py`), which
files are loaded already (`history.py`). `query.py` and `infer_schema.py` query staged files.
`readers/` turns a file and its format into a SELECT of DuckDB.

A new option of a file format is a field in `readers/formats.py`, which the reader of that format
uses; a new option of COPY is read in `copy/load.py` or `copy/unload.py`. An option that nobody
reads is refused.
"""
