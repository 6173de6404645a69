"""A command of dbt that a user's own assets run, and the metadata of what it built."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self, cast

import dagster as dg

from factories.core.execution.table_reader import COLUMN_SCHEMA, QueryFailedError, TableReader
from factories.core.secret_mask import SecretMask, mask_with_environment
from factories.core.warehouse.names import Relation, warehouse_names
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.warehouse.watchdog import WarehouseWatch
from factories.dbt.dbt_internals import (
    DagsterDbtProject,
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtEventIterator,
)
from factories.dbt.execution.column_lineage import ColumnLineage
from factories.dbt.execution.metadata import artifact
from factories.dbt.execution.process import MODEL_ERROR, keep_parse
from factories.dbt.project.manifest import Manifest, Node
from factories.dbt.project.manifest_file import manifest_of


@dataclass
class StepInvocation(DbtCliInvocation):
    """A started command of dbt; its temporary folder is removed with it.

    `open` has to follow `run`, which is dagster-dbt's and takes no more arguments.
    """

    settings: WarehouseSettings | None = field(init=False, default=None, repr=False)

    def open(self, settings: WarehouseSettings, watch: ExitStack, cleanup: ExitStack) -> None:
        """Mask the secrets in what dbt writes.

        Args:
            settings: How to reach the warehouse.
            watch: What ends with dbt's output.
            cleanup: What ends with the invocation, whose artifacts may be read after dbt's end.
        """
        self.settings = settings
        self._cleanup = cleanup
        # dbt itself would wait for ever: dbt-snowflake 1.11 gives a statement no timeout.
        warehouse = WarehouseWatch(settings, on_lost=self.process.terminate)
        watch.callback(warehouse.stop)
        if self.process.stdout is not None:
            mask = mask_with_environment(settings.secrets)
            masked = _Output(self.process.stdout, mask, warehouse, watch)
            self.process.stdout = cast("IO[bytes]", masked)
        weakref.finalize(self, _close, watch, cleanup)

    def stream(self) -> Any:
        """Stream dbt's events as events of Dagster, as `DbtCliInvocation.stream`."""
        return DescribedEvents(super().stream(), self)

    def stream_raw_events(self) -> Iterator[Any]:
        """Stream dbt's events; what dbt parsed is kept for the next command."""
        try:
            yield from super().stream_raw_events()
        finally:
            plain = not any(str(word).startswith("--vars") for word in self._words)
            if self.process.poll() in {0, MODEL_ERROR} and plain:
                keep_parse(self.target_path, self.project_dir)

    @property
    def _words(self) -> list[Any]:
        return list(cast("list[Any]", self.process.args))

    @cached_property
    def tables(self) -> InvocationTables:
        """The tables of the dbt project, as they are in the warehouse."""
        assert self.settings is not None  # noqa: S101 - set when it was started
        names = warehouse_names()
        reader = TableReader(self.settings, names)
        self._cleanup.callback(reader.close)
        return InvocationTables(
            self.manifest, self.dagster_dbt_translator, self.project, self.project_dir, reader
        )


