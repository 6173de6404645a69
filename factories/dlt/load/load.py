"""Loading some resources of a pipeline: extract, normalize and load, in a package of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.pipeline import LoadInfo, NormalizeInfo
from dlt.common.schema.typing import TSchemaTables
from dlt.common.schema.utils import get_nested_tables
from dlt.extract import DltSource

from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.warehouse.watchdog import WarehouseLostError
from factories.dlt.config.pipelines import Pipeline
from factories.dlt.load.column_types import check_column_types, find_column_types
from factories.dlt.load.contracts import Refusals, count_dropped, refusals_recorded
from factories.dlt.load.destination import DESTINATION_ARGUMENTS, KeptSessions, Snowflake
from factories.dlt.load.load_details import load_details
from factories.dlt.load.lost_fields import report_lost_fields, watch_fields
from factories.dlt.load.unfinished import Note, UnfinishedLoads
from factories.dlt.source.shared_cursors import set_cursors

# How long a step that failed or was cancelled waits for what the warehouse is still running.
WORKERS_SECONDS = 60.0


@dataclass(frozen=True)
class LoadedResource:
    """What one load did for one resource.

    Attributes:
        rows: Rows loaded by table: its own first, then its child tables; 0 included.
        new_tables: Those that this load made.
        new_columns: The types of the columns that it added to others, by table and name.
        load_id: dlt's id of the package, None when there was nothing to load.
        seconds: How long extract, normalize and load took, for all that was loaded together.
        refusals: What the schema contract kept out.
        details: What dagster-dlt's own metadata says about a load.
        info: What dlt says of the load, None when there was nothing to load.
        is_replaced: Whether the tables were to be replaced, whatever the write disposition.
        attempt: Which try this was, 1 the first.
    """

    rows: Mapping[str, int]
    new_tables: Sequence[str]
    new_columns: Mapping[str, Mapping[str, str]]
    load_id: str | None
    seconds: float
    refusals: Refusals
    details: Mapping[str, Any]
    info: LoadInfo | None
    is_replaced: bool = False
    attempt: int = 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing was loaded, nor any table changed."""
        return not any(self.rows.values()) and not self.new_tables and not self.new_columns


def open_pipeline(
    pipeline: Pipeline,
    folder: Path,
    names: WarehouseNames,
    settings: WarehouseSettings,
    *,
    sessions: KeptSessions,
    progress: Any,
) -> dlt.Pipeline:
    """Return dlt's pipeline in an empty working folder, with what the warehouse knows of it.

    State and schema come from the warehouse, where a load is complete or never was: a run that
    was killed leaves nothing that the next could mistake for its own.

    Args:
        pipeline: The pipeline file.
        folder: The working folder.
        names: How the target's databases are called.
        settings: How to reach the warehouse.
        sessions: Those of the step.
        progress: dlt's collector, which reports how far it is.
    """
    destination = Snowflake(
        credentials=settings.dlt_credentials(names.database(RAW)),
        replace_strategy=pipeline.settings.replace_strategy,
        **DESTINATION_ARGUMENTS,
    )
    destination.sessions = sessions
    opened = dlt.pipeline(
        pipeline_name=pipeline.name,
        pipelines_dir=str(folder),
        destination=destination,
        dataset_name=pipeline.schema,
        progress=progress,
    )
    opened.sync_destination()
    return opened


