"""The builds that the benchmark compares make the same assets of the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.sling.building_variants import prepare
from benchmarks.sling.generated_streams import sample_replications, write_project

FILES, STREAMS = 2, 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("streams") / "project"
    write_project(folder, sample_replications(FILES, STREAMS))
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DP_TARGET", "local")
    monkeypatch.setenv("DP_PROJECT_DIR", "")
    monkeypatch.chdir(tmp_path)


def specs(variant: str, project: Path) -> dict[dg.AssetKey, dg.AssetSpec]:
    definitions = prepare(variant, project, FILES, STREAMS)()
    found = definitions.resolve_all_asset_specs()
    # The bare build has a constant for the code version; owners may be any sequence.
    return {
        spec.key: spec.replace_attributes(code_version=None, owners=list(spec.owners))
        for spec in found
    }


def ops(variant: str, project: Path) -> dict[str, tuple[str | None, set[dg.AssetKey]]]:
    definitions = prepare(variant, project, FILES, STREAMS)()
    return {
        assets.op.name: (assets.op.pool, set(assets.keys))
        for assets in definitions.assets or ()
        if isinstance(assets, dg.AssetsDefinition)
    }


@pytest.mark.parametrize("variant", ["bare", "bare, collector paused"])
def test_bare_build_makes_our_specs_and_groups(variant: str, project: Path) -> None:
    ours = specs("factories", project)
    assert len(ours) == 2 * FILES * STREAMS  # each stream's asset and its source
    assert specs(variant, project) == ours
    assert ops(variant, project) == ops("factories", project)


def test_dagster_sling_makes_an_asset_of_every_stream(project: Path) -> None:
    ours = specs("factories", project)
    theirs = specs("dagster-sling", project)
    produced = {
        (spec.description, spec.group_name) for spec in ours.values() if spec.key.path[1] == "raw"
    }
    assert {
        (spec.description, spec.group_name)
        for spec in theirs.values()
        if spec.key.path[0] == "target"
    } == produced
    assert len(produced) == FILES * STREAMS
