"""Running a source and a pipeline that somebody wrote in Python, as `@dlt_assets` has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination.client import WithStateSync
from dlt.extract import DltSource

from factories.core.execution.failures import build_step_failure
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.step import start_errors_as_failures
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.secret_mask import SecretMask, mask_output, mask_with_environment
from factories.core.warehouse.fail_on_loss import fail_when_warehouse_is_lost
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import WarehouseSettings, warehouse_settings
from factories.dlt.dlt_internals import schema_paths
from factories.dlt.errors import RunArgumentError
from factories.dlt.load.destination import TargetSnowflake
from factories.dlt.load.failures import reason
from factories.dlt.load.isolated import Loads, StepContext, failure_report, load_each
from factories.dlt.load.load import LoadedResource, load_source
from factories.dlt.load.log import Progress, dlt_log
from factories.dlt.load.metadata import load_metadata
from factories.dlt.load.settings import step_defaults
from factories.dlt.load.unfinished import UnfinishedLoads

# What dlt's `Pipeline.run` takes and a load of each resource on its own can have.
EXTRACT_ARGUMENTS = frozenset(
    {"columns", "loader_file_format", "primary_key", "refresh", "schema_contract", "table_format"}
    | {"write_disposition"}
)
# Describes a loaded resource: of its name, what was loaded, and the pipeline that did it.
Describe = Callable[[str, LoadedResource, dlt.Pipeline], Mapping[str, Any]]
DltEvent = dg.MaterializeResult[Any] | dg.AssetMaterialization


@dataclass(frozen=True)
class _SourceLoads(Loads):
    """The loads of a source that is given.

    Attributes:
        given: The pipeline; it is not changed, where its destination keeps its state.
        source: The source, which is copied for each load.
        arguments: Those of `dlt.Pipeline.extract`.
        folder: For the working folders of dlt.
        unfinished: Notes the loads that are under way; None where the destination has no notes.
        describe: Makes the metadata of what was loaded.
    """

    given: dlt.Pipeline
    source: DltSource
    arguments: Mapping[str, Any]
    folder: Path
    unfinished: UnfinishedLoads | None
    describe: Describe

    @contextmanager
    def open(self, names: Sequence[str]) -> Iterator[tuple[dlt.Pipeline, DltSource]]:  # noqa: ARG002 - the source has them all
        """Give a pipeline that goes on where the last complete load ended, and the source."""
        with TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
            if _restores_state(self.given):
                yield (
                    _copy_of(self.given, Path(folder), Progress(self.context)),
                    self.source.clone(),
                )
            else:  # its own folder alone has the state
                self.given.activate()
                self.given.drop_pending_packages()
                yield self.given, self.source.clone()

    def names_to_refresh(self, names: Sequence[str]) -> set[str]:  # noqa: ARG002 - as above
        """Return none: `refresh` is dlt's own."""
        return set()

    def load(
        self,
        opened: dlt.Pipeline,
        source: DltSource,
        names: Sequence[str],
        full_refresh: Collection[str],
    ) -> dict[str, LoadedResource]:
        """Load these resources of the source."""
        loaded = load_source(
            opened,
            source.with_resources(*names),
            self.unfinished,
            full_refresh=full_refresh,
            partitioned=self.partitioned,
            extract=self.arguments,
        )
        for result in loaded.values():
            if result.info is not None:
                result.info.raise_on_failed_jobs()
        return {
            name: replace(
                result,
                details={**self.describe(name, result, opened), **load_metadata(result)},
            )
            for name, result in loaded.items()
        }


