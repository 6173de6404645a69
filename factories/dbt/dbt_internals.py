"""The names of dagster-dbt and dbt that this project needs, in one place.

Most are not in the public documentation. A test names each of them, so that an upgrade that moves
one fails by its name; importing this module without dagster-dbt, or with one that lacks a name,
says so in a sentence.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from factories.core.errors import StepStartError

try:
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource
    from dagster_dbt import DbtProject as DagsterDbtProject

    # What `DbtCliResource.cli` calls to find the selection of a step, and its project.
    from dagster_dbt.asset_utils import (
        DAGSTER_DBT_MANIFEST_METADATA_KEY,
        DAGSTER_DBT_PROJECT_METADATA_KEY,
        DAGSTER_DBT_TRANSLATOR_METADATA_KEY,
        DBT_INDIRECT_SELECTION_ENV,
        extract_runtime_selection_from_args,
        get_updated_cli_invocation_params_for_context,
    )
    from dagster_dbt.core.dbt_event_iterator import DbtEventIterator
    from dagster_dbt.dagster_dbt_translator import DbtManifestWrapper
    from dagster_dbt.dbt_manifest import DbtManifestParam, validate_manifest
except ModuleNotFoundError as error:
    message = f"this environment has no {error.name}: install dagster-dbt to use it here"
    raise StepStartError(message) from None
except ImportError as error:
    version = importlib.metadata.version("dagster-dbt")
    message = f"dagster-dbt {version} does not fit, it should be 0.29: {error}"
    raise StepStartError(message) from None

__all__ = [
    "DAGSTER_DBT_MANIFEST_METADATA_KEY",
    "DAGSTER_DBT_PROJECT_METADATA_KEY",
    "DAGSTER_DBT_TRANSLATOR_METADATA_KEY",
    "DBT_INDIRECT_SELECTION_ENV",
    "DagsterDbtProject",
    "DagsterDbtTranslator",
    "DbtCliInvocation",
    "DbtCliResource",
    "DbtEventIterator",
    "DbtManifestParam",
    "DbtManifestWrapper",
    "dagster_project",
    "dbt_version",
    "extract_runtime_selection_from_args",
    "get_updated_cli_invocation_params_for_context",
    "validate_manifest",
]


def dagster_project(folder: Path) -> DagsterDbtProject:
    """Return a dbt project of this repository as dagster-dbt describes one."""
    return DagsterDbtProject(project_dir=folder, target_path=Path("target") / "dagster")


def dbt_version() -> str:
    """Return the version of dbt in this environment, without starting it.

    Raises:
        StepStartError: When there is none.
    """
    try:
        return importlib.metadata.version("dbt-core")
    except importlib.metadata.PackageNotFoundError:
        raise StepStartError("this environment has no dbt: install dbt-snowflake") from None
