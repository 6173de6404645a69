"""COPY INTO: `statement.py` parses it, `load.py` loads a table, `unload.py` writes files."""
