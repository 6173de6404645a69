"""The `meta.dagster` blocks of a dbt project: where each is written, and what holds for a node.

dbt replaces `meta.dagster` as a whole where a more specific place gives one; here the blocks are
read where they were written and merged key by key, as for every other tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from factories.core.assets.blocks import (
    KEY,
    misplaced_keys,
    note_check_reads,
    resolve_block,
    variables_in,
)
from factories.core.assets.context import LoadContext
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.dagster_meta import DagsterMeta, merge_meta
from factories.core.yaml import variables
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import YamlFile, display_name
from factories.dbt.project.config_calls import ConfigCall, config_call
from factories.dbt.project.manifest import Node, Source
from factories.dbt.project.properties import SECTIONS, Place, PropertiesFiles

JINJA = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class Block:
    """One `meta.dagster` block, and where it is written.

    Attributes:
        value: Its keys.
        file: The YAML file, None for one within a `config()`.
        at: Where it stands in that file.
        name: The file as users call it.
        call: The `config()` that gives it.
    """

    value: Mapping[str, Any]
    file: YamlFile | None
    at: Place
    name: str
    call: ConfigCall | None = None

    def has(self, path: Sequence[str | int]) -> bool:
        """Tell whether the block says something at a place within it."""
        value: Any = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at a place within the block."""
        if self.file is not None:
            return self.file.problem([*self.at, *path], message, **details)
        line, column = self.call.place([KEY, *path]) if self.call else (1, 1)
        allowed, meant = tuple(details.get("allowed", ())), details.get("nearest")
        return Problem(self.name, line, column, message, allowed, meant)


