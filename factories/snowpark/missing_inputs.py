"""An input whose asset was never materialized: told as that, not as what the warehouse says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import dagster as dg
from snowflake.snowpark import Session

from factories.core.warehouse.names import Relation
from factories.snowpark.catalog import table_exists
from factories.snowpark.session import WAREHOUSE_ERRORS


class InputMissingError(Exception):
    """A table that is to be read is not there; the text names the asset that makes it."""


@contextmanager
def missing_inputs_told(session: Session, inputs: Mapping[dg.AssetKey, Relation]) -> Iterator[None]:
    """Name the inputs that are not there, when something that reads them fails for it.

    The warehouse is asked only then: where all goes well that costs no statement.

    Args:
        session: Snowpark's.
        inputs: The tables that are read, by the asset that makes them.

    Raises:
        InputMissingError: Instead of what the warehouse has refused, when an input is not there.
    """
    try:
        yield
    except WAREHOUSE_ERRORS:
        missing = {key: table for key, table in inputs.items() if _is_missing(session, table)}
        if not missing:
            raise
        tables = ", ".join(map(str, missing.values()))
        assets = ", ".join(key.to_user_string() for key in missing)
        there = "are no tables" if len(missing) > 1 else "is no table"
        message = (
            f"there {there} {tables}, or none that the role may read: materialize {assets} first"
        )
        raise InputMissingError(message) from None


def _is_missing(session: Session, table: Relation) -> bool:
    with suppress(*WAREHOUSE_ERRORS):  # a session that is lost tells nothing
        return not table_exists(session, table.sql)
    return False
