"""The names of Dagster that are not public and that this project needs, in one place.

A test names each of them, so that an upgrade of Dagster that moves one fails by its name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import dagster as dg

# What Dagster's own integrations ask (dagster-dbt, dagster-airbyte).
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.definitions.partitions.snap import PartitionsSnap
from dagster._core.definitions.partitions.utils import (
    get_builtin_partition_mapping_types,
    infer_partition_mapping,
)
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.event_api import EventRecordsFilter
from dagster._core.execution.plan.utils import RetryRequestedFromPolicy
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, TickStatus
from dagster._utils.schedules import reverse_cron_string_iterator

# What `@dg.definitions` makes of a function.
from dagster.components.definitions import LazyDefinitions
from dagster_shared.error import SerializableErrorInfo
from dagster_shared.serdes import deserialize_value, serialize_value

from factories.core.yaml.problems import ConfigError, Problem, format_problems

__all__ = [
    "RUNLESS_RUN_ID",
    "CodeLocationConfigError",
    "FreshnessState",
    "InstigatorState",
    "InstigatorTick",
    "RetryRequestedFromPolicy",
    "SerializableErrorInfo",
    "TickError",
    "TickStatus",
    "check_repository",
    "decorated_function",
    "describe_mapping",
    "describe_partitions",
    "find_partition_fault",
    "is_lazy_definitions",
    "is_reconstruction",
    "parse_selection",
    "planned_by",
    "ticks_before",
]


def is_reconstruction() -> bool:
    """Tell whether a run or step reads again definitions that a code server has made before.

    What was checked then need not be checked in each of these processes.
    """
    return DefinitionsLoadContext.get().load_type is DefinitionsLoadType.RECONSTRUCTION


def decorated_function(assets: dg.AssetsDefinition) -> Callable[..., Any] | None:
    """Return the function below `@asset`, `@asset_check` or `@graph_asset`; None when none is."""
    node = assets.node_def if assets.is_executable else None
    compute = getattr(node, "compute_fn", None)
    found: Callable[..., Any] | None = getattr(compute, "decorated_fn", None)
    return found or getattr(node, "composition_fn", None)


def is_lazy_definitions(value: object) -> bool:
    """Tell whether a module's object is a function below `@dg.definitions`."""
    return isinstance(value, LazyDefinitions)


def parse_selection(text: str) -> dg.AssetSelection:
    """Return the assets that a text of Dagster's selection syntax names.

    `AssetSelection.from_string` passes over what its parser says of a mistake.

    Raises:
        ValueError: With the parser's own words.
    """
    # Needs antlr4, 0.15 s that a location without selections need not pay.
    from dagster._core.definitions.antlr_asset_selection.antlr_asset_selection import (  # noqa: PLC0415 - see above
        AntlrAssetSelectionParser,
    )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # of Dagster's own arguments
            parser = AntlrAssetSelectionParser(text, include_sources=False)
            selection: dg.AssetSelection = parser.asset_selection
            return selection
    except Exception as error:  # noqa: BLE001 - the parser raises Exception itself
        raise ValueError(str(error)) from None


def ticks_before(moment: datetime, cron: str, timezone: str) -> Iterator[datetime]:
    """Yield the ticks of a cron schedule up to a moment, the latest first."""
    return reverse_cron_string_iterator(moment.timestamp(), cron, timezone)


def planned_by(instance: dg.DagsterInstance, key: dg.AssetKey, limit: int) -> list[tuple[int, str]]:
    """Return the last runs that were to make an asset, the latest first.

    Args:
        instance: Dagster's.
        key: The asset.
        limit: How many plans are looked at.

    Returns:
        The id of the event that says so, and the run.
    """
    planned = EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, asset_key=key)
    records = instance.event_log_storage.get_event_records(planned, limit=limit, ascending=False)
    return [(record.storage_id, record.run_id) for record in records]


def check_repository(repository: dg.RepositoryDefinition) -> None:
    """Resolve all that a code server resolves, and describe it as that would.

    Raises:
        Exception: Whatever is wrong with a job, schedule, sensor or asset.
    """
    repository.load_all_definitions()
    RepositorySnap.from_def(repository)


def describe_partitions(partitions: dg.PartitionsDefinition[Any]) -> str:
    """Return partitions as the text that Dagster's processes exchange."""
    snap: Any = PartitionsSnap.from_def(partitions)
    return serialize_value(snap)


def describe_mapping(mapping: dg.PartitionMapping | None) -> str:
    """Return a partition mapping as the text that Dagster's processes exchange.

    Empty for one of a team's own: to other processes Dagster does not tell those either.
    """
    known: Any = mapping if isinstance(mapping, get_builtin_partition_mapping_types()) else None
    return "" if known is None else serialize_value(known)


def find_partition_fault(mapping: str, upstream: str, downstream: str) -> str:
    """Return why the partitions of two assets do not fit; empty when they do.

    Args:
        mapping: How the one depends on the other; empty where Dagster infers it.
        upstream: The partitions that are read.
        downstream: Those of the asset that reads; empty when it has none.
    """
    given: Any = deserialize_value(mapping) if mapping else None
    read: Any = deserialize_value(upstream)
    own: Any = deserialize_value(downstream) if downstream else None
    partitions = read.get_partitions_definition()
    own_partitions = own.get_partitions_definition() if own else None
    try:
        found = infer_partition_mapping(given, own_partitions, partitions)
        found.validate_partition_mapping(partitions, own_partitions)
    except Exception as error:  # noqa: BLE001 - each mapping has its own
        return " ".join(str(error).split())
    return ""


class CodeLocationConfigError(ConfigError, DagsterUserCodeProcessError):
    """A configuration error that Dagster shows as its report alone, without a traceback.

    Dagster wraps what a code location raises in the stack of its own loader, which tells the author
    of a YAML file nothing. `DagsterUserCodeProcessError` is the one exception whose text it takes
    as it is (`serializable_error_info_from_exc_info`, dagster 1.13).
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        ConfigError.__init__(self, problems)
        info = SerializableErrorInfo(format_problems(self.problems), [], "ConfigError")
        self.user_code_process_error_infos = [info]


class TickError(DagsterUserCodeProcessError):
    """Why a schedule or sensor could not be evaluated, which its tick shows as one sentence."""

    def __init__(self, sentence: str) -> None:
        info = SerializableErrorInfo(sentence, [], "TickError")
        super().__init__(sentence, user_code_process_error_infos=[info])  # type: ignore[no-untyped-call]  # Dagster's
