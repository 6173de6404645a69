"""What Dagster's own validation finds in a code location is a problem of its report."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from factories.cli.location_report import LocationReport, report_location
from factories.cli.repository_facts import RepositoryFacts
from tests.factories.conftest import YamlProject

Report = Callable[[str, str], LocationReport]
HEAD = """\
import dagster as dg
place = dg.LocalFileCodeReference(file_path=__file__, line_number=7)
references = dg.CodeReferencesMetadataValue(code_references=[place])
placed = {"dagster/code_references": references}
daily = dg.DailyPartitionsDefinition("2024-01-01")

@dg.asset(metadata=placed)
def orders(): ...
"""


@pytest.fixture
def report(yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Report on a location of one asset, `orders`, and what a test adds."""
    monkeypatch.syspath_prepend(str(yaml_project.root))

    def report(name: str, text: str) -> LocationReport:
        yaml_project.write(f"{name}.py", HEAD + textwrap.dedent(text))
        return report_location(name)

    return report


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "sensor_of_no_job",
            """
            @dg.sensor(job_name="load_all")
            def look(): ...
            defs = dg.Definitions(assets=[orders], sensors=[look])
            """,
            "load_all",
        ),
        (
            "job_of_no_asset",
            """
            job = dg.define_asset_job("load", dg.AssetSelection.assets("ordres"))
            defs = dg.Definitions(assets=[orders], jobs=[job])
            """,
            "ordres",
        ),
        (
            "resource_of_none",
            """
            @dg.op(required_resource_keys={"crm"})
            def load(): ...
            @dg.job
            def load_all(): load()
            defs = dg.Definitions(assets=[orders], jobs=[load_all])
            """,
            "crm",
        ),
        (
            "two_schedules_of_a_name",
            """
            job = dg.define_asset_job("load", "*")
            crons = ("@daily", "@hourly")
            twice = [dg.ScheduleDefinition("s", cron_schedule=c, job=job) for c in crons]
            defs = dg.Definitions(assets=[orders], jobs=[job], schedules=twice)
            """,
            "s",
        ),
        (
            "partitions_of_their_own_kind",
            """
            class Odd(dg.PartitionsDefinition):
                def get_partition_keys(self, *args, **kwargs): return ["a"]
                def get_paginated_partition_keys(self, *args, **kwargs): ...
            @dg.asset(partitions_def=Odd())
            def odd(): ...
            defs = dg.Definitions(assets=[orders, odd])
            """,
            "partitions",
        ),
    ],
)  # fmt: skip
def test_what_a_code_server_refuses_is_found(
    report: Report, name: str, text: str, says: str
) -> None:
    (problem,) = report(name, text).problems
    assert f"{name} cannot be loaded: Dagster" in problem.message
    assert says in problem.message


def test_what_is_wrong_with_a_job_hides_no_asset(report: Report) -> None:
    found = report(
        "late",
        """
        job = dg.define_asset_job("load", dg.AssetSelection.assets("ordres"))
        defs = dg.Definitions(assets=[orders], jobs=[job])
        """,
    )
    assert (found.loaded, [asset.key for asset in found.assets]) == (True, ["orders"])
    assert len(found.problems) == 1


def test_partitions_of_a_check_that_its_asset_does_not_have_are_found(report: Report) -> None:
    found = report(
        "checked",
        """
        @dg.asset_check(asset=orders, partitions_def=daily)
        def whole(): ...
        defs = dg.Definitions(assets=[orders], asset_checks=[whole])
        """,
    )
    assert [str(problem) for problem in found.problems] == [
        "checked.py:7:1: orders: its check whole has other partitions than it"
    ]


def test_partitions_of_checks_of_other_locations_assets_are_told_to_these(report: Report) -> None:
    found = report(
        "checks_elsewhere",
        """
        @dg.asset_check(asset="elsewhere", partitions_def=daily)
        def whole(): ...
        defs = dg.Definitions(assets=[orders], asset_checks=[whole])
        """,
    )
    assert found.problems == []
    assert list(found.needs.check_partitions["elsewhere"]) == ["whole"]


def test_partitions_and_mappings_are_told_to_other_locations(report: Report) -> None:
    found = report(
        "partitioned",
        """
        late = dg.TimeWindowPartitionMapping(start_offset=-1)
        @dg.asset(partitions_def=daily, deps=[dg.AssetDep("elsewhere", partition_mapping=late)])
        def days(): ...
        defs = dg.Definitions(assets=[orders, days])
        """,
    )
    days, orders = sorted(found.assets, key=lambda asset: asset.key)
    assert "TimeWindowPartitions" in days.partitions
    assert list(days.mappings) == ["elsewhere"]
    assert (orders.partitions, orders.mappings) == ("", {})


def test_pools_and_the_variables_of_the_resources_that_something_uses_are_told(
    report: Report,
) -> None:
    found = report(
        "needy",
        """
        class Crm(dg.ConfigurableResource):
            token: str
        @dg.asset(pool="crm")
        def customers(crm: Crm): ...
        @dg.op(pool="mail")
        def send(): ...
        @dg.job
        def tell(): send()
        crm, unused = Crm(token=dg.EnvVar("CRM_TOKEN")), Crm(token=dg.EnvVar("OLD_TOKEN"))
        defs = dg.Definitions(
            assets=[orders, customers], jobs=[tell], resources={"crm": crm, "unused": unused}
        )
        """,
    )
    assert found.problems == []
    assert found.needs == RepositoryFacts(
        {"crm": "customers", "mail": ""}, {"CRM_TOKEN": ["crm"]}, uses_warehouse=False
    )


def test_definitions_have_the_name_that_the_workspace_gives_them(yaml_project: YamlProject) -> None:
    yaml_project.write("other_name.py", HEAD + "definitions = dg.Definitions(assets=[orders])\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(yaml_project.root))
        assert [a.key for a in report_location("other_name", "definitions").assets] == ["orders"]
        (problem,) = report_location("other_name").problems
    assert "module 'other_name' has no attribute 'defs'" in problem.message
