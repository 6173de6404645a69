"""dlt's Snowflake destination, with replaced and merged tables that are seen whole or not at all.

What dlt 1.31 lacks:

- It runs the statements that merge or replace a table in a transaction only where a word in them
  looks like DDL, `created_at` for instance. Else a table that is replaced is empty for a while, and
  rows that are merged are missing, and stay so when the step is killed there.
- It merges a table that has child tables by two temporary tables, and creates the second after the
  old rows are deleted. In Snowflake CREATE commits the open transaction. Here both, which hold keys
  of the staged rows and of those that they replace, are made before anything is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext
from dlt.common.destination import DestinationCapabilitiesContext, PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest
from dlt.destinations.impl.snowflake.configuration import SnowflakeClientConfiguration
from dlt.destinations.impl.snowflake.snowflake import SnowflakeClient, SnowflakeMergeJob
from dlt.destinations.sql_client import SqlClientBase


class _MergeJob(SnowflakeMergeJob):
    @classmethod
    def generate_sql(
        cls, table_chain: Sequence[PreparedTableSchema], sql_client: SqlClientBase[Any]
    ) -> list[str]:
        statements = super().generate_sql(table_chain, sql_client)
        return sorted(statements, key=lambda sql: not sql.startswith("CREATE TEMPORARY TABLE"))


class _Client(SnowflakeClient):
    def _create_merge_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [_MergeJob.from_table_chain(table_chain, self.sql_client)]


class Snowflake(dlt.destinations.snowflake):
    """The destination; it takes dlt's own arguments."""

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
        return capabilities
