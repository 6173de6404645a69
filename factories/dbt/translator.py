"""Which asset a node of dbt is: the factories' rules as a translator of dagster-dbt."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import dagster as dg

from factories.core.meta.keys import parse_key
from factories.core.warehouse.names import warehouse_names
from factories.dbt.dbt_internals import (
    DAGSTER_DBT_MANIFEST_METADATA_KEY,
    DAGSTER_DBT_PROJECT_METADATA_KEY,
    DAGSTER_DBT_TRANSLATOR_METADATA_KEY,
    DagsterDbtProject,
    DagsterDbtTranslator,
    DbtManifestWrapper,
    dagster_project,
)
from factories.dbt.prepare import target_folder
from factories.dbt.project.check_names import CheckNames
from factories.dbt.project.keys import is_external, node_key, source_key
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.manifest_file import manifest_of
from factories.dbt.project.project import DbtProject, add_checks
from factories.dbt.specs import external_spec, model_spec

# What dagster-dbt's translator makes a spec of; the assets of `build_definitions` have theirs of
# `meta.dagster`.
SUPERSEDED = (
    "get_asset_key", "get_auto_materialize_policy", "get_automation_condition",
    "get_code_version", "get_description", "get_group_name", "get_metadata", "get_owners",
    "get_partition_mapping", "get_partitions_def", "get_tags",
)  # fmt: skip


class DbtTranslator(DagsterDbtTranslator):
    """Translates nodes of dbt as the factories do; a company may subclass it.

    Handed to `build_definitions(dbt_translator=…)` it decides the key, spec and checks of every
    asset. Handed to `@dbt_assets` it gives the assets the factories' keys.

    Example:
        >>> class OfTheCompany(DbtTranslator):
        ...     def get_asset_spec(self, manifest, unique_id, project):
        ...         spec = super().get_asset_spec(manifest, unique_id, project)
        ...         return spec.replace_attributes(key=spec.key.with_prefix("company"))
    """

    # Set on copies only: a translator that is handed in stays as it is.
    _bound_project: DbtProject | None = None
    _bound_specs: dict[str, dg.AssetSpec]
    _manifests: dict[int, Manifest]

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DagsterDbtProject | None
    ) -> dg.AssetSpec:
        """Return the spec of a model, seed, snapshot or source.

        Args:
            manifest: The content of `manifest.json`.
            unique_id: dbt's, such as `model.shop.orders`.
            project: As dagster-dbt describes the dbt project.
        """
        if self._bound_project is None:
            return self._spec_by_convention(manifest, unique_id, project)
        if unique_id not in self._bound_specs:
            self._bound_specs[unique_id] = self._bound_spec(
                self._bound_project, manifest, unique_id, project
            )
        return self._bound_specs[unique_id]

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DagsterDbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Return the check of a test; None leaves the test out.

        Args:
            asset_spec: The asset that the test is about.
            manifest: The content of `manifest.json`.
            unique_id: Of the test.
            project: As dagster-dbt describes the dbt project.
        """
        if self._bound_project is None:
            return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        check = self._bound_project.checks.get(unique_id)
        key = dg.AssetCheckKey(asset_spec.key, check.name) if check else None
        return check.replace_key(key) if check and key else None

    def bound_to(self, project: DbtProject) -> Self:
        """Return a copy that gives the specs of a project that the factory has read."""
        bound = copy.copy(self)
        bound._bound_project = project  # noqa: SLF001 - of its own class
        bound._bound_specs = {}  # noqa: SLF001 - as above
        return bound

    def translate(self, project: DbtProject, names: CheckNames) -> DbtProject:
        """Return a project whose keys, specs and checks are those of this translator.

        Args:
            project: The project by the factories' rules, without checks.
            names: The names of the location's checks so far.
        """
        manifest = json.loads((target_folder(project.folder) / "manifest.json").read_bytes())
        described = dagster_project(project.folder)
        bound = self.bound_to(project)
        specs = {uid: bound.get_asset_spec(manifest, uid, described) for uid in project.keys}
        models = {uid: replace(m, key=specs[uid].key) for uid, m in project.models.items()}
        sources = {
            uid: replace(source, key=specs[uid].key, is_external=is_external(specs[uid].key))
            for uid, source in project.sources.items()
        }
        named = add_checks(replace(project, models=models, sources=sources, specs=specs), names)
        # Bound to the keys by convention: a subclass that adds to a key must add only once.
        of_checks = self.bound_to(replace(project, checks=named.checks))
        checks = {}
        for unique_id in named.checks:
            subject = specs[project.manifest.tests[unique_id].subject]
            check = of_checks.get_asset_check_spec(subject, manifest, unique_id, described)
            if check is not None:
                checks[unique_id] = check
        return replace(named, checks=checks)

    def _bound_spec(
        self,
        bound: DbtProject,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DagsterDbtProject | None,
    ) -> dg.AssetSpec:
        if source := bound.sources.get(unique_id):
            return external_spec(source)
        model = bound.models.get(unique_id)
        if model is None:
            return super().get_asset_spec(manifest, unique_id, project)
        known = [dep for dep in model.node.depends_on if dep in bound.keys]
        # Through the subclass, if there is one: what it changes of a key holds here too.
        deps = [self.get_asset_spec(manifest, dep, project).key for dep in known]
        metadata = {
            DAGSTER_DBT_MANIFEST_METADATA_KEY: DbtManifestWrapper(manifest),
            DAGSTER_DBT_TRANSLATOR_METADATA_KEY: self,
            DAGSTER_DBT_PROJECT_METADATA_KEY: project,
        }
        return model_spec(bound, model, deps=deps, library_metadata=metadata)

    def _spec_by_convention(
        self, manifest: Mapping[str, Any], unique_id: str, project: DagsterDbtProject | None
    ) -> dg.AssetSpec:
        """Return dagster-dbt's own spec under the factories' key, for a user's `@dbt_assets`."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        known = self._read(manifest, project)
        if node := known.nodes.get(unique_id):
            meta, key = node.meta, node_key(node)
        elif source := known.sources.get(unique_id):
            meta, key = source.meta, source_key(source, warehouse_names())
        else:
            return spec
        own = (meta.get("dagster") or {}).get("asset_key")
        return spec.replace_attributes(key=parse_key(own) if isinstance(own, str) else key)

    def _read(self, manifest: Mapping[str, Any], project: DagsterDbtProject | None) -> Manifest:
        # A subclass need not call __init__.
        read: dict[int, Manifest] = self.__dict__.setdefault("_manifests", {})
        if id(manifest) not in read:
            folder = Path(project.project_dir) if project else Path()
            read[id(manifest)] = manifest_of(manifest, folder)
        return read[id(manifest)]
