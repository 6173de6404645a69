"""What the benchmark of evaluations compares is the same."""

from __future__ import annotations

import pytest

from benchmarks.ticks.evaluation import DAGSTER, NODE, OPERATORS, definitions


@pytest.mark.parametrize("kind", [NODE, OPERATORS])
def test_variants_have_the_same_assets(kind: str) -> None:
    ours, own = (definitions(each, 40).resolve_asset_graph() for each in (kind, DAGSTER))
    assert ours.get_all_asset_keys() == own.get_all_asset_keys()
    for key in own.get_all_asset_keys():
        assert ours.get(key).parent_keys == own.get(key).parent_keys
        assert ours.get(key).check_keys == own.get(key).check_keys
        assert ours.get(key).automation_condition is not None
    assert sum(len(own.get(key).check_keys) for key in own.get_all_asset_keys()) == 10
