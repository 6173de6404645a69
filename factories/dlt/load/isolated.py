"""Loading each resource on its own, so that one that fails spares the others and is tried alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import count

import dagster as dg
import dlt
from dlt.common.exceptions import DltException
from dlt.extract import DltSource

from factories.core.execution.step import wait_before_retry
from factories.core.execution.table_reader import QueryFailedError
from factories.core.meta.retries import RetrySpec, max_retries
from factories.core.secret_mask import SecretMask
from factories.dlt.errors import LoadedDataError, SourceError
from factories.dlt.load.failures import reason
from factories.dlt.load.load import LoadedResource
from factories.dlt.source.shared_cursors import loaded_together

StepContext = dg.AssetExecutionContext | dg.OpExecutionContext


@dataclass(frozen=True)
class Loads(ABC):
    """What one step loads, and how.

    Attributes:
        context: Dagster's.
        mask: Hides secrets.
        names: The resources to load, in their order.
        retries: How often each is tried again; without one, never.
        independent: Whether no resource reads from another.
        partitioned: Whether the run is for partitions, which leave the pipeline's state alone.
    """

    context: StepContext
    mask: SecretMask
    names: Sequence[str]
    retries: Mapping[str, RetrySpec | None]
    independent: bool
    partitioned: bool

    @abstractmethod
    def open(self, names: Sequence[str]) -> AbstractContextManager[tuple[dlt.Pipeline, DltSource]]:
        """Give a pipeline, with the state that the destination has, and a source to read once."""

    @abstractmethod
    def names_to_refresh(self, names: Sequence[str]) -> set[str]:
        """Return which of the resources are loaded from their cursors' initial values."""

    @abstractmethod
    def load(
        self,
        opened: dlt.Pipeline,
        source: DltSource,
        names: Sequence[str],
        full_refresh: Collection[str],
    ) -> dict[str, LoadedResource]:
        """Load these resources of the source, which are read together."""


def load_each(loads: Loads, failed: dict[str, str]) -> Iterator[tuple[str, LoadedResource]]:
    """Load the resources, each with those that must be read together with it.

    Args:
        loads: What to load.
        failed: Receives why a resource was given up, by its name.

    Yields:
        Each resource that was loaded, as soon as it is.
    """
    batches = [[name] for name in loads.names] if loads.independent else [list(loads.names)]
    for batch in batches:
        waiting = batch
        while waiting:
            loaded = _load_next(loads, waiting, failed)
            yield from ((name, loaded[name]) for name in waiting if name in loaded)
            waiting = [name for name in waiting if name not in loaded and name not in failed]


def failure_report(failed: Mapping[str, str], selected: int) -> str:
    """Return what a step's failure says: which resources, and why each."""
    rest = "; the others are loaded" if len(failed) < selected else ""
    lines = [f"{len(failed)} of {selected} resources failed{rest}."]
    lines += [f"{name}: {why}" for name, why in failed.items()]
    return "\n".join(lines)


def _load_next(
    loads: Loads, waiting: Sequence[str], failed: dict[str, str]
) -> dict[str, LoadedResource]:
    """Load the first of the resources, with those that are loaded together with it.

    It is tried as often as it may. All are given up when the source of all cannot be built.
    """
    group = list(waiting)
    for attempt in count(1):
        try:
            with loads.open(group) as (opened, source):
                full_refresh = loads.names_to_refresh(group)
                group = _first_group(loads, opened, source, group, full_refresh)
                loaded = loads.load(opened, source, group, full_refresh)
            _log_loaded(loads.context, loaded)
        except (DltException, LoadedDataError, QueryFailedError, SourceError) as error:
            why = loads.mask(reason(error))
        else:
            return {name: replace(each, attempt=attempt) for name, each in loaded.items()}
        specs = [loads.retries.get(name) for name in group]
        loads.context.log.error("%s: %s", ", ".join(group), why)
        if attempt > max_retries(specs):
            break
        wait_before_retry(loads.context.log, specs, group, attempt)
    failed.update(dict.fromkeys(group, why))
    return {}


def _first_group(
    loads: Loads,
    opened: dlt.Pipeline,
    source: DltSource,
    waiting: Sequence[str],
    full_refresh: Collection[str],
) -> list[str]:
    """Return the first resource and those with which it is loaded: nothing is read again."""
    known = [name for name in waiting if name in source.resources]
    if waiting[0] not in known:  # which fails alone, when it is selected
        return [waiting[0]]
    state = {} if loads.partitioned else opened.state.get("sources", {}).get(source.name, {})
    together = loaded_together(source, known, state, full_refresh)
    return [name for name in waiting if name in together]


def _log_loaded(context: StepContext, loaded: Mapping[str, LoadedResource]) -> None:
    for name, result in loaded.items():
        rows = ", ".join(f"{table} {number:,}" for table, number in result.rows.items())
        context.log.info("%s: loaded in %.1f s, rows: %s", name, result.seconds, rows)
        if result.refusals:
            context.log.warning("%s: the schema contract refused %s", name, result.refusals)