def load_source(
    opened: dlt.Pipeline,
    source: DltSource,
    unfinished: UnfinishedLoads | None,
    *,
    full_refresh: Collection[str],
    partitioned: bool,
    extract: Mapping[str, Any],
    nan_is_null: Collection[str] = (),
) -> dict[str, LoadedResource]:
    """Extract, normalize and load the selected resources of a source.

    Args:
        opened: dlt's pipeline.
        source: The source; it can be read once.
        unfinished: Notes the load where one that is cut short must be undone or done again; None
            for a destination that holds no notes.
        full_refresh: The resources whose tables are replaced and whose cursors begin at their
            initial values. The state that says so is stored with the rows: a load that fails
            leaves the old ones.
        partitioned: Whether the run is for partitions, which leave the state alone.
        extract: Further arguments of `dlt.Pipeline.extract`.
        nan_is_null: The resources whose reader has NaN for what is not there.

    Returns:
        What was loaded, by the resource's name.

    Raises:
        dlt.pipeline.exceptions.PipelineStepFailed: When a step fails. The pipeline is then of no
            further use; what other loads have done stays.
        QueryFailedError: When the load cannot be noted; nothing is loaded then.
        LoadedDataError: When fields would be lost that the schema contract freezes, or a column
            is of another type than its values.
    """
    began = time.monotonic()
    with opened.managed_state() as state:
        of_source = state.setdefault("sources", {}).setdefault(source.name, {})
        set_cursors(source, of_source, full_refresh, partitioned=partitioned)
    known = _loaded_tables(opened, source)
    watched = watch_fields(source, nan_is_null)
    types = find_column_types(opened, source.schema.name)
    with refusals_recorded(source, Path(opened.working_dir)) as refusals:
        extracted = opened.extract(source, **extract)
        normalized = opened.normalize()
    report_lost_fields(watched, opened.schemas[source.schema.name])
    check_column_types(opened, source, types)
    tables = opened.schemas[source.schema.name].tables
    loaded: LoadInfo | None
    if unfinished is None:
        loaded = opened.load()
    else:
        disposition = extract.get("write_disposition")
        noted = _names_to_note(source, full_refresh, disposition)
        loaded = _load_noted(opened, source, unfinished, full_refresh, noted)
    rows = _rows(normalized)
    count_dropped(refusals, extracted, source)
    seconds = time.monotonic() - began
    new_columns = _new_columns(loaded)
    load_id = _load_id(loaded, set(rows))
    results = {}
    for name, resource in source.selected_resources.items():
        own = list(_tables(tables, name)) or [str(resource.table_name)]
        results[name] = LoadedResource(
            rows={table: rows.get(table, 0) for table in own},
            new_tables=[table for table in own if table in new_columns and table not in known],
            new_columns={t: new_columns[t] for t in own if t in new_columns and t in known},
            load_id=load_id if any(table in rows for table in own) else None,
            seconds=seconds,
            refusals=refusals.of({*own, name}),
            details=load_details(opened, loaded, own),
            info=loaded,
            is_replaced=name in full_refresh,
        )
    return results


def _names_to_note(source: DltSource, full_refresh: Collection[str], given: Any) -> list[str]:
    """Return the resources that leave something behind when their load is cut short."""
    names = []
    for name, resource in source.selected_resources.items():
        disposition = given or resource.write_disposition
        if isinstance(disposition, Mapping):
            disposition = disposition.get("disposition")
        if name in full_refresh or disposition not in {"replace", "merge"}:
            names.append(name)
    return names


def _load_noted(
    opened: dlt.Pipeline,
    source: DltSource,
    unfinished: UnfinishedLoads,
    full_refresh: Collection[str],
    noted: Sequence[str],
) -> LoadInfo | None:
    """Load the packages, noted as unfinished until they are complete."""
    selected = list(source.selected_resources)
    load_ids = opened.list_normalized_load_packages()
    tables = opened.schemas[source.schema.name].tables
    notes = [
        Note(load_id, name, table, tables[table].get("parent"), name in full_refresh)
        for load_id in load_ids
        for name in noted
        for table in _tables(tables, name)
    ]
    unfinished.begin(opened, selected, notes)
    try:
        loaded = opened.load()
    except WarehouseLostError:  # nothing can be undone: the note stays for the next run
        raise
    except BaseException:  # also when the run is cancelled
        if _workers_ended():
            unfinished.undo(load_ids)
        raise
    unfinished.finish(load_ids)
    return loaded


def _workers_ended() -> bool:
    """Wait for the statements that dlt's threads are running; tell whether all have ended.

    A step that is cancelled leaves dlt's pool after two seconds, and its threads at work.
    """
    deadline = time.monotonic() + WORKERS_SECONDS
    prefix = Container.thread_pool_prefix()
    workers = [thread for thread in threading.enumerate() if thread.name.startswith(prefix)]
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    return not any(worker.is_alive() for worker in workers)


def _loaded_tables(opened: dlt.Pipeline, source: DltSource) -> set[str]:
    """Return the tables that earlier loads have made."""
    if source.schema.name not in opened.schemas:
        return set()
    return {str(table["name"]) for table in opened.schemas[source.schema.name].data_tables()}


def _rows(normalized: NormalizeInfo | None) -> dict[str, int]:
    return dict(normalized.row_counts) if normalized else {}


def _tables(tables: TSchemaTables, resource: str) -> Iterator[str]:
    """Yield the names of a resource's tables: each with its child tables after it."""
    for name, table in tables.items():
        if table.get("resource") == resource and not table.get("parent"):
            yield from (str(nested["name"]) for nested in get_nested_tables(tables, name))


def _new_columns(loaded: LoadInfo | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for package in loaded.load_packages if loaded else ():
        for table, update in package.schema_update.items():
            for name, column in update["columns"].items():
                found.setdefault(table, {})[name] = str(column.get("data_type"))
    return found


def _load_id(loaded: LoadInfo | None, tables: set[str]) -> str | None:
    """Return the id of the package that holds these tables; another may hold the state alone."""
    for package in loaded.load_packages if loaded else ():
        jobs = package.jobs["completed_jobs"]
        if any(job.job_file_info.table_name in tables for job in jobs):
            return package.load_id
    return None
