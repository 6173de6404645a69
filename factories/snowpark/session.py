"""The Snowpark session of one step, which is closed whatever happens, and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from snowflake.connector.errors import Error
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkClientException

from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.warehouse.watchdog import WarehouseLostError
from factories.snowpark.config.relations import ML

TAG_LENGTH = 2000  # Snowflake's limit
# What a killed step leaves behind must not hold up its rerun for hours. Its statement ends five
# minutes after the client is gone; its transaction is idle then, and rolled back when that has
# stood in another's way for five more. For any other lock a step waits for an hour, not for twelve.
# https://docs.snowflake.com/en/sql-reference/transactions#aborting-transactions
PARAMETERS = {"ABORT_DETACHED_QUERY": True, "LOCK_TIMEOUT": 3600}
# What the warehouse refuses, and how it is lost: of the connector's own errors Snowpark makes its
# own of those alone that are about SQL.
WAREHOUSE_ERRORS = (SnowparkClientException, Error)


@contextmanager
def snowpark_session(
    settings: WarehouseSettings, names: WarehouseNames, tag: str
) -> Iterator[Session]:
    """Open a session in the target's database ML.

    What Snowpark creates for its own use is temporary and lies in the schema PUBLIC there, which
    every database has.

    Args:
        settings: How to reach the warehouse.
        names: How the target's databases are called.
        tag: What the warehouse's query history shows beside each of the session's statements.
    """
    configs = {
        **settings.connector_arguments(),
        "database": names.database(ML),
        "schema": "PUBLIC",
        # Or Snowflake would end it in a step that trains for more than four hours.
        "client_session_keep_alive": True,
        "session_parameters": {**settings.session_parameters(tag[:TAG_LENGTH]), **PARAMETERS},
    }
    session = Session.builder.configs(configs).create()
    try:
        yield session
    except WarehouseLostError:
        abandon_connection(session.connection)
        raise
    except BaseException:
        _close(session)
        raise
    else:
        _close(session)


def _close(session: Session) -> None:
    # What was to be written is committed: a step must not fail, and be done again, because its
    # session cannot be closed, and the error that it fails with is the one to show.
    with suppress(*WAREHOUSE_ERRORS):
        session.close()


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """Make the statements inside one: all of them hold, or none."""
    session.sql("begin transaction").collect()
    try:
        yield
        session.sql("commit").collect()
    except WarehouseLostError:
        raise
    except BaseException:
        # Where the session is lost, Snowflake rolls back by itself; the first error is the cause.
        with suppress(*WAREHOUSE_ERRORS):
            session.sql("rollback").collect()
        raise
