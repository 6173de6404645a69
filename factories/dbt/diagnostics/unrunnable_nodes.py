"""Mistakes that dbt parses without complaint and no run can build: found in the manifest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import display_name
from factories.dbt.diagnostics.find_word import find_word

Json = Mapping[str, Any]
KEY = "dagster"
ARGUMENT = re.compile(rf"\b{KEY}\s*=")  # of a `config()` in SQL or Python
# dbt knows these without a macro of theirs, or makes nothing of them.
BUILT_IN = {"ephemeral"}


@dataclass(frozen=True)
class _Fault:
    """A mistake that shows in the manifest.

    Attributes:
        path: The file to look at, relative to the project.
        word: What to look for in it.
        message: What is wrong, as one sentence without a full stop.
        allowed: What could stand there instead.
    """

    path: str
    word: str
    message: str
    allowed: tuple[str, ...] = ()


def unrunnable_nodes(
    data: Json, tests: Collection[str], folder: Path, root: Path
) -> Iterator[Problem]:
    """Yield the mistakes of the project's own nodes, each at the first line that says its word.

    Args:
        data: The content of `manifest.json`.
        tests: The unique ids of the tests that are about a node or source.
        folder: The dbt project.
        root: The project folder; messages show paths relative to it.
    """
    for fault in _faults(data, tests):
        path = folder / fault.path
        line, column = (find_word(path, fault.word) if fault.word else None) or (1, 1)
        meant = nearest(fault.word, fault.allowed)
        allowed = fault.allowed if meant is None else ()
        yield Problem(display_name(path, root), line, column, fault.message, allowed, meant)


def _faults(data: Json, tests: Collection[str]) -> Iterator[_Fault]:
    """Yield the faults of the project's own nodes; packages have their own authors."""
    project, adapter = data["metadata"]["project_name"], data["metadata"]["adapter_type"]
    macros = {macro["name"] for macro in data["macros"].values()}
    pattern = re.compile(rf"materialization_(.+)_(?:default|{re.escape(adapter)})")
    materializations = BUILT_IN | {m[1] for name in macros if (m := pattern.fullmatch(name))}
    generic = {name.removeprefix("test_") for name in macros if name.startswith("test_")}
    for unique_id, node in sorted(data["nodes"].items()):
        if node["package_name"] != project or not node["config"].get("enabled", True):
            continue
        if KEY in node["config"] and ARGUMENT.search(node.get("raw_code", "")):
            message = f"{KEY}: belongs below meta, here nothing reads it"
            yield _Fault(node["original_file_path"], KEY, message)
        if node["resource_type"] == "model":
            yield from _of_model(node, materializations)
        elif node["resource_type"] == "test":
            yield from _of_test(node, generic, attached=unique_id in tests)
    yield from _circle(data["nodes"])


def _circle(nodes: Mapping[str, Json]) -> Iterator[_Fault]:
    """Yield a circle of models: dbt finds it when it builds, and Dagster loads none of them."""
    graph = {
        uid: [dep for dep in node["depends_on"].get("nodes", ()) if dep in nodes]
        for uid, node in sorted(nodes.items())
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = [nodes[uid] for uid in reversed(error.args[1])]
        way = ", which reads ".join(node["name"] for node in circle[1:])
        message = f"{circle[0]['name']} reads {way}"
        yield _Fault(circle[0]["original_file_path"], circle[1]["name"], message)


def _of_model(node: Json, known: Collection[str]) -> Iterator[_Fault]:
    kind = str(node["config"]["materialized"])
    if kind not in known:
        patch = (node.get("patch_path") or "").partition("://")[2]
        message = f"{node['name']}: {kind!r} is not a materialization"
        # The word shows where it stands: in the model, or else in its properties file.
        own = kind in node["raw_code"] or not patch
        yield _Fault(
            node["original_file_path"] if own else patch, kind, message, tuple(sorted(known))
        )
    strategy = node["config"].get("incremental_strategy")
    if (
        kind == "incremental"
        and strategy in {"merge", "delete+insert"}
        and not node["config"].get("unique_key")
    ):
        patch = (node.get("patch_path") or "").partition("://")[2]
        own = strategy in node["raw_code"] or not patch
        message = (
            f"{node['name']}: {strategy} needs unique_key: without one dbt adds the rows again at"
            " each run; `append` says that this is meant"
        )
        yield _Fault(node["original_file_path"] if own else patch, str(strategy), message)


def _of_test(node: Json, known: Collection[str], *, attached: bool) -> Iterator[_Fault]:
    generic = node.get("test_metadata")
    if generic and generic["name"] not in known:
        message = f"{generic['name']!r} is not a generic test"
        path = node["original_file_path"]
        yield _Fault(path, generic["name"], message, tuple(sorted(known)))
    elif not generic and not attached:
        message = (
            f"the test {node['name']} reads no model, seed, snapshot or source with ref() or"
            " source(): it would be a check of nothing"
        )
        yield _Fault(node["original_file_path"], "", message)
