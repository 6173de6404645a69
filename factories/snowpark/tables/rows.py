"""The rows of a table as a data frame: what its function or its query describes."""

from __future__ import annotations

from collections.abc import Mapping

from snowflake.snowpark import DataFrame, Session

from factories.core.python_refs.importer import FolderNameError, imported_function
from factories.snowpark.config.entries import TableEntry
from factories.snowpark.errors import FunctionFailedError, function_failed
from factories.snowpark.partition_filter import Covered
from factories.snowpark.session import WAREHOUSE_ERRORS
from factories.snowpark.tables.inputs import filled, in_partitions, input_frames, input_queries


def described(session: Session, table: TableEntry, covered: Covered | None) -> DataFrame:
    """Return the rows of a table, as a query that has not run yet.

    Args:
        session: Snowpark's.
        table: The table.
        covered: The partitions of the run, None for a table without.

    Raises:
        FunctionFailedError: When its function raises, or returns something else than rows; also
            when there is no package of a name that it gives.
        UnreadableWindowError: When a column that tells a row's partition is missing, or cannot.
        FolderNameError: When an installed package has the name of the functions' folder.
    """
    _use_packages(session, table)
    queries = input_queries(session, table, covered)
    frame = (
        session.sql(filled(table.sql, queries)) if table.sql else _called(session, table, queries)
    )
    return in_partitions(frame, table, covered)


def _use_packages(session: Session, table: TableEntry) -> None:
    """Have the session know a table's packages, and none of the tables before."""
    session.clear_packages()
    try:
        session.add_packages(*table.packages)
    except (RuntimeError, ValueError) as error:  # what Snowpark says of one that there is not
        raise FunctionFailedError(f"packages: {error}") from None


def _called(session: Session, table: TableEntry, queries: Mapping[str, str]) -> DataFrame:
    """Return what a table's function describes."""
    try:
        function = imported_function(str(table.function), table.folder)
        made = function(session, input_frames(session, queries))
    except (FolderNameError, *WAREHOUSE_ERRORS):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's code raises
        raise function_failed(table, error) from None
    if not isinstance(made, DataFrame):
        kind = "nothing" if made is None else f"a {type(made).__name__}"
        message = f"{table.function} returned {kind}: it must return a Snowpark data frame"
        raise FunctionFailedError(message)
    return made
