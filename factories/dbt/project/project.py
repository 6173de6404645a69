"""One dbt project of a code location: its nodes with their keys, blocks and places."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.dagster_internals import is_reconstruction
from factories.core.meta.automation import Condition
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.meta.keys import parse_key
from factories.core.warehouse.names import Relation
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import display_name
from factories.dbt.diagnostics.misplaced_meta import misplaced_meta
from factories.dbt.diagnostics.orphaned_meta import orphaned_meta
from factories.dbt.diagnostics.parse_errors import parse_problems
from factories.dbt.prepare import DbtParseError, PrepareError, prepare, stale, target_folder
from factories.dbt.project.blocks import BlockPlaces, DbtBlocks
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.keys import node_key
from factories.dbt.project.manifest import Manifest, Node, Test
from factories.dbt.project.manifest_file import ManifestError, read_manifest
from factories.dbt.project.properties import PropertiesFiles
from factories.dbt.project.source_files import PROJECT_FILE
from factories.dbt.project.sources import SourceTable, read_sources

# Set by `dagster dev` and by `dp check`: where files change between two loads.
WATCHING = ("DAGSTER_IS_DEV_CLI", "DP_PREPARE_DBT")


@dataclass(frozen=True)
class Model:
    """A node as an asset.

    Attributes:
        node: What dbt says of it.
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        condition: Dagster's automation condition, None for never.
        path: The file that describes it.
        line: 1-based line in that file.
        places: Where the values of its block are written.
    """

    node: Node
    key: dg.AssetKey
    meta: DagsterMeta
    condition: Condition | None
    path: Path
    line: int
    places: BlockPlaces

    @property
    def relation(self) -> Relation | None:
        """The table or view, as Snowflake stores plain names."""
        parts = self.node.relation
        return Relation(*(part.upper() for part in parts)) if parts else None


@dataclass(frozen=True)
class DbtProject:
    """A dbt project, ready to become assets.

    Attributes:
        folder: Where it lies.
        name: dbt's name of it.
        manifest: As dbt parsed it.
        models: Its nodes as assets, by unique id.
        sources: The tables that it reads and does not build, by unique id.
        checks: The check of each test, by the test's unique id.
        freshness_checks: The check of each source whose freshness dbt can measure, by the source's
            unique id.
        specs: The specs that a company's own translator made, by unique id; empty without one.
    """

    folder: Path
    name: str
    manifest: Manifest
    models: Mapping[str, Model]
    sources: Mapping[str, SourceTable]
    checks: Mapping[str, dg.AssetCheckSpec] = field(default_factory=dict)
    freshness_checks: Mapping[str, dg.AssetCheckSpec] = field(default_factory=dict)
    specs: Mapping[str, dg.AssetSpec] = field(default_factory=dict)

    @cached_property
    def keys(self) -> Mapping[str, dg.AssetKey]:
        """The asset keys of nodes and sources, by unique id."""
        of_models = {uid: model.key for uid, model in self.models.items()}
        return {**of_models, **{uid: source.key for uid, source in self.sources.items()}}

    def relation(self, unique_id: str) -> Relation | None:
        """Return the table of a node or source, as Snowflake stores plain names."""
        if unique_id in self.models:
            return self.models[unique_id].relation
        source = self.manifest.sources.get(unique_id)
        return Relation(*(part.upper() for part in source.relation)) if source else None

    def tests(self, of: str) -> list[Test]:
        """Return the tests about a node or source."""
        return self._tests.get(of, [])

    @cached_property
    def _tests(self) -> Mapping[str, list[Test]]:
        tests: defaultdict[str, list[Test]] = defaultdict(list)
        for test in self.manifest.tests.values():
            tests[test.subject].append(test)
        return tests


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
    sources = read_sources(folder, manifest.sources.values(), files, blocks, load_context)
    if not is_reconstruction():
        load_context.problems.extend(orphaned_meta(manifest, files, blocks))
        load_context.problems.extend(misplaced_meta(folder, load_context.root, manifest, files))
    return DbtProject(folder, manifest.project, manifest, models, sources)


def claim_assets(project: DbtProject, load_context: LoadContext) -> None:
    """Note that a project produces its assets and tables; a second producer is a problem."""
    for model in project.models.values():
        table = str(model.relation) if model.relation else model.node.unique_id
        origin = Origin(display_name(model.path, load_context.root), model.line)
        load_context.claim(model.key, table, origin)


def add_checks(project: DbtProject, names: CheckNames) -> DbtProject:
    """Return a project with the checks of its tests and of its sources' freshness.

    Args:
        project: The project, whose keys are final.
        names: The names of the location's checks so far.
    """
    nodes = {uid: (model.key, model.meta) for uid, model in project.models.items()}
    return replace(
        project,
        checks=names.of_tests(project.manifest, nodes, project.sources),
        freshness_checks=names.of_freshness(project.manifest, project.sources),
    )


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
        return read_manifest(path, folder)
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


def _model(folder: Path, node: Node, files: PropertiesFiles, blocks: DbtBlocks) -> Model | None:
    meta, condition, places = blocks.of_node(node)
    if meta is None:
        return None
    path, line = folder / node.file, 1
    # Steps do not need to know where their assets are described.
    if not is_reconstruction() and (found := files.of_node(node)):
        file, entries = found
        path, line = file.path, file.position(entries[-1])[0]
    key = parse_key(meta.asset_key) if meta.asset_key else node_key(node)
    return Model(node, key, meta, condition, path, line, places)
