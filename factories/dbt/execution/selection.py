"""Which nodes and tests dbt runs, selected exactly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from factories.dbt.project.manifest import Manifest

STATUS = "skipped"
FUNCTION = "function."  # how unique ids of functions begin
SCHEMA = "https://schemas.getdbt.com/dbt/run-results/v6.json"


def commands(manifest: Manifest, pending: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield the commands of dbt that run nodes and tests, by unique id.

    `dbt build` runs a unit test only together with its model; one whose model is not selected
    needs `dbt test`.
    """
    nodes = {uid for uid in pending if uid in manifest.nodes}
    tests = {uid: manifest.tests[uid] for uid in pending - nodes}
    alone = {
        uid
        for uid, test in tests.items()
        if not nodes or (test.is_unit and test.subject not in nodes)
    }
    if alone:
        yield "test", alone
    if pending - alone:
        yield "build", pending - alone


def read_functions(manifest: Manifest, unique_ids: Iterable[str]) -> set[str]:
    """Return the functions that nodes call: no assets, so dbt builds them with the nodes."""
    nodes = (manifest.nodes[uid] for uid in unique_ids if uid in manifest.nodes)
    return {dep for node in nodes for dep in node.depends_on if dep.startswith(FUNCTION)}


def selection_arguments(folder: Path, unique_ids: Iterable[str]) -> list[str]:
    """Return the arguments that select nodes and tests by unique id.

    dbt has no selector for unique ids. A path of names (`fqn:`) also selects what lies below it:
    models in a folder of the same name, a model's unit tests. The method `result:` compares unique
    ids with a file of earlier results, so the file can name any; it takes the same time for a
    thousand as for one.

    Args:
        folder: Where the file is written.
        unique_ids: The nodes and tests to run.
    """
    state = folder / "selection"
    state.mkdir(exist_ok=True)
    empty = {
        "status": STATUS,
        "timing": [],
        "thread_id": "",
        "execution_time": 0.0,
        "adapter_response": {},
        "message": None,
        "failures": None,
        "compiled": None,
        "compiled_code": None,
        "relation_name": None,
    }
    results = {
        "metadata": {"dbt_schema_version": SCHEMA},
        "results": [{**empty, "unique_id": unique_id} for unique_id in sorted(unique_ids)],
        "elapsed_time": 0.0,
        "args": {},
    }
    (state / "run_results.json").write_text(json.dumps(results))
    return [
        "--select", f"result:{STATUS}", "--state", str(state), "--indirect-selection", "empty"
    ]  # fmt: skip
