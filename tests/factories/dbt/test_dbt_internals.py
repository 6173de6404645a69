"""Every name of dagster-dbt and dbt that this project needs and that is not public is there."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import dagster_dbt
import pytest
from dagster_dbt import asset_utils

from factories.dbt import assets, dbt_internals, deferred, specs
from factories.dbt.resource import DbtResource
from factories.dbt.translator import DbtTranslator


@pytest.mark.parametrize("name", dbt_internals.__all__)
def test_name_is_there(name: str) -> None:
    assert getattr(dbt_internals, name)


def test_keys_of_metadata_are_those_of_dagster_dbt() -> None:
    assert deferred.MANIFEST == asset_utils.DAGSTER_DBT_MANIFEST_METADATA_KEY
    assert deferred.TRANSLATOR == asset_utils.DAGSTER_DBT_TRANSLATOR_METADATA_KEY
    assert deferred.PROJECT == asset_utils.DAGSTER_DBT_PROJECT_METADATA_KEY
    assert assets.SELECT == asset_utils.DAGSTER_DBT_SELECT_METADATA_KEY
    assert assets.ALL == asset_utils.DBT_DEFAULT_SELECT
    assert specs.UNIQUE_ID == asset_utils.DAGSTER_DBT_UNIQUE_ID_METADATA_KEY


@pytest.mark.parametrize(
    ("ours", "method"),
    [
        (DbtTranslator, "get_asset_spec"),
        (DbtTranslator, "get_asset_check_spec"),
        (DbtResource, "cli"),
    ],
)
def test_method_takes_what_dagster_dbts_takes(ours: type, method: str) -> None:
    base = next(c for c in ours.__mro__[1:] if c.__module__.startswith("dagster_dbt"))

    own = inspect.signature(getattr(ours, method)).parameters
    theirs = inspect.signature(getattr(base, method)).parameters

    assert [(p.name, p.kind, p.default) for p in own.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]


def test_invocation_takes_what_the_resource_gives() -> None:
    run = inspect.signature(dagster_dbt.DbtCliInvocation.run).parameters
    given = {
        "args", "env", "manifest", "dagster_dbt_translator", "project_dir", "target_path",
        "raise_on_error", "context", "adapter", "cli_version", "dbt_project",
    }  # fmt: skip
    assert set(run) == given

    assert dataclasses.is_dataclass(dagster_dbt.DbtCliInvocation)


def test_context_parameters_have_the_fields_that_the_resource_reads() -> None:
    found = dbt_internals.get_updated_cli_invocation_params_for_context(
        context=None,
        manifest={},
        dagster_dbt_translator=dagster_dbt.DagsterDbtTranslator(),
        runtime_selects=["a"],
        runtime_excludes=[],
    )

    assert found.selection_args == ["--select", "a"]
    assert (found.manifest, found.dbt_project, found.indirect_selection) == ({}, None, None)


def test_missing_library_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dagster_dbt.py").write_text("raise ModuleNotFoundError(name='dagster_dbt')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import factories.dbt.translator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    last = done.stderr.strip().splitlines()[-1]
    assert "this environment has no dagster_dbt: install dagster-dbt to use it here" in last


def test_library_that_lacks_a_name_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dagster_dbt.py").touch()
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import factories.dbt.translator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    last = done.stderr.strip().splitlines()[-1]
    assert "does not fit, it should be 0.29: cannot import name 'DagsterDbtTranslator'" in last
