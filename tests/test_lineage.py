"""The code locations of this repository are one asset graph."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from factories.cli.checking.joined_graph import joined_graph_problems
from factories.cli.workspace import read_workspace, report_locations
from factories.core.yaml.problems import Problem

ROOT = Path(__file__).parents[1]


@pytest.mark.programs
def test_lineage_goes_from_the_sources_through_every_location_to_the_scores() -> None:
    problems: list[Problem] = []
    locations = read_workspace(ROOT, problems)
    reports = report_locations(ROOT, locations)

    problems += (problem for report in reports.values() for problem in report.problems)
    assert problems == []
    assert list(joined_graph_problems(locations, reports)) == []
    assets = {
        (name, asset.key): asset for name, report in reports.items() for asset in report.assets
    }
    way = [
        ("ingestion", "flight_ops/src/flights"),
        ("ingestion", "flight_ops/raw/flights"),
        ("transformation", "flight_ops/stg/flights"),
        ("transformation", "intermediate/operations/int_flights__outcome"),
        ("transformation", "intermediate/operations/int_flights__origin_weather"),
        ("transformation", "marts/operations/fct_flights"),
        ("ml", "ml/delay/delay_features"),
        ("ml", "ml/delay/arrival_delay"),
        ("ml", "ml/delay/arrival_delay_predictions"),
    ]
    for upstream, downstream in pairwise(way):
        assert upstream[1] in assets[downstream].deps, downstream
    monthly = assets["transformation", "marts/operations/carrier_monthly"]
    assert "marts/operations/fct_flights" in monthly.deps
    assert not assets[way[0]].produced
    assert all(assets[asset].produced for asset in way[1:])