class DescribedEvents(DbtEventIterator[Any]):
    """dbt's events, whose metadata comes from the warehouse over a connection of this project.

    dagster-dbt itself asks a database adapter, which takes seconds to make in each step.
    """

    def __init__(self, events: Iterator[Any], invocation: StepInvocation) -> None:
        """Take the events, and the command that they come from."""
        super().__init__(events, invocation)
        self._invocation = invocation

    def fetch_row_counts(self) -> Self:
        """Add the number of rows to each table that was built; views are not counted."""
        return self._describe(lambda tables, node: tables.row_count(node))

    def fetch_column_metadata(self, with_column_lineage: bool = True) -> Self:
        """Add the columns of each table that was built, and what they are made of.

        Args:
            with_column_lineage: Whether to read the lineage from the compiled SQL.
        """
        target, log = self._invocation.target_path, dg.get_dagster_logger()

        def columns(tables: InvocationTables, node: Node) -> Mapping[str, Any]:
            found = tables.columns(node)
            if with_column_lineage:
                lineage = ColumnLineage(tables, tables.reader, log.debug)
                if of_columns := lineage.of(node, artifact("compiled", node, target)):
                    found["dagster/column_lineage"] = of_columns
            return found

        return self._describe(columns)

    def _describe(self, describe: Callable[[InvocationTables, Node], Mapping[str, Any]]) -> Self:
        return type(self)(self._describe_events(describe), self._invocation)

    def _describe_events(
        self, describe: Callable[[InvocationTables, Node], Mapping[str, Any]]
    ) -> Iterator[Any]:
        for event in self:
            node = self._node(event)
            try:
                found = describe(self._invocation.tables, node) if node else {}
            except QueryFailedError as error:  # it is built: this is not a failure
                log = dg.get_dagster_logger()
                log.warning("%s is built but cannot be read: %s", node and node.name, error)
                found = {}
            yield event.with_metadata({**event.metadata, **found}) if found else event

    def _node(self, event: Any) -> Node | None:
        if not isinstance(event, (dg.Output, dg.AssetMaterialization)):
            return None
        unique_id = event.metadata.get("unique_id")
        name = unique_id.value if isinstance(unique_id, dg.TextMetadataValue) else unique_id
        return self._invocation.tables.manifest.nodes.get(str(name))


class InvocationTables:
    """The tables of a dbt project whose assets a user made with dagster-dbt."""

    def __init__(
        self,
        content: Mapping[str, Any],
        translator: DagsterDbtTranslator,
        project: DagsterDbtProject | None,
        folder: Path,
        reader: TableReader,
    ) -> None:
        """Take the manifest's content, who names the assets, and what looks at tables."""
        self._content, self._translator, self._project = content, translator, project
        self._folder = folder
        self.reader = reader

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, as the factory reads it."""
        return manifest_of(self._content, self._folder)

    @cached_property
    def keys(self) -> Mapping[str, dg.AssetKey]:
        """The asset keys of nodes and sources, by unique id."""
        return {
            uid: self._translator.get_asset_spec(self._content, uid, self._project).key
            for uid in (*self.manifest.nodes, *self.manifest.sources)
        }

    def relation(self, unique_id: str) -> Relation | None:
        """Return the table of a node or source, as Snowflake stores it."""
        found = self.manifest.nodes.get(unique_id) or self.manifest.sources.get(unique_id)
        return Relation(*found.relation) if found and found.relation else None

    def row_count(self, node: Node) -> dict[str, Any]:
        """Return the number of rows as metadata; nothing of a view, whose query would run."""
        relation = self.relation(node.unique_id)
        if relation is None or node.materialized == "view":
            return {}
        return {
            "dagster/row_count": self.reader.row_count(relation),
            "dagster/storage_kind": self.manifest.adapter,
        }

    def columns(self, node: Node) -> dict[str, Any]:
        """Return the columns as metadata."""
        relation = self.relation(node.unique_id)
        if relation is None:
            return {}
        described = {name.lower(): text for name, text in node.columns.items()}
        columns = [
            dg.TableColumn(name, kind, description=described.get(name.lower()) or None)
            for name, kind in self.reader.columns(relation).items()
        ]
        return {COLUMN_SCHEMA: dg.TableSchema(columns)}


def _close(*stacks: ExitStack) -> None:
    for stack in stacks:
        stack.close()


class _Output:
    """The output of a process, line by line, without secrets; fails when the warehouse is lost."""

    def __init__(
        self, stream: IO[bytes], mask: SecretMask, warehouse: WarehouseWatch, watch: ExitStack
    ) -> None:
        self._stream, self._mask, self._warehouse, self._watch = stream, mask, warehouse, watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._watch.close()

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._mask(line.decode(errors="replace")).encode()
        if self._warehouse.lost is not None:
            raise dg.Failure(self._warehouse.lost)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
