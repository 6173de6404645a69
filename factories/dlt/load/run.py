"""Running the selected resources of one pipeline file inside a Dagster step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.extract import DltSource

from factories.core.execution.checks.run import run_selected_checks
from factories.core.execution.failures import build_step_failure
from factories.core.execution.reexecution import made_before, rematerialize_for_waiting_steps
from factories.core.execution.step import OpenStep, open_step, start_errors_as_failures
from factories.core.execution.window import UnreadableWindowError, Window, window
from factories.core.secret_mask import SecretMask, mask_output, mask_with_environment
from factories.core.warehouse.names import RAW, WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings, warehouse_settings
from factories.core.yaml.variables import interpolate
from factories.dlt.config.checking.settings import variable_problems
from factories.dlt.config.pipelines import Pipeline, PipelineLoad, Resource
from factories.dlt.load.destination import KeptSessions, kept_sessions
from factories.dlt.load.failures import reason
from factories.dlt.load.isolated import Loads, failure_report, load_each
from factories.dlt.load.load import LoadedResource, load_source, open_pipeline
from factories.dlt.load.log import Progress, dlt_log
from factories.dlt.load.metadata import materialize_result
from factories.dlt.load.secrets import source_secrets
from factories.dlt.load.settings import dlt_settings
from factories.dlt.load.unfinished import UnfinishedLoads
from factories.dlt.source.sources import INDEPENDENT, make_source, selected


@dataclass(frozen=True)
class _PipelineLoads(Loads):
    """The loads of a pipeline file.

    Attributes:
        pipeline: The pipeline file.
        resources: Those to load, by their names.
        config: The file's `source`, with the values of its `${VAR}`s.
        covered: The window of the run's partitions.
        full_refresh: Whether tables are replaced and cursors start over.
        warehouse: How the target's databases are called.
        settings: How to reach the warehouse.
        folder: For the working folders of dlt.
        unfinished: Notes the loads that are under way.
        sessions: Those of the warehouse that dlt uses again.
    """

    pipeline: Pipeline
    resources: Mapping[str, Resource]
    config: Mapping[str, Any] = field(repr=False)
    covered: Window | None
    full_refresh: bool
    warehouse: WarehouseNames
    settings: WarehouseSettings
    folder: Path
    unfinished: UnfinishedLoads
    sessions: KeptSessions

    @contextmanager
    def open(self, names: Sequence[str]) -> Iterator[tuple[dlt.Pipeline, DltSource]]:
        """Give a pipeline in a folder of its own, and a source of these resources."""
        with (
            TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder,
            ExitStack() as used,
        ):
            opened = open_pipeline(
                self.pipeline,
                Path(folder),
                self.warehouse,
                self.settings,
                sessions=self.sessions,
                progress=Progress(self.context),
            )
            resources = [self.resources[name] for name in names]
            yield opened, make_source(self.pipeline, self.config, resources, self.covered, used)

    def names_to_refresh(self, names: Sequence[str]) -> set[str]:
        """Return those of a full refresh, also of one that was cut short."""
        if self.full_refresh:
            return set(names)
        if self.covered:  # the other partitions' rows must stay
            return set()
        return self.unfinished.refreshes(names)

    def load(
        self,
        opened: dlt.Pipeline,
        source: DltSource,
        names: Sequence[str],
        full_refresh: Collection[str],
    ) -> dict[str, LoadedResource]:
        """Load these resources, each as the file says."""
        if not self.full_refresh:
            for name in sorted({*full_refresh} & {*names}):
                self.context.log.warning(
                    "%s: the full refresh was cut short, it is done again", name
                )
        return load_source(
            opened,
            selected(source, [self.resources[name] for name in names], full_refresh),
            self.unfinished,
            full_refresh=full_refresh,
            partitioned=self.partitioned,
            extract={"loader_file_format": self.pipeline.settings.loader_file_format},
            nan_is_null=self._csv_resources(),
        )

    def _csv_resources(self) -> set[str]:
        """Return the resources of CSV files, whose empty cells pandas reads as NaN."""
        entries = (self.config.get("filesystem") or {}).get("resources", ())
        return {entry["name"] for entry in entries if entry["reader"] == "read_csv"}


def run_pipeline_file(
    context: dg.AssetExecutionContext, declared: PipelineLoad
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Load the selected resources of a pipeline file.

    Each resource is extracted, normalized and loaded on its own (with those that it reads from),
    so that one that fails spares the others and is tried again alone, as its `retries` say.
    Checks that are selected without their asset run on the table as it is.

    Args:
        context: Dagster's.
        declared: What the step may load, and how.

    Yields:
        A result for each resource that was loaded, and for each check that runs alone.

    Raises:
        dagster.Failure: After the results, when a resource has failed for good; names each. Also
            when the run's window cannot be read or a setting is missing: then nothing has run.
    """
    pipeline = declared.pipeline
    before = made_before(context)
    keys = context.selected_asset_keys - before.runs.keys()
    resources = {r.name: r for key, r in declared.resources.items() if key in keys}
    values: dict[str, str] = {}
    with start_errors_as_failures():
        settings = warehouse_settings()
        covered = _find_window(context, full_refresh=declared.full_refresh) if resources else None
        config = interpolate(pipeline.settings.source, values) if resources else {}
        dlt_config = interpolate(pipeline.settings.config, values)
    written = {"source": pipeline.settings.source, "config": pipeline.settings.config}
    mask = mask_with_environment({*settings.secrets, *source_secrets(written, values)})
    wrong = list(variable_problems(pipeline.settings.config, dlt_config))
    if wrong:
        lines = [f"{pipeline.path.name}: {each}" for each in wrong]
        raise dg.Failure("\n".join(lines), allow_retries=False)
    failed: dict[str, str] = {}
    with (
        mask_output(mask),
        open_step(context, settings, declared.names, "dlt") as step,
        _settings(dlt_config, step.folder, mask),
        dlt_log(context, mask),
        kept_sessions() as sessions,
    ):
        yield from rematerialize_for_waiting_steps(context, before)
        yield from _checks_alone(context, declared, step)
        loads = _PipelineLoads(
            context,
            mask,
            list(resources),
            {name: resource.meta.retries for name, resource in resources.items()},
            pipeline.kind in INDEPENDENT,
            covered is not None,
            pipeline,
            resources,
            config,
            covered,
            declared.full_refresh,
            declared.names,
            settings,
            step.folder,
            UnfinishedLoads(
                settings,
                declared.names,
                database=declared.names.database(RAW),
                schema=pipeline.schema,
                pipeline=pipeline.name,
                log=context.log,
            ),
            sessions,
        )
        for name, loaded in load_each(loads, failed):
            yield materialize_result(context, resources[name], loaded, step.reader)
        if failed:
            names = {resource.name: key for key, resource in declared.resources.items()}
            reasons = {names[name]: f"{name}: {why}" for name, why in failed.items()}
            raise build_step_failure(failure_report(failed, len(resources)), reasons)


def _checks_alone(
    context: dg.AssetExecutionContext, declared: PipelineLoad, step: OpenStep
) -> Iterator[dg.AssetCheckResult]:
    for key, resource in declared.resources.items():
        if key not in context.selected_asset_keys:
            yield from run_selected_checks(
                context, key, resource.meta.checks, resource.relation, step.reader
            )


@contextmanager
def _settings(config: Mapping[str, Any], folder: Path, mask: SecretMask) -> Iterator[None]:
    try:
        with dlt_settings(config, folder, mask.add):
            yield
    except ConfigurationException as error:  # of the environment: the file's own are checked
        raise dg.Failure(mask(reason(error)), allow_retries=False) from None


def _find_window(context: dg.AssetExecutionContext, *, full_refresh: bool) -> Window | None:
    covered = window(context)
    if covered and full_refresh:
        raise UnreadableWindowError("full_refresh would replace the other partitions' rows")
    if isinstance(covered, tuple):
        raise UnreadableWindowError("dlt resources have partitions of time only")
    return covered
