"""The builds of dlt pipelines that the benchmark compares make the same assets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.dlt.building_variants import prepare
from benchmarks.dlt.generated_pipelines import VARIABLES, sample_pipelines, write_project
from factories.core.dagster_internals import is_reconstruction

FILES, RESOURCES = 2, 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resources") / "project"
    write_project(folder, sample_pipelines(FILES, RESOURCES))
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DP_TARGET", "local")
    monkeypatch.setenv("DP_PROJECT_DIR", "")
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    yield
    assert not is_reconstruction()


def specs(definitions: dg.Definitions) -> dict[dg.AssetKey, dg.AssetSpec]:
    # The bare build has a constant for the code version; owners may be any sequence.
    return {
        spec.key: spec.replace_attributes(code_version=None, owners=list(spec.owners))
        for spec in definitions.resolve_all_asset_specs()
    }


def ops(definitions: dg.Definitions) -> dict[str, tuple[str | None, set[dg.AssetKey]]]:
    return {
        assets.op.name: (assets.op.pool, set(assets.keys))
        for assets in definitions.assets or ()
        if isinstance(assets, dg.AssetsDefinition)
    }


@pytest.mark.parametrize("variant", ["factories, in a step", "bare", "bare, collector paused"])
def test_every_build_makes_the_same_specs_and_groups(variant: str, project: Path) -> None:
    ours = prepare("factories", project, FILES, RESOURCES)()
    theirs = prepare(variant, project, FILES, RESOURCES)()

    assert len(specs(ours)) == 2 * FILES * RESOURCES  # each resource's asset and its source
    assert specs(theirs) == specs(ours)
    assert ops(theirs) == ops(ours)
