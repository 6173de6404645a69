"""Reads the `meta.dagster` blocks of a file and merges them over the file's defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from factories.core.assets.context import LoadContext, Origin
from factories.core.meta.check_specs import check_problems, referenced_assets
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.meta.dagster_meta import DagsterMeta, merge_meta
from factories.core.yaml import variables
from factories.core.yaml.models import SourceMap, validate
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile
from factories.core.yaml.validation import HasPosition

KEY = "dagster"
DEFAULTS = ("defaults", "meta")


class MetaBlocks:
    """Resolves the blocks of one file; items without one share the defaults' model."""

    def __init__(self, file: YamlFile, default_meta: Any, load_context: LoadContext) -> None:
        """Take the file and the value of its `defaults.meta`; mistakes in it are reported here."""
        self._file = file
        self._load_context = load_context
        self._default = self._block(default_meta, DEFAULTS)

    def of(self, item: KeyPath, meta: Any, *, disabled: bool = False) -> DagsterMeta | None:
        """Return the block that holds for an item.

        Args:
            item: The item's path in the file, such as `["streams", "ops.flights"]`.
            meta: The value of its `meta`, None when it has none.
            disabled: Whether the item makes no asset, so that nothing has to be there for it.

        Returns:
            None when something in it is wrong; the mistakes are then reported.
        """
        if meta is None:
            return self._shared
        own = self._block(meta, (*item, "meta"))
        merged = merge_meta(self._default, own, self._load_context.conditions.config_keys)
        return self._resolve(merged, self.places(item), disabled=disabled)

    def places(self, item: KeyPath) -> SourceMap:
        """Return where an item's block is written: its own, then the file's defaults."""
        return SourceMap(self._file, [*item, "meta", KEY], [*DEFAULTS, KEY])

    @cached_property
    def _shared(self) -> DagsterMeta | None:
        return self._resolve(self._default, SourceMap(self._file, (*DEFAULTS, KEY)))

    def _block(self, meta: Any, at: KeyPath) -> dict[str, Any]:
        self._load_context.problems.extend(misplaced_keys(self._file, meta, at))
        block = meta.get(KEY) if isinstance(meta, dict) else meta
        if block is None:
            return {}
        if not isinstance(block, dict):
            place = [*at, KEY] if isinstance(meta, dict) else at
            self._load_context.problems.append(self._file.problem(place, "must be a mapping"))
            return {}
        self._load_context.problems.extend(variables_in(self._file, block, (*at, KEY)))
        return block

    def _resolve(
        self, block: dict[str, Any], places: SourceMap, *, disabled: bool = False
    ) -> DagsterMeta | None:
        meta = resolve_block(
            block, places, self._load_context.conditions, self._load_context.problems
        )
        if not disabled:
            note_check_reads(meta, block, places, self._load_context)
        return meta


def resolve_block(
    block: Mapping[str, Any],
    places: HasPosition,
    conditions: AutomationConditions,
    problems: list[Problem],
) -> DagsterMeta | None:
    """Return the model of a merged block, with Dagster's automation condition.

    Args:
        block: The keys and values of YAML.
        places: Where they were written.
        conditions: Those that YAML may name.
        problems: Receives every mistake.

    Returns:
        None when something is wrong.
    """
    meta = validate(DagsterMeta, block, places, problems)
    if meta:
        problems.extend(_conflicts(meta, places))
    if meta and meta.checks and (wrong := list(check_problems(meta.checks))):
        problems.extend(
            places.problem(_written(["checks", *path], block), message, at_key=True)
            for path, message in wrong
        )
        meta = None
    # Resolved even if the block has other mistakes, so that all are reported.
    name = block.get("automation_condition")
    config = block.get("automation_condition_config")
    condition = None
    if isinstance(name, str | None) and isinstance(config, dict | None):
        condition = conditions.resolve(name, config, places, problems)
    return meta.with_condition(condition) if meta and condition else meta


def _conflicts(meta: DagsterMeta, places: HasPosition) -> Iterator[Problem]:
    """Yield the keys that do not go with the block's partitions."""
    if meta.data_version and meta.partition:
        message = "data_version: the hash would be of all partitions: leave it out, or set null"
        yield places.problem(["data_version"], message, at_key=True)
    partition = meta.partition
    if meta.freshness and meta.freshness.per_partition:
        if partition is None:
            message = "per_partition: the asset has no partition"
        elif partition.type == "static":
            message = "per_partition: only a partition of time has an end"
        else:
            return
        yield places.problem(["freshness", "per_partition"], message)


def note_check_reads(
    meta: DagsterMeta | None,
    block: Mapping[str, Any],
    places: HasPosition,
    load_context: LoadContext,
) -> None:
    """Note the assets whose tables a block's checks read: some location has to produce each.

    Args:
        meta: The model of the block, None when something in it is wrong.
        block: The keys and values of YAML.
        places: Where they were written.
        load_context: Receives them.
    """
    for path, key in referenced_assets(meta.checks if meta else None):
        at = places.problem(_written(["checks", *path], block), "")
        load_context.check_reads[key, Origin(at.file, at.line, at.column)] = None


def _written(path: Sequence[str | int], block: Mapping[str, Any]) -> list[str | int]:
    """Return as much of a path as the user has written: a short form has no keys."""
    value: Any = block
    for length, step in enumerate(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return [*path[:length]]
        if isinstance(value, str):
            return [*path[: length + 1]]
    return [*path]


def misplaced_keys(file: YamlFile, meta: Any, at: KeyPath) -> Iterator[Problem]:
    """Yield the keys of a `meta` that are misspellings of `dagster`, or belong below it.

    Other keys belong to other readers of the file.
    """
    for key in meta if isinstance(meta, dict) else ():
        if key in DagsterMeta.model_fields:
            message = f"{key}: belongs below meta.{KEY}, here nothing reads it"
            yield file.problem([*at, key], message, at_key=True)
        elif key != KEY and nearest(str(key), [KEY]):
            yield file.problem([*at, key], f"unknown key {key!r}", nearest=KEY, at_key=True)


def variables_in(
    file: YamlFile, block: dict[str, Any], at: KeyPath, of: str = KEY
) -> Iterator[Problem]:
    """Yield each `${VAR}` of a block: the block is read while loading and shown in the catalog."""
    for path, name in variables.names(block):
        message = f"${{{name}}}: {of} takes no variables: write the value"
        yield file.problem([*at, *path], message)
