"""One dbt project of a code location: its nodes with their keys, blocks and places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import dagster as dg

from factories.core.assets.context import LoadContext, Origin
from factories.core.meta.check_specs import check_names
from factories.core.meta.dagster_meta import DagsterMeta
from factories.core.warehouse.names import Relation
from factories.core.yaml.reader import display_name
from factories.dbt.project.blocks import BlockPlaces
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.manifest import Manifest, Node, Test
from factories.dbt.project.sources import SourceTable


@dataclass(frozen=True)
class Model:
    """A node as an asset.

    Attributes:
        node: What dbt says of it.
        key: The asset that it makes.
        meta: Its `meta.dagster` block.
        path: The file that describes it.
        line: 1-based line in that file.
        places: Where the values of its block are written.
    """

    node: Node
    key: dg.AssetKey
    meta: DagsterMeta
    path: Path
    line: int
    places: BlockPlaces

    @property
    def relation(self) -> Relation | None:
        """The table or view, as Snowflake stores it."""
        return Relation(*self.node.relation) if self.node.relation else None


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
        """Return the table of a node or source, as Snowflake stores it."""
        if unique_id in self.models:
            return self.models[unique_id].relation
        source = self.manifest.sources.get(unique_id)
        return Relation(*source.relation) if source else None

    def tests(self, of: str) -> list[Test]:
        """Return the tests about a node or source."""
        return self._tests.get(of, [])

    @cached_property
    def _tests(self) -> Mapping[str, list[Test]]:
        tests: defaultdict[str, list[Test]] = defaultdict(list)
        for test in self.manifest.tests.values():
            tests[test.subject].append(test)
        return tests


def claim_assets(project: DbtProject, load_context: LoadContext) -> None:
    """Note that a project produces its assets and tables; a second producer is a problem."""
    for model in project.models.values():
        table = str(model.relation) if model.relation else model.node.unique_id
        origin = Origin(display_name(model.path, load_context.root), model.line)
        tests = project.tests(model.node.unique_id)
        of_dbt = [project.checks[t.unique_id].name for t in tests if t.unique_id in project.checks]
        load_context.claim(
            model.key,
            table,
            origin,
            checks=[*of_dbt, *check_names(model.meta.checks)],
            project=str(project.folder),
        )


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
