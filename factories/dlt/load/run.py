"""Running the selected resources of one pipeline inside a Dagster step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.exceptions import DltException
from dlt.extract import DltSource

from factories.core.execution.checks import check_results
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.secrets import SecretMask, masked_output
from factories.core.execution.table_reader import QueryFailedError, TableReader
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.local_systems import LocalSystemError
from factories.core.meta.partitions import UnreadableWindowError, Window, window
from factories.core.meta.retries import max_retries, retry_delay
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import (
    WarehouseSettings,
    WarehouseSettingsError,
    warehouse_settings,
)
from factories.core.yaml.variables import UndefinedVariableError, interpolate
from factories.dlt.config.checking.settings import variable_problems
from factories.dlt.config.pipelines import Pipeline, Resource
from factories.dlt.errors import SourceError
from factories.dlt.load.failures import reason
from factories.dlt.load.load import LoadedResource, load_source, open_pipeline
from factories.dlt.load.log import Progress, dlt_log
from factories.dlt.load.metadata import materialize_result
from factories.dlt.load.secrets import source_secrets
from factories.dlt.load.settings import dlt_settings
from factories.dlt.load.unfinished import UnfinishedLoads
from factories.dlt.source.shared_cursors import loaded_together
from factories.dlt.source.sources import INDEPENDENT, make_source, selected


@dataclass(frozen=True)
class _Run:
    """What all loads of one step share.

    Attributes:
        context: Dagster's.
        pipeline: The pipeline file.
        config: The file's `source`, with the values of its `${VAR}`s.
        covered: The window of the run's partitions.
        full_refresh: Whether tables are replaced and cursors start over.
        names: How the target's databases are called.
        settings: How to reach the warehouse.
        mask: Hides secrets.
        folder: For the working folders of dlt.
        unfinished: Notes the loads that are under way.
    """

    context: dg.AssetExecutionContext
    pipeline: Pipeline
    config: Mapping[str, Any] = field(repr=False)
    covered: Window | None
    full_refresh: bool
    names: WarehouseNames
    settings: WarehouseSettings
    mask: SecretMask
    folder: Path
    unfinished: UnfinishedLoads

    @contextmanager
    def opened(self, resources: Sequence[Resource]) -> Iterator[tuple[dlt.Pipeline, DltSource]]:
        """Give a pipeline in a folder of its own, and a source of these resources, to use once."""
        with (
            TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder,
            ExitStack() as used,
        ):
            opened = open_pipeline(
                self.pipeline,
                Path(folder),
                self.names,
                self.settings,
                progress=Progress(self.context),
            )
            source = make_source(self.pipeline, self.config, resources, self.covered, used)
            yield opened, source

    def full_refreshes(self, resources: Sequence[Resource]) -> set[str]:
        """Return which resources begin at their cursors' initial values."""
        names = [resource.name for resource in resources]
        if self.full_refresh:
            return set(names)
        if self.covered:  # the other partitions' rows must stay
            return set()
        return self.unfinished.refreshes(names)


