"""Reading a dbt project: its manifest, made anew while developing, and every mistake in it."""

from __future__ import annotations

import os
from pathlib import Path

from factories.core.assets.context import LoadContext
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.keys import parse_key
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dbt.diagnostics.ignored_settings import ignored_settings
from factories.dbt.diagnostics.misplaced_meta import misplaced_meta
from factories.dbt.diagnostics.orphaned_meta import orphaned_meta
from factories.dbt.diagnostics.parse_errors import parse_problems
from factories.dbt.diagnostics.unrunnable_nodes import unrunnable_nodes
from factories.dbt.diagnostics.untyped_contracts import untyped_contracts
from factories.dbt.prepare import (
    DbtParseError,
    PrepareError,
    parse_warnings,
    prepare,
    stale,
    target_folder,
)
from factories.dbt.project.blocks import DbtBlocks
from factories.dbt.project.keys import node_key
from factories.dbt.project.manifest import Manifest, Node
from factories.dbt.project.manifest_file import ManifestError, manifest_of, read_content
from factories.dbt.project.project import DbtProject, Model
from factories.dbt.project.properties import PropertiesFiles
from factories.dbt.project.source_files import PROJECT_FILE
from factories.dbt.project.sources import read_sources

# Set by `dagster dev` and by `dp check`: where files change between two loads.
WATCHING = ("DAGSTER_IS_DEV_CLI", "DP_PREPARE_DBT")


def read_project(folder: Path, load_context: LoadContext) -> DbtProject | None:
    """Read a dbt project; mistakes go to `load_context.problems`.

    While developing, dbt parses the project again when its files have changed; elsewhere a
    manifest that is not of these files is a problem. Runs and steps read it as it is.

    Args:
        folder: Holds the `dbt_project.yml`.
        load_context: Receives the problems.

    Returns:
        The project, without checks; None when it has no manifest that can be read.
    """
    manifest = _manifest(folder, load_context)
    if manifest is None:
        return None
    files = PropertiesFiles(folder, load_context)
    blocks = DbtBlocks(folder, files, load_context)
    models = {}
    for node in manifest.nodes.values():
        if model := _model(folder, node, files, blocks):
            models[node.unique_id] = model
            if not all(model.key.path):
                message = f"{node.name!r} has no letters or digits to make an asset key of"
                name = display_name(model.path, load_context.root)
                problem = Problem(name, model.line, 1, f"{message}: set asset_key")
                load_context.problems.append(problem)
    sources = read_sources(folder, manifest.sources.values(), files, blocks, load_context)
    # A step can do nothing about what is wrong.
    if not is_reconstruction():
        load_context.problems.extend(orphaned_meta(manifest, files, blocks))
        load_context.problems.extend(misplaced_meta(folder, load_context.root, manifest, files))
        load_context.problems.extend(untyped_contracts(folder, load_context.root, manifest, files))
        warnings = parse_warnings(folder)
        # What says the same of a `meta.dagster` block has said it already.
        places = {(problem.file, problem.line) for problem in load_context.problems}
        load_context.problems.extend(
            problem
            for problem in ignored_settings(warnings, folder, load_context.root, manifest, files)
            if (problem.file, problem.line) not in places
        )
    return DbtProject(folder, manifest.project, manifest, models, sources)


def _manifest(folder: Path, load_context: LoadContext) -> Manifest | None:
    name = display_name(folder, load_context.root)
    command = f"`python -m factories.dbt.prepare {name}` makes it, as `make setup` does"
    path = target_folder(folder) / "manifest.json"
    if not (folder / PROJECT_FILE).is_file():
        load_context.problems.append(
            Problem(name, 0, 0, f"there is no {PROJECT_FILE} in this folder")
        )
        return None
    try:
        if not is_reconstruction():
            if any(os.environ.get(variable) for variable in WATCHING):
                prepare(folder, load_context.names)
            elif why := stale(folder, load_context.names):
                load_context.problems.append(Problem(name, 0, 0, f"its manifest {why}: {command}"))
                return None
        return _read_manifest(path, folder, load_context)
    except DbtParseError as error:
        load_context.problems.extend(parse_problems(folder, str(error), load_context))
    except PrepareError as error:
        file = display_name(folder / error.file, load_context.root)
        load_context.problems.append(Problem(file, 0, 0, str(error)))
    except FileNotFoundError:
        load_context.problems.append(Problem(name, 0, 0, f"its manifest is missing: {command}"))
    except ManifestError as error:
        load_context.problems.append(
            Problem(name, 0, 0, f"its manifest cannot be read ({error}): {command}")
        )
    return None


def _read_manifest(path: Path, folder: Path, load_context: LoadContext) -> Manifest:
    content = read_content(path)
    manifest = manifest_of(content, folder)
    if not is_reconstruction():
        load_context.problems.extend(
            unrunnable_nodes(content, manifest.tests, folder, load_context.root)
        )
    return manifest


def _model(folder: Path, node: Node, files: PropertiesFiles, blocks: DbtBlocks) -> Model | None:
    meta, places = blocks.of_node(node)
    if meta is None:
        return None
    path, line = folder / node.file, 1
    # Steps do not need to know where their assets are described.
    if not is_reconstruction() and (found := files.of_node(node)):
        file, entries = found
        path, line = file.path, file.position(entries[-1])[0]
    key = parse_key(meta.asset_key) if meta.asset_key else node_key(node)
    return Model(node, key, meta, path, line, places)
