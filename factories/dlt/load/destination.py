"""dlt's Snowflake destination, with replaced and merged tables that are seen whole or not at all.

What dlt 1.31 lacks:

- It runs the statements that merge or replace a table in a transaction only where a word in them
  looks like DDL, `created_at` for instance. Else a table that is replaced is empty for a while, and
  rows that are merged are missing, and stay so when the step is killed there.
- It merges a table that has child tables by two temporary tables, and creates the second after the
  old rows are deleted. In Snowflake CREATE commits the open transaction. Here both, which hold keys
  of the staged rows and of those that they replace, are made before anything is deleted.
- It logs in anew for each file and each question, some eight times for a resource. Here the step
  keeps the sessions that it has opened.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.destination import DestinationCapabilitiesContext, PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest
from dlt.common.schema import Schema
from dlt.destinations.impl.snowflake.configuration import SnowflakeClientConfiguration
from dlt.destinations.impl.snowflake.snowflake import SnowflakeClient, SnowflakeMergeJob
from dlt.destinations.impl.snowflake.sql_client import SnowflakeSqlClient
from dlt.destinations.sql_client import SqlClientBase
from dlt.destinations.sql_jobs import SqlStagingReplaceFollowupJob
from snowflake.connector import SnowflakeConnection

from factories.core.warehouse.connector_internals import abandon_connection
from factories.core.warehouse.names import RAW, warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.core.warehouse.watchdog import WarehouseLostError

DESTINATION_ARGUMENTS: dict[str, Any] = {
    "enable_dataset_name_normalization": False,  # it has the target's name already
    "staging_dataset_name_layout": "%s_STAGING",
    "keep_staged_files": False,
}
REPLACE_STRATEGIES: Sequence[Literal["insert-from-staging", "staging-optimized"]] = (
    "insert-from-staging",
    "staging-optimized",
)
# Snowflake ends a session that nobody has used for hours: between two loads lies what is read.
IDLE_SECONDS = 300.0


class KeptSessions:
    """Sessions that a step has opened and does not use at the moment, by their schema.

    One in which something has failed is not kept.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._idle: dict[str, list[tuple[SnowflakeConnection, float]]] = {}
        self._lock = threading.Lock()  # dlt loads the files of a package in threads

    def take(self, schema: str) -> SnowflakeConnection | None:
        """Return a session of this schema that nobody else uses, None when there is none."""
        with self._lock:
            idle = self._idle.get(schema, [])
            while idle:
                session, since = idle.pop()
                if time.monotonic() - since < IDLE_SECONDS and not session.is_closed():
                    return session
                session.close()
        return None

    def give(self, schema: str, session: SnowflakeConnection) -> None:
        """Keep a session for the next that takes one."""
        with self._lock:
            self._idle.setdefault(schema, []).append((session, time.monotonic()))

    def close(self) -> None:
        """End all sessions that are kept."""
        with self._lock:
            for session, _ in chain(*self._idle.values()):
                session.close()
            self._idle.clear()

    def abandon(self) -> None:
        """Leave all sessions to a warehouse that no longer answers."""
        with self._lock:
            for session, _ in chain(*self._idle.values()):
                abandon_connection(session)
            self._idle.clear()


@contextmanager
def kept_sessions() -> Iterator[KeptSessions]:
    """Keep sessions for a block, and end them with it."""
    sessions = KeptSessions()
    try:
        yield sessions
    except WarehouseLostError:
        sessions.abandon()
        raise
    finally:
        sessions.close()


class _SqlClient(SnowflakeSqlClient):
    sessions: KeptSessions | None = None

    def open_connection(self) -> SnowflakeConnection:
        kept = self.sessions.take(self.fully_qualified_dataset_name()) if self.sessions else None
        if kept is None:
            return super().open_connection()
        self._conn = kept
        return kept

    def close_connection(self) -> None:
        opened: SnowflakeConnection | None = self._conn
        if self.sessions and opened and sys.exception() is None:
            self.sessions.give(self.fully_qualified_dataset_name(), opened)
            self.__dict__["_conn"] = None  # dlt declares that it always is one
        super().close_connection()


class _MergeJob(SnowflakeMergeJob):
    @classmethod
    def generate_sql(
        cls, table_chain: Sequence[PreparedTableSchema], sql_client: SqlClientBase[Any]
    ) -> list[str]:
        statements = super().generate_sql(table_chain, sql_client)
        return sorted(statements, key=lambda sql: not sql.startswith("CREATE TEMPORARY TABLE"))


