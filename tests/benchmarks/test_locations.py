"""The page of what the code locations cost to load."""

from __future__ import annotations

from benchmarks.locations import LOCATIONS, report
from benchmarks.measure import Samples


def test_what_dagster_costs_is_taken_from_each_location() -> None:
    samples = {}
    for location in LOCATIONS:
        for what, seconds, megabytes in (("dagster alone", 1.0, 100.0), ("loaded", 1.5, 160.0)):
            name = f"{location}, {what}"
            samples[name] = Samples(name, [2.0], [seconds], {"megabytes": [megabytes]})
    page = report(samples).markdown()
    for location in LOCATIONS:
        assert f"| {location} | 0.50 | 60 |" in page
    assert "| ratio |" not in page
