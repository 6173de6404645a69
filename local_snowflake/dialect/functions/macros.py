"""The DuckDB macros that the tables and rewrites of functions call.

Where the right result depends on the type of an argument, which only DuckDB knows when it binds the
statement, a call becomes one of a macro of `macros.sql`.
"""

from __future__ import annotations

from importlib.resources import files

from local_snowflake.engine.context import WarehouseAccess


def create_function_macros(warehouse: WarehouseAccess) -> None:
    """Create the macros of `macros.sql`, once per process."""
    with warehouse.connect() as duck:
        duck.execute(files(__package__).joinpath("macros.sql").read_text())
