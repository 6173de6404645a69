"""The resource `dbt`: dagster-dbt's `DbtCliResource` for the target's warehouse.

Imports dagster-dbt, which costs 1.2 s: the default resource does that when a step asks for `cli`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import dagster as dg
from packaging.version import Version
from pydantic import Field, field_validator

from factories.core.errors import StepStartError
from factories.core.execution.run_watchdog import terminate_when_run_ends
from factories.core.execution.step import start_errors_as_failures
from factories.core.execution.subprocesses import end_with_parent, environment_with
from factories.core.execution.temp_folders import temporary_step_folder
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.dbt_internals import (
    DBT_INDIRECT_SELECTION_ENV,
    DagsterDbtProject,
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtManifestParam,
    dbt_version,
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
    validate_manifest,
)
from factories.dbt.environment import dbt_environment
from factories.dbt.execution.cli_invocation import StepInvocation
from factories.dbt.execution.process import copy_cached_parse
from factories.dbt.execution.steps import DbtSteps
from factories.dbt.program import dbt_program
from factories.dbt.project.source_files import project_settings

Context = dg.OpExecutionContext | dg.AssetExecutionContext


class DbtResource(DbtSteps, DbtCliResource):
    """Runs dbt against the target's warehouse.

    `cli` differs from dagster-dbt's in what it does not do: it neither runs `dbt --version` nor
    makes a database adapter, which takes 4 s at each call, and it writes nothing into the project's
    folder. dbt gets the connection of the target, secrets are masked in all that it writes, and
    what it parsed is kept for the next call.

    Example:
        >>> @dbt_assets(manifest=...)  # doctest: +SKIP
        ... def finance(context: dg.AssetExecutionContext, dbt: DbtCliResource):
        ...     yield from dbt.cli(["build"], context=context).stream().fetch_row_counts()
    """

    projects: list[str] = Field(
        default_factory=list, description="The folders of the code location's dbt projects."
    )

    @classmethod
    def of_projects(cls, folders: Sequence[Path]) -> Self:
        """Return the resource of a code location.

        Args:
            folders: Of its dbt projects; the first is the one that a command without assets runs
                in.
        """
        return cls(
            project_dir=str(folders[0]) if folders else "",
            dbt_executable=sys.executable,  # the environment's own dbt, wherever PATH leads
            projects=[str(folder) for folder in folders],
        )

    @field_validator("project_dir")
    @classmethod
    def validate_project_dir(cls, project_dir: str) -> str:
        """Take no folder too: then the assets name their project."""
        if not project_dir:
            return ""
        folder = cls._validate_absolute_path_exists(project_dir)
        if not (folder / "dbt_project.yml").is_file():
            raise ValueError(f"there is no dbt_project.yml in {folder}")
        return str(folder)

    def cli(
        self,
        args: Sequence[str],
        *,
        raise_on_error: bool = True,
        manifest: DbtManifestParam | None = None,
        dagster_dbt_translator: DagsterDbtTranslator | None = None,
        context: Context | None = None,
        target_path: Path | None = None,
    ) -> DbtCliInvocation:
        """Start a command of dbt, as `DbtCliResource.cli`.

        Args:
            args: The command and its arguments.
            raise_on_error: Whether the stream of events raises when dbt fails, after the events.
            manifest: Of the project, for a command without a context.
            dagster_dbt_translator: As `manifest`.
            context: Of the step; its selected assets are what dbt selects.
            target_path: Where dbt writes its artifacts; a temporary folder without one.

        Raises:
            dagster.Failure: When the environment lacks dbt or a setting of the connection, or no
                dbt project is known.
        """
        with start_errors_as_failures():
            settings, version = self.connection(), Version(dbt_version())
        arguments, selects, excludes = extract_runtime_selection_from_args(args)
        found = get_updated_cli_invocation_params_for_context(
            context=context,
            manifest=validate_manifest(manifest) if manifest else {},
            dagster_dbt_translator=dagster_dbt_translator or DagsterDbtTranslator(),
            runtime_selects=selects,
            runtime_excludes=excludes,
        )
        with start_errors_as_failures():
            folder = self._folder(found.dbt_project, found.manifest)
        with ExitStack() as cleanup, ExitStack() as watch:
            if context is not None:
                watch.enter_context(terminate_when_run_ends(context))
            target = target_path or cleanup.enter_context(temporary_step_folder("dbt"))
            target = target if target.is_absolute() else folder / target
            target.mkdir(parents=True, exist_ok=True)
            copy_cached_parse(folder, target)
            invocation = StepInvocation.run(
                args=[
                    *end_with_parent(), *dbt_program(), *self.global_config_flags, *arguments,
                    *self._profile_arguments(), *found.selection_args,
                ],
                env=self._environment(folder, target, settings, found.indirect_selection),
                manifest=found.manifest,
                dagster_dbt_translator=found.dagster_dbt_translator,
                project_dir=folder,
                target_path=target,
                raise_on_error=raise_on_error,
                context=context,
                adapter=None,
                cli_version=version,
                dbt_project=found.dbt_project,
            )  # fmt: skip
            assert isinstance(invocation, StepInvocation)  # noqa: S101 - its own class method
            invocation.open(settings, watch.pop_all(), cleanup.pop_all())
        return invocation

    def _folder(self, project: DagsterDbtProject | None, manifest: Any) -> Path:
        """Return the project of the assets, else the one of their manifest, else the first."""
        if project is not None:
            return Path(project.project_dir)
        name = manifest.get("metadata", {}).get("project_name")
        for folder in map(Path, self.projects):
            if name and project_settings(folder).get("name") == name:
                return folder
        if self.project_dir and name is None:
            return Path(self.project_dir)
        missing = f"the dbt project {name!r}" if name else "a dbt project"
        raise StepStartError(
            f"this code location does not read {missing}: name its folder in"
            " build_definitions(dbt=…), or give @dbt_assets a project=DbtProject(…)"
        )

    def _profile_arguments(self) -> list[str]:
        profile = ["--profile", self.profile] if self.profile else []
        return [*profile, *(["--target", self.target] if self.target else [])]

    def _environment(
        self,
        folder: Path,
        target: Path,
        settings: WarehouseSettings,
        indirect_selection: str | None,
    ) -> dict[str, str]:
        """Return dbt's environment; what a command says in `args` wins over it."""
        changes = {
            **dbt_environment(settings),
            "DAGSTER_DBT_CLI": "true",  # as dagster-dbt: macros may ask for it
            "PYTHONUNBUFFERED": "1",
            "DBT_LOG_FORMAT": "json",
            "DBT_LOG_LEVEL": "info",
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_FAIL_FAST": "false",
            "DBT_TARGET_PATH": os.fspath(target),
            "DBT_LOG_PATH": os.fspath(target),
            "DBT_PROFILES_DIR": self.profiles_dir or os.fspath(folder),
            "DBT_PROJECT_DIR": os.fspath(folder),
        }
        if indirect_selection:
            changes[DBT_INDIRECT_SELECTION_ENV] = indirect_selection
        return environment_with(changes)
