"""The resource `sling`: dagster-sling's interface over this project's way to run Sling."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster_sling import DagsterSlingTranslator, SlingReplicationParam, SlingResource
from pydantic import Field, PrivateAttr

from factories.core.execution.step import open_step, start_errors_as_failures
from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.execution.window import window
from factories.core.secret_mask import mask_with_environment
from factories.core.warehouse.names import Relation, warehouse_names
from factories.core.warehouse.settings import warehouse_settings
from factories.sling.connections import TARGET, SlingEnvironment, resolve_environment
from factories.sling.loaded_table import LoadedTable, parse_relation
from factories.sling.program import call_sling, find_binary
from factories.sling.python_replications import PythonReplication, read_python_replication
from factories.sling.replaced_tables import (
    ReplacedTable,
    find_places,
    new_table_suffix,
    redirect_streams,
)
from factories.sling.replication_config import resolve_replication
from factories.sling.run import (
    STORAGE_KIND,
    SelectedStreams,
    build_materialize_result,
    describe_load,
    load_streams,
    warn_unreadable,
)
from factories.sling.sling_internals import (
    COLUMN_NAME_COL,
    COLUMN_TYPE_COL,
    SlingEventIterator,
    SlingEventType,
)
from factories.sling.table_replacement import TableReplacement

StepContext = dg.AssetExecutionContext | dg.OpExecutionContext


class ReplicationSlingResource(SlingResource):
    """Runs Sling replications: those of `sling/`, and those of a team's own `@sling_assets`.

    A stream that fails spares the others, events come as streams end, secrets are masked, and
    connections never stand in `os.environ` or in a file. A replication may name the connections of
    `connections.yaml`, `SNOWFLAKE` (the warehouse of the target), and those in `connections`.

    Example:
        >>> from dagster_sling import SlingResource, sling_assets
        >>> @sling_assets(replication_config={
        ...     "source": "flight_ops", "target": "SNOWFLAKE",
        ...     "streams": {"ops.airlines": {"object": "flight_ops.airlines_copy"}},
        ... })
        ... def airlines_copy(context, sling: SlingResource):
        ...     yield from sling.replicate(context=context).fetch_row_count()
    """

    folder: str | None = Field(
        default=None,
        description="The folder of `connections.yaml`, relative to the project folder.",
    )
    _loaded: LoadedTable | None = PrivateAttr(default=None)
    _log: list[str] = PrivateAttr(default_factory=list)

    def prepare_environment(self) -> dict[str, Any]:
        """Return every connection, as Sling finds it in the environment of its process."""
        return dict(self._environment().connections)

    def _environment(self, names: Sequence[str] | None = None) -> SlingEnvironment:
        return resolve_environment(super().prepare_environment(), self.folder, names)

    def replicate(
        self,
        *,
        context: StepContext,
        replication_config: SlingReplicationParam | None = None,
        dagster_sling_translator: DagsterSlingTranslator | None = None,
        debug: bool = False,
        stream: bool = False,  # noqa: ARG002 - dagster-sling's: here events always come as they end
        selected: SelectedStreams | None = None,
    ) -> SlingEventIterator[SlingEventType]:
        """Load the selected streams of a replication.

        Args:
            context: Dagster's.
            replication_config: A replication, or the path of one; without it, that of the step's
                `@sling_assets`.
            dagster_sling_translator: Gives the streams' asset keys; without it, that of the step's
                `@sling_assets`.
            debug: Whether Sling logs more.
            stream: Makes no difference: each event comes when its stream has ended.
            selected: The streams of a replication of `sling/`, in place of `replication_config`.

        Returns:
            An iterator of a result for each stream that was loaded. After them it raises
            `dagster.Failure` when a stream has failed for good, naming each.
        """
        if selected is not None:
            config: dict[str, Any] = {"target": TARGET}
            events = self._load_selected(context, selected, debug=debug)
        else:
            with start_errors_as_failures():
                replication = read_python_replication(
                    context, replication_config, dagster_sling_translator, warehouse_names()
                )
            config = dict(replication.config)
            events = self._load_python(context, replication, debug=debug)
        return SlingEventIterator(
            events, sling_cli=self, replication_config=config, context=context
        )

    def _load_selected(
        self, context: StepContext, selected: SelectedStreams, *, debug: bool
    ) -> Iterator[SlingEventType]:
        """Load streams of `sling/`; each result has the metadata and checks of its YAML."""
        if not isinstance(context, dg.AssetExecutionContext):
            raise TypeError("streams of sling/ are loaded in the step of an asset")
        by_name = {stream.name: stream for stream in selected.streams}
        with start_errors_as_failures():
            settings = warehouse_settings()
            replication = resolve_replication(
                selected.replication,
                selected.streams,
                window(context),
                selected.names,
                settings,
                binary=find_binary(),
                full_refresh=selected.full_refresh,
            )
            replication, plans = redirect_streams(
                replication,
                find_places(selected.replication, selected.streams),
                new_table_suffix(context.run.run_id),
            )
        retries = {name: stream.meta.retries for name, stream in by_name.items()}
        keys = {name: stream.key for name, stream in by_name.items()}
        relations = [stream.relation for stream in selected.streams]
        with (
            open_step(context, settings, selected.names, "sling") as step,
            closing(
                load_streams(
                    context.log,
                    replication,
                    retries,
                    keys,
                    step.folder,
                    tables=TableReplacement(context.log, step, selected.names, plans, relations),
                    debug=debug,
                )
            ) as results,
        ):
            for result in results:
                stream = by_name[result.name]
                columns = None
                try:
                    columns = step.reader.columns(stream.relation)
                except QueryFailedError as error:
                    warn_unreadable(context.log, stream.name, error)
                event = build_materialize_result(
                    context,
                    stream,
                    result,
                    step.reader,
                    columns,
                    full_refresh=selected.full_refresh,
                )
                # Without columns there is nothing that the iterator could ask for.
                name = str(stream.relation) if columns else ""
                table = LoadedTable(result, name, stream.relation, step.reader, columns)
                with self._answer_for(table):
                    yield event

    def _load_python(
        self, context: StepContext, replication: PythonReplication, *, debug: bool
    ) -> Iterator[SlingEventType]:
        """Load streams that a team's own Python gives; each result has what is in Sling's log."""
        names = warehouse_names()
        with start_errors_as_failures():
            settings = warehouse_settings()
            resolved = replication.resolve(
                self._environment(replication.connection_names), find_binary()
            )
            plans: Mapping[str, ReplacedTable] = {}
            if replication.loads_target:
                resolved = replace(resolved, targets=replication.find_targets(settings))
                suffix = new_table_suffix(context.run.run_id)
                resolved, plans = redirect_streams(resolved, replication.find_places(), suffix)
        retries, keys = replication.retries, replication.keys
        with (
            open_step(context, settings, names, "sling") as step,
            closing(
                load_streams(
                    context.log,
                    resolved,
                    retries,
                    keys,
                    step.folder,
                    tables=TableReplacement(context.log, step, names, plans),
                    debug=debug,
                )
            ) as results,
        ):
            for result in results:
                relation = None
                if replication.loads_target and result.table:
                    database = replication.find_database(result.name)
                    relation = parse_relation(result.table, names, database)
                table = str(relation) if relation else result.table.replace('"', "")
                metadata = describe_load(result)
                metadata[STORAGE_KIND] = "snowflake" if relation else replication.target
                if table:
                    metadata["dagster/table_name"] = table
                key = keys[result.name]
                with self._answer_for(LoadedTable(result, table, relation, step.reader)):
                    if context.has_assets_def:
                        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
                    else:
                        yield dg.AssetMaterialization(asset_key=key, metadata=metadata)

    @contextmanager
    def _answer_for(self, table: LoadedTable) -> Iterator[None]:
        """Answer the event iterator's questions about one table while its event is handled."""
        self._log += [*table.log_lines(), ""]
        self._loaded = table
        try:
            yield
        finally:
            self._loaded = None

    def stream_raw_logs(self) -> Generator[str]:
        """Yield the log lines of loaded tables: of one table while its event is handled."""
        # By itself the event iterator would take `ops.orders_old` for `ops.orders`.
        yield from self._loaded.log_lines() if self._loaded else self._log

    def get_row_count_for_table(self, target_name: str, table_name: str) -> int:
        """Return the number of rows of a table.

        Args:
            target_name: The connection.
            table_name: The table, as SQL calls it; `RAW` is the database where it names none.
        """
        if target_name.upper() != TARGET:
            return super().get_row_count_for_table(target_name, table_name)
        with self._reader(table_name) as (reader, relation):
            return reader.row_count(relation)

    def get_column_info_for_table(self, target_name: str, table_name: str) -> list[dict[str, str]]:
        """Return the columns of a table, as mappings with dagster-sling's keys.

        Args:
            target_name: The connection.
            table_name: The table, as SQL calls it; `RAW` is the database where it names none.
        """
        if target_name.upper() != TARGET:
            return super().get_column_info_for_table(target_name, table_name)
        loaded = self._loaded
        if loaded and loaded.columns and loaded.name == table_name:
            columns = loaded.columns
        else:
            with self._reader(table_name) as (reader, relation):
                columns = reader.columns(relation)
        return [{COLUMN_NAME_COL: name, COLUMN_TYPE_COL: kind} for name, kind in columns.items()]

    @contextmanager
    def _reader(self, table_name: str) -> Iterator[tuple[TableReader, Relation]]:
        """Give a reader and the table: the step's own reader for the table that it has loaded."""
        loaded = self._loaded
        if loaded and loaded.relation and loaded.name == table_name:
            yield loaded.reader, loaded.relation
            return
        names = warehouse_names()
        with closing(TableReader(warehouse_settings(), names)) as reader:
            yield reader, parse_relation(table_name, names)

    def run_sling_cli(self, args: Sequence[str], force_json: bool = False) -> str:
        """Run a command of Sling's and return what it writes to standard output.

        Args:
            args: The arguments; the connections that they name are there.
            force_json: Whether Sling answers in JSON.

        Raises:
            subprocess.CalledProcessError: When Sling ends with an error; its text has no secrets.
        """
        environment = self._environment(args)
        try:
            return call_sling(find_binary(), args, environment.connections, as_json=force_json)
        except subprocess.CalledProcessError as error:
            mask = mask_with_environment(environment.secrets)
            raise subprocess.CalledProcessError(
                error.returncode, ["sling", *args], mask(error.output), mask(error.stderr)
            ) from None


def create_sling_resource(folder: str | None) -> ReplicationSlingResource:
    """Return the resource of a code location.

    Args:
        folder: The location's folder of replications, None when it has none.
    """
    return ReplicationSlingResource(folder=folder)