def run_source(
    context: StepContext,
    source: DltSource,
    pipeline: dlt.Pipeline,
    keys: Mapping[str, dg.AssetKey],
    *,
    describe: Describe,
    arguments: Mapping[str, Any],
) -> Iterator[DltEvent]:
    """Load resources of a source, each on its own.

    Args:
        context: Dagster's.
        source: The source.
        pipeline: Where it is loaded.
        keys: The assets of the resources to load, by the resources' names.
        describe: Makes the metadata of what was loaded.
        arguments: What a person has given for dlt's `Pipeline.run`.

    Yields:
        A result for each resource that was loaded; in an op, a materialization.

    Raises:
        dagster.Failure: After the results, when a resource has failed; names each. Also when an
            argument cannot be used: then nothing has run.
    """
    mask = mask_with_environment(())
    failed: dict[str, str] = {}
    with ExitStack() as entered:
        with start_errors_as_failures():
            _check_arguments(arguments)
            _check_tables(source)
            settings = warehouse_settings() if _loads_target(pipeline) else None
            unfinished = _unfinished_loads(context, pipeline, settings, mask)
        entered.enter_context(terminate_when_run_ends(context))
        if settings is not None:
            entered.enter_context(fail_when_warehouse_is_lost(settings))
        entered.enter_context(mask_output(mask))
        folder = entered.enter_context(temporary_step_folder("dlt"))
        entered.enter_context(step_defaults(mask.add))
        entered.enter_context(dlt_log(context, mask))
        entered.callback(pipeline.activate)  # each load has activated a copy of it
        loads = _SourceLoads(
            context,
            mask,
            list(keys),
            {},
            independent=False,
            partitioned=False,
            given=pipeline,
            source=source,
            arguments=arguments,
            folder=folder,
            unfinished=unfinished,
            describe=describe,
        )
        try:
            for name, loaded in load_each(loads, failed):
                yield _event(context, keys[name], loaded.details)
        except ConfigurationException as error:
            raise dg.Failure(mask(reason(error)), allow_retries=False) from None
        if failed:
            reasons = {keys[name]: f"{name}: {why}" for name, why in failed.items()}
            raise build_step_failure(failure_report(failed, len(keys)), reasons, allow_retries=True)


def _event(context: StepContext, key: dg.AssetKey, metadata: Mapping[str, Any]) -> DltEvent:
    if context.has_assets_def:
        return dg.MaterializeResult(asset_key=key, metadata=metadata)
    return dg.AssetMaterialization(asset_key=key, metadata={**metadata})


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    for name in arguments:
        if name not in EXTRACT_ARGUMENTS:
            raise RunArgumentError(
                f"dlt.run: {name!r} cannot be given for a load of each resource on its own: it"
                " belongs to dlt.pipeline() or to the resource"
            )
    if arguments.get("refresh") == "drop_sources":
        raise RunArgumentError(
            "dlt.run: refresh='drop_sources' would drop the tables of the resources that were"
            " loaded before: use 'drop_resources'"
        )


def _loads_target(pipeline: dlt.Pipeline) -> bool:
    return isinstance(pipeline.destination, TargetSnowflake)


def _check_tables(source: DltSource) -> None:
    """Refuse resources whose tables' names become one: each would replace what the other loads."""
    first: dict[str, tuple[str, str]] = {}
    for name, resource in source.selected_resources.items():
        if callable(resource.table_name):
            continue
        written = str(resource.table_name)
        table = source.schema.naming.normalize_tables_path(written)
        other, same = first.setdefault(table, (name, written))
        if same != written:
            raise RunArgumentError(
                f"dlt.run: the resources {other!r} and {name!r} would both load the table"
                f" {table!r}, as dlt writes {same!r} and {written!r}: give one of them another"
                " table_name"
            )


def _unfinished_loads(
    context: StepContext,
    pipeline: dlt.Pipeline,
    settings: WarehouseSettings | None,
    mask: SecretMask,
) -> UnfinishedLoads | None:
    destination = pipeline.destination
    if settings is None or not pipeline.dataset_name:
        return None
    assert isinstance(destination, TargetSnowflake)  # noqa: S101 - else there are no settings
    for secret in settings.secrets:
        mask.add(secret)
    return UnfinishedLoads(
        settings,
        warehouse_names(),
        database=destination.database,
        schema=pipeline.dataset_name.upper(),
        pipeline=pipeline.pipeline_name,
        log=context.log,
    )


def _restores_state(pipeline: dlt.Pipeline) -> bool:
    destination = pipeline.destination
    return (
        bool(pipeline.config.restore_from_destination)
        and destination is not None
        and issubclass(destination.client_class, WithStateSync)
    )


def _copy_of(given: dlt.Pipeline, folder: Path, progress: Any) -> dlt.Pipeline:
    """Return a pipeline in an empty folder, with what the destination knows of the given one.

    State and schema come from the destination, where a load is complete or never was: a load that
    failed leaves nothing that the next could mistake for its own.
    """
    arguments: dict[str, Any] = {
        **schema_paths(given),
        "progress": progress,
    }
    opened: dlt.Pipeline = dlt.pipeline(
        pipeline_name=given.pipeline_name,
        pipelines_dir=str(folder),
        pipeline_salt=given.pipeline_salt,
        destination=given.destination,
        staging=given.staging,
        dataset_name=given.dataset_name,
        **arguments,
    )
    opened.refresh = given.refresh
    opened.config.use_single_dataset = given.config.use_single_dataset
    opened.sync_destination()
    return opened