class BlockPlaces:
    """Where the values of merged blocks were written: each in the most specific block."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        """Take the blocks, the most general first."""
        self._blocks = blocks

    def problem(self, path: Sequence[str | int], message: str, **details: Any) -> Problem:
        """Return a problem at the place where `path` was written."""
        block = self.block_of(path) or self._blocks[-1]
        return block.problem(path, message, **details)

    def block_of(self, path: Sequence[str | int]) -> Block | None:
        """Return the block that `path`, or as much of it as is written, was taken from."""
        for length in range(len(path), 0, -1):
            for block in reversed(self._blocks):
                if block.has(path[:length]):
                    return block
        return None


Found = tuple[DagsterMeta | None, BlockPlaces]


class DbtBlocks:
    """Finds, checks and merges the blocks of one dbt project.

    Blocks inside an installed package belong to its authors; for its nodes, the blocks of
    `dbt_project.yml` hold.
    """

    def __init__(self, project: Path, files: PropertiesFiles, load_context: LoadContext) -> None:
        """Take the project's folder and files; mistakes go to `load_context.problems`."""
        self._project = project
        self._files = files
        self._load_context = load_context
        self._in_project_file = cache(self._read_project_file)
        self._in_entry: dict[tuple[str, Place], list[Block]] = {}
        self._resolved: dict[tuple[Any, ...], DagsterMeta | None] = {}
        self._reported: set[Problem] = set()

    def of_node(self, node: Node) -> Found:
        """Return the block that holds for a node, and where it is written.

        None instead of a block when something in it is wrong.
        """
        blocks = list(self._of_project(SECTIONS[node.kind], node.fqn))
        if node.package is None:
            if node.entry[1] is not None or not _project_file_says_all(node.meta, blocks):
                blocks.extend(self._of_properties(node))
            blocks.extend(self._of_config_call(node, blocks))
        return self._resolve(blocks, whole=node.unique_id), BlockPlaces(blocks)

    def of_source(self, source: Source) -> Found:
        """Return the block that holds for a source's table, as `of_node`."""
        blocks = list(self._of_project("sources", source.fqn))
        if source.package is None and not _project_file_says_all(source.meta, blocks):
            blocks.extend(self._of_source_file(source))
        return self._resolve(blocks), BlockPlaces(blocks)

    def check_entry(self, file: YamlFile, at: Place) -> bool:
        """Check the block of an entry that no node has; tell whether there is one."""
        blocks = self._of_entry(file, at)
        self._resolve(blocks)
        return bool(blocks)

    def check_project_file(self, path: Sequence[str]) -> None:
        """Check the block of `dbt_project.yml` at a path that no node has."""
        self._resolve(self._in_project_file(tuple(path)))

    def _of_project(self, section: str, fqn: Sequence[str]) -> Iterator[Block]:
        """Yield the blocks of `dbt_project.yml` on the way to a node, the outermost first."""
        for length in range(len(fqn) + 1):
            yield from self._in_project_file((section, *fqn[:length]))

    def _read_project_file(self, path: tuple[str, ...]) -> list[Block]:
        file = self._files.project_file
        value: Any = file.data if file else None
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if file is None or not isinstance(value, dict):
            return []
        keys = [key for key in ("meta", "+meta") if key in value]
        return [block for key in keys for block in self._blocks(file, value[key], (*path, key))]

    def _of_properties(self, node: Node) -> Iterator[Block]:
        if found := self._files.of_node(node):
            file, entries = found
            for at in entries:
                yield from self._of_entry(file, at)

    def _of_source_file(self, source: Source) -> Iterator[Block]:
        if found := self._files.of_source(source):
            file, entries = found
            for at in entries:
                yield from self._of_entry(file, at)

    def _of_entry(self, file: YamlFile, at: Place) -> list[Block]:
        if (file.name, at) not in self._in_entry:
            self._in_entry[file.name, at] = self._read_entry(file, at)
        return self._in_entry[file.name, at]

    def _read_entry(self, file: YamlFile, at: Place) -> list[Block]:
        """Return the blocks of one entry: below `meta`, and below `config.meta`."""
        entry: Any = file.data
        for step in at:
            entry = entry[step]
        blocks = list(self._blocks(file, entry.get("meta"), (*at, "meta")))
        config = entry.get("config")
        if isinstance(config, dict):
            blocks.extend(self._blocks(file, config.get("meta"), (*at, "config", "meta")))
        return blocks

    def _blocks(self, file: YamlFile, meta: Any, at: Place) -> Iterator[Block]:
        problems = self._load_context.problems
        problems.extend(misplaced_keys(file, meta, at))
        value = meta.get(KEY) if isinstance(meta, dict) else None
        if value is None:
            return
        place = (*at, KEY)
        if not isinstance(value, dict):
            problems.append(file.problem(place, "must be a mapping"))
            return
        problems.extend(variables_in(file, value, place))
        templates = [path for path, text in _texts(value) if JINJA.search(text)]
        for path in templates:
            message = f"{KEY} takes no Jinja: write the value"
            problems.append(file.problem([*place, *path], message))
        if not templates:
            yield Block(value, file, place, file.name)

    def _of_config_call(self, node: Node, blocks: Sequence[Block]) -> Iterator[Block]:
        """Yield the block of a `config()` in SQL or Python."""
        own = node.meta.get(KEY)
        strange = [key for key in node.meta if key != KEY and _is_misplaced(key)]
        if not strange and (own is None or (blocks and blocks[-1].value == own)):
            return
        path = self._project / node.file
        call = config_call(path, node.name) if path.suffix in {".sql", ".py"} else None
        if call is None:
            return
        block = Block({}, None, (), display_name(path, self._load_context.root), call)
        problems = self._load_context.problems
        for key in strange:
            if call.has(key):
                problems.append(_misplaced(block, key))
        if own is None or not call.has(KEY):
            return
        if not isinstance(own, dict):
            problems.append(block.problem((), "must be a mapping"))
            return
        for at, name in variables.names(own):
            problems.append(
                block.problem(at, f"${{{name}}}: {KEY} takes no variables: write the value")
            )
        yield Block(own, None, (), block.name, call)

    def _resolve(self, blocks: Sequence[Block], whole: str = "") -> DagsterMeta | None:
        """Merge and check blocks, once for all nodes that have the same."""
        of_call = whole if any(block.call for block in blocks) else ""
        identity = (of_call, *((block.name, block.at) for block in blocks))
        if identity not in self._resolved:
            self._resolved[identity] = self._check(blocks)
        return self._resolved[identity]

    def _check(self, blocks: Sequence[Block]) -> DagsterMeta | None:
        if not blocks:
            return DagsterMeta()
        merged: dict[str, Any] = {}
        for block in blocks:
            merged = merge_meta(merged, block.value, self._load_context.conditions.config_keys)
        problems: list[Problem] = []
        conditions = self._load_context.conditions
        places = BlockPlaces(blocks)
        meta = resolve_block(merged, places, conditions, problems)
        note_check_reads(meta, merged, places, self._load_context)
        # A mistake in a general block is reported once, not for each node below it.
        self._load_context.problems.extend(
            dict.fromkeys(p for p in problems if p not in self._reported)
        )
        self._reported.update(problems)
        return meta


def _project_file_says_all(meta: Mapping[str, Any], general: Sequence[Block]) -> bool:
    """Tell whether reading a properties file can be spared.

    What dbt has is what `dbt_project.yml` says, and a step asks for no places.
    """
    return is_reconstruction() and meta.get(KEY) == (general[-1].value if general else None)


@cache
def _is_misplaced(key: str) -> bool:
    return key in DagsterMeta.model_fields or nearest(key, [KEY]) is not None


def _misplaced(block: Block, key: str) -> Problem:
    line, column = block.call.place([key]) if block.call else (1, 1)
    if key in DagsterMeta.model_fields:
        message = f"{key}: belongs below meta.{KEY}, here nothing reads it"
        return Problem(block.name, line, column, message)
    return Problem(block.name, line, column, f"unknown key {key!r}", nearest=KEY)


def _texts(value: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in items:
            yield from _texts(child, (*at, key))
