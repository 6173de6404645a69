"""The builds of a dbt project that the benchmark compares make the same assets and checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.dbt.building_variants import FIRST_KEYS, prepare, prepare_dagster_dbt
from benchmarks.dbt.generated_models import DBT, write_project
from factories.core.warehouse.names import warehouse_names
from factories.dbt.environment import PLACEHOLDER, dbt_environment
from factories.dbt.prepare import prepare as prepare_manifest

MODELS = 8
# A group: the project is parsed once, in one process.
pytestmark = pytest.mark.xdist_group("benchmark of dbt")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("models")
    write_project(root, MODELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_IS_DEV_CLI", raising=False)
        for name, value in dbt_environment(PLACEHOLDER).items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        patch.setenv("DP_PROJECT_DIR", str(root))
        patch.chdir(root)
        prepare_manifest(root / DBT, warehouse_names())
        prepare_dagster_dbt(root)
        yield root


def produced(definitions: dg.Definitions) -> tuple[dict[str, str], set[str]]:
    """The description of each model by its name, and the names of the checks."""
    made = [a for a in definitions.assets or () if isinstance(a, dg.AssetsDefinition)]
    specs = [spec for assets in made for spec in assets.specs]
    checks = {check.name for assets in made for check in assets.check_specs}
    return {spec.key.path[-1]: (spec.description or "").split("\n")[0] for spec in specs}, checks


def test_both_make_an_asset_of_each_model_and_a_check_of_each_test(root: Path) -> None:
    ours, our_checks = produced(prepare("factories", root)())
    theirs, their_checks = produced(prepare("dagster-dbt", root)())

    staging = {f"table_{index:04}" for index in range(MODELS // 2)}
    marts = {"first_model", *(f"mart_{index:04}" for index in range(MODELS // 2 + 1, MODELS))}
    assert set(ours) == staging | marts
    assert sorted(ours.values()) == sorted(theirs.values())
    assert our_checks == their_checks
    assert len(our_checks) == 2 * MODELS


def test_the_first_model_has_the_key_that_is_run(root: Path) -> None:
    for variant, key in FIRST_KEYS.items():
        keys = prepare(variant, root)().resolve_all_asset_keys()
        assert dg.AssetKey.from_user_string(key) in keys
