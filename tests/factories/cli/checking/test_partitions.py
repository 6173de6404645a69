"""Partitions of assets that depend on each other across code locations."""

from __future__ import annotations

import dagster as dg
import pytest

from factories.cli.checking.partitions import partition_problems
from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.repository_facts import RepositoryFacts
from factories.core.dagster_internals import describe_mapping, describe_partitions

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
MONTHLY = dg.MonthlyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


def problems(
    upstream: dg.PartitionsDefinition | None,
    downstream: dg.PartitionsDefinition | None,
    mapping: dg.PartitionMapping | None = None,
) -> list[str]:
    def told(partitions: dg.PartitionsDefinition | None) -> str:
        return describe_partitions(partitions) if partitions else ""

    mappings = {"a": text} if (text := describe_mapping(mapping)) else {}
    producers = {
        "b": AssetReport(
            "b", "b.yaml", 2, True, ["a", "x"], partitions=told(downstream), mappings=mappings
        ),
        "a": AssetReport("a", "a.yaml", 1, True, [], partitions=told(upstream)),
    }
    return [str(problem) for problem in partition_problems(producers, {})]


@pytest.mark.parametrize(
    ("upstream", "downstream", "mapping"),
    [
        (DAILY, DAILY, None),
        (DAILY, MONTHLY, None),
        (DAILY, None, None),
        (None, REGIONS, None),
        (DAILY, REGIONS, dg.AllPartitionMapping()),
        (DAILY, MONTHLY, dg.TimeWindowPartitionMapping(start_offset=-1)),
    ],
)
def test_what_fits_is_no_problem(
    upstream: dg.PartitionsDefinition | None,
    downstream: dg.PartitionsDefinition | None,
    mapping: dg.PartitionMapping | None,
) -> None:
    assert problems(upstream, downstream, mapping) == []


@pytest.mark.parametrize("mapping", [None, dg.StaticPartitionMapping({"eu": "2024-01-01"})])
def test_what_does_not_fit_is_told_with_both_places_and_dagsters_reason(
    mapping: dg.PartitionMapping | None,
) -> None:
    (problem,) = problems(DAILY, REGIONS, mapping)
    assert problem.startswith(
        "b.yaml:2:1: the partitions of b do not fit those of a, which it depends on (a.yaml:1): "
    )
    assert "artitions" in problem.partition("(a.yaml:1): ")[2]


def test_a_check_of_another_locations_asset_has_the_partitions_of_that() -> None:
    daily, monthly = describe_partitions(DAILY), describe_partitions(MONTHLY)
    orders = AssetReport("orders", "orders.yaml", 4, True, [], partitions=daily)
    read = AssetReport("read", "", 0, False, [])
    checks = {
        "orders": {"same": daily, "other": monthly},
        "ordres": {"c": daily},
        "read": {"d": ""},
    }
    needs = RepositoryFacts(check_partitions=checks)
    checker = LocationReport([read], file="checks.py", needs=needs)
    reports = {"ingestion": LocationReport([orders]), "checks": checker}
    nothing = (
        "checks.py: the check c is about ordres, which nothing produces; did you mean 'orders'?"
    )
    found = [str(problem) for problem in partition_problems({"orders": orders}, reports)]
    assert found == [
        (
            "checks.py: the check other has other partitions than orders (orders.yaml:4), which it"
            " is about"
        ),
        nothing,
    ]
    reports["ml"] = LocationReport(loaded=False)
    assert nothing not in [str(p) for p in partition_problems({"orders": orders}, reports)]