def run_resources(
    context: dg.AssetExecutionContext,
    pipeline: Pipeline,
    by_key: Mapping[dg.AssetKey, Resource],
    names: WarehouseNames,
    *,
    full_refresh: bool,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Load the selected resources of one pipeline.

    Each resource is extracted, normalized and loaded on its own (with those that it reads from),
    so that one that fails spares the others and is tried again alone, as its `retries` say.
    Checks that are selected without their asset run on the table as it is.

    Args:
        context: Dagster's.
        pipeline: The pipeline file.
        by_key: The resources that the step can load.
        names: How the target's databases are called.
        full_refresh: Whether to replace the tables and begin at the cursors' initial values.

    Yields:
        A result for each resource that was loaded, and for each check that runs alone.

    Raises:
        dagster.Failure: After the results, when a resource has failed for good; names each. Also
            when the run's window cannot be read or a setting is missing: then nothing has run.
    """
    selected = context.selected_asset_keys
    resources = [resource for key, resource in by_key.items() if key in selected]
    values: dict[str, str] = {}
    try:
        settings = warehouse_settings()
        covered = _covered(context, full_refresh=full_refresh) if resources else None
        config = interpolate(pipeline.settings.source, values) if resources else {}
        dlt_config = interpolate(pipeline.settings.config, values)
    except (
        LocalSystemError,
        UndefinedVariableError,
        UnreadableWindowError,
        WarehouseSettingsError,
    ) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    written = {"source": pipeline.settings.source, "config": pipeline.settings.config}
    mask = SecretMask({*settings.secrets, *source_secrets(written, values)})
    wrong = list(variable_problems(pipeline.settings.config, dlt_config))
    if wrong:
        lines = [f"{pipeline.path.name}: {each}" for each in wrong]
        raise dg.Failure("\n".join(lines), allow_retries=False)
    lost: dict[str, str] = {}
    with (
        terminate_when_run_ends(context),
        masked_output(mask),
        closing(TableReader(settings, names)) as reader,
        temporary_step_folder("dlt") as folder,
        _settings(dlt_config, folder, mask),
        dlt_log(context, mask),
    ):
        for key, resource in by_key.items():
            if key not in selected:
                yield from check_results(
                    context, key, resource.meta.checks, resource.relation, reader
                )
        run = _Run(
            context,
            pipeline,
            config,
            covered,
            full_refresh,
            names,
            settings,
            mask,
            folder,
            UnfinishedLoads(settings, names, pipeline.schema, pipeline.name, context.log),
        )
        for resource, loaded in _load(run, resources, lost):
            yield materialize_result(context, resource, loaded, reader)
    if lost:
        raise dg.Failure(_report(lost, len(resources)), allow_retries=False)


@contextmanager
def _settings(config: Mapping[str, Any], folder: Path, mask: SecretMask) -> Iterator[None]:
    try:
        with dlt_settings(config, folder, mask.add):
            yield
    except ConfigurationException as error:  # of the environment: the file's own are checked
        raise dg.Failure(mask(reason(error)), allow_retries=False) from None


def _covered(context: dg.AssetExecutionContext, *, full_refresh: bool) -> Window | None:
    covered = window(context)
    if covered and full_refresh:
        raise UnreadableWindowError("full_refresh would replace the other partitions' rows")
    if isinstance(covered, tuple):
        raise UnreadableWindowError("dlt resources have partitions of time only")
    return covered


def _load(
    run: _Run, resources: Sequence[Resource], lost: dict[str, str]
) -> Iterator[tuple[Resource, LoadedResource]]:
    """Load the resources; why one is given up goes to `lost`."""
    if run.pipeline.kind in INDEPENDENT:
        batches = [[resource] for resource in resources]
    else:
        batches = [list(resources)]
    for batch in batches:
        waiting = batch
        while waiting:
            loaded = _load_next(run, waiting, lost)
            yield from ((r, loaded[r.name]) for r in waiting if r.name in loaded)
            waiting = [r for r in waiting if r.name not in loaded and r.name not in lost]


def _load_next(
    run: _Run, waiting: Sequence[Resource], lost: dict[str, str]
) -> dict[str, LoadedResource]:
    """Load the first of the resources, with those that are loaded together with it.

    It is tried as often as it may. All are given up when the source of all cannot be built.
    """
    group = list(waiting)
    for attempt in count(1):
        try:
            with run.opened(group) as (opened, source):
                full_refresh = run.full_refreshes(group)
                group = _first_group(run, opened, source, group, full_refresh)
                return _load_group(run, opened, source, group, full_refresh)
        except (DltException, QueryFailedError, SourceError) as error:
            why = run.mask(reason(error))
        specs = [resource.meta.retries for resource in group]
        labels = ", ".join(resource.name for resource in group)
        run.context.log.error("%s: %s", labels, why)
        if attempt > max_retries(specs):
            break
        seconds = retry_delay(specs, attempt)
        run.context.log.warning("trying again in %.0f s (retry %d): %s", seconds, attempt, labels)
        time.sleep(seconds)
    lost.update({resource.name: why for resource in group})
    return {}


def _first_group(
    run: _Run,
    opened: dlt.Pipeline,
    source: DltSource,
    waiting: Sequence[Resource],
    full_refresh: AbstractSet[str],
) -> list[Resource]:
    """Return the first resource and those with which it is loaded: nothing is read again."""
    known = [resource.name for resource in waiting if resource.name in source.resources]
    if waiting[0].name not in known:  # which fails alone, when it is selected
        return [waiting[0]]
    state = {} if run.covered else opened.state.get("sources", {}).get(source.name, {})
    names = loaded_together(source, known, state, full_refresh)
    return [resource for resource in waiting if resource.name in names]


def _load_group(
    run: _Run,
    opened: dlt.Pipeline,
    source: DltSource,
    group: Sequence[Resource],
    full_refresh: AbstractSet[str],
) -> dict[str, LoadedResource]:
    if not run.full_refresh:
        for name in sorted(full_refresh & {resource.name for resource in group}):
            run.context.log.warning("%s: the full refresh was cut short, it is done again", name)
    chosen = selected(source, group, full_refresh)
    loaded = load_source(
        run.pipeline,
        opened,
        chosen,
        run.unfinished,
        full_refresh=full_refresh,
        partitioned=run.covered is not None,
    )
    for name, result in loaded.items():
        rows = ", ".join(f"{table} {count:,}" for table, count in result.rows.items())
        run.context.log.info("%s: loaded in %.1f s, rows: %s", name, result.seconds, rows)
        if result.refusals:
            run.context.log.warning("%s: the schema contract refused %s", name, result.refusals)
    return loaded


def _report(lost: Mapping[str, str], selected: int) -> str:
    rest = "; the others are loaded" if len(lost) < selected else ""
    lines = [f"{len(lost)} of {selected} resources failed{rest}."]
    lines += [f"{name}: {why}" for name, why in lost.items()]
    return "\n".join(lines)