class _ReplaceJob(SqlStagingReplaceFollowupJob):
    @classmethod
    def _generate_clone_sql(
        cls, table_chain: Sequence[PreparedTableSchema], sql_client: SqlClientBase[Any]
    ) -> list[str]:
        statements = []
        for table in table_chain:
            name = sql_client.make_qualified_table_name(str(table["name"]))
            with sql_client.with_staging_dataset():
                staged = sql_client.make_qualified_table_name(str(table["name"]))
            statements.append(f"CREATE OR REPLACE TABLE {name} CLONE {staged} COPY GRANTS")
            if any(column.get("cluster") for column in table["columns"].values()):
                # Of a clone it is suspended.
                statements.append(f"ALTER TABLE {name} RESUME RECLUSTER")
        return statements


class _Client(SnowflakeClient):
    sql_client: _SqlClient

    def __init__(
        self,
        schema: Schema,
        config: SnowflakeClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        own = self.sql_client
        self.sql_client = _SqlClient(
            own.dataset_name, own.staging_dataset_name, own.credentials, capabilities, own.query_tag
        )

    def _create_merge_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [_MergeJob.from_table_chain(table_chain, self.sql_client)]

    def _create_replace_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [_ReplaceJob.from_table_chain(table_chain, self.sql_client)]


class Snowflake(dlt.destinations.snowflake):
    """The destination; it takes dlt's own arguments.

    Attributes:
        sessions: Where its clients find sessions, and leave theirs; None where each logs in.
    """

    # As below: no argument of a constructor.
    sessions: KeptSessions | None = None

    @cached_property
    def _partial(self) -> dict[str | None, SnowflakeClientConfiguration]:
        return {}

    def configuration(
        self, initial_config: SnowflakeClientConfiguration, accept_partial: bool = False
    ) -> SnowflakeClientConfiguration:
        """Return the configuration, resolved from the arguments and dlt's settings.

        Without credentials, to know what the destination can do, dlt asks for it some twenty times
        in a step, always with the same arguments: it is resolved once for each pipeline's name, by
        which settings may be for one pipeline alone.
        """
        if not accept_partial:
            return super().configuration(initial_config)
        name = Container()[ConfigSectionContext].pipeline_name
        if name not in self._partial:
            self._partial[name] = super().configuration(initial_config, accept_partial=True)
        return self._partial[name]

    def client(
        self,
        schema: Schema,
        initial_config: SnowflakeClientConfiguration = None,  # type: ignore[assignment]  # as its base class has it
    ) -> SnowflakeClient:
        """Return what runs the loads, with the sessions that are kept."""
        client = super().client(schema, initial_config)
        if isinstance(client, _Client):
            client.sql_client.sessions = self.sessions
        return client

    @property
    def client_class(self) -> type[SnowflakeClient]:
        """What runs the loads."""
        return _Client

    @property
    def destination_type(self) -> str:
        """To dlt, and in the states that it has stored, it is its own."""
        return "dlt.destinations.snowflake"

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.supports_transactions = True
        capabilities.supported_replace_strategies = REPLACE_STRATEGIES
        return capabilities


class TargetSnowflake(Snowflake):
    """The destination of the target's warehouse; its credentials are looked up when it is used.

    Attributes:
        database: As the target calls it.
    """

    # No argument of a constructor: dlt looks at its own to tell what was given from a default.
    database: str = RAW

    def configuration(
        self, initial_config: SnowflakeClientConfiguration, accept_partial: bool = False
    ) -> SnowflakeClientConfiguration:
        """Return the configuration, with the target's credentials once it is for a connection.

        Raises:
            StepStartError: When the environment lacks what is needed to reach the target.
        """
        if not accept_partial and not self.config_params.get("credentials"):
            credentials = warehouse_settings().dlt_credentials(self.database)
            self.config_params["credentials"] = credentials
        return super().configuration(initial_config, accept_partial)


def snowflake_destination(database: str = RAW, **arguments: Any) -> TargetSnowflake:
    """Return dlt's destination for the target's Snowflake, for a pipeline in Python.

    Nothing is connected, and no system is started, before the pipeline runs. Replaced and merged
    tables are seen whole or not at all, and appended rows of a load that was cut short are removed
    by the next.

    Args:
        database: The database, by the name that it has in every target.
        arguments: dlt's own arguments of `dlt.destinations.snowflake`, but `credentials`.

    Example:
        >>> import dlt
        >>> dlt.pipeline(  # doctest: +SKIP
        ...     "shop", destination=snowflake_destination(), dataset_name=dataset_name("shop")
        ... )
    """
    destination = TargetSnowflake(**{**DESTINATION_ARGUMENTS, **arguments})
    destination.database = warehouse_names().database(database)
    return destination


def dataset_name(name: str) -> str:
    """Return a dataset's schema in this process's target: in `dev` each person has their own."""
    return warehouse_names().schema(name).upper()
