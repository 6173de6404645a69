"""`freshness: {per_partition: true}`: was the last partition made by its deadline?"""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from factories.core.conditions.node import RuleCondition
from tests.factories.conftest import YamlProject

DAILY = """
public.orders:
  mode: incremental
  primary_key: [id]
  meta:
    dagster:
      partition: {type: daily, start: "%s", column: at}
      freshness: {cron: "0 0 * * *", per_partition: true}
public.items:
"""
ORDERS = dg.AssetKey(["shop", "raw", "orders"])
CHECK = dg.AssetCheckKey(ORDERS, "partition_freshness")


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def check(project: YamlProject, *made: str, start: str) -> dg.AssetCheckEvaluation:
    """Run the check alone, after some partitions were made."""
    project.replication(DAILY % start)
    definitions = project.definitions()
    with dg.DagsterInstance.ephemeral() as instance:
        for partition in made:
            instance.report_runless_asset_event(
                dg.AssetMaterialization(ORDERS, partition=partition)
            )
        job = dg.define_asset_job("look", dg.AssetSelection.checks(CHECK))
        merged = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
        result = merged.resolve_job_def("look").execute_in_process(instance=instance)
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation


def test_the_last_partition_that_has_ended_by_the_deadline_was_made(
    yaml_project: YamlProject,
) -> None:
    expected = days_ago(1)
    found = check(yaml_project, days_ago(2), expected, start=days_ago(5))
    assert (found.passed, found.metadata["partition"].value) == (True, expected)
    assert f"{expected} was made at " in (found.description or "")


def test_another_partition_that_was_made_since_does_not_count(yaml_project: YamlProject) -> None:
    expected = days_ago(1)
    found = check(yaml_project, days_ago(2), days_ago(3), start=days_ago(5))
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    text = f"The partition {expected} was to be made by {days_ago(0)} 00:00 UTC, and was not."
    assert found.description == text


def test_before_the_first_partition_has_ended_nothing_is_late(yaml_project: YamlProject) -> None:
    found = check(yaml_project, start=days_ago(0))
    assert (found.passed, found.description) == (
        True,
        f"No partition had ended by {days_ago(0)} 00:00 UTC.",
    )


def test_the_check_is_asked_for_at_the_deadline_in_place_of_a_policy(
    yaml_project: YamlProject,
) -> None:
    yaml_project.replication(DAILY % "2024-01-01")
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.SupersessionWarning)
        graph = yaml_project.definitions().resolve_asset_graph()
    node = graph.get(CHECK)
    assert node.description == "At 0 0 * * * (UTC) the last partition that has ended was made."
    assert not node.blocking
    assert isinstance(node.automation_condition, RuleCondition)
    rule = node.automation_condition.rule
    assert (rule.name, rule.cron_schedule) == ("on_cron_no_deps", "0 0 * * *")
    assert list(rule.ignore) == ["shop/raw/orders"]
    assert graph.get(ORDERS).freshness_policy_or_from_metadata is None
    assert graph.asset_check_keys == {CHECK}


@pytest.mark.parametrize("engine", ["node", "operators"])
def test_the_daemon_asks_for_it_whatever_the_asset_does(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("DP_CONDITIONS", engine)
    yaml_project.replication(DAILY % "2024-01-01")
    definitions = yaml_project.definitions()
    cursor, asked = None, []
    with dg.DagsterInstance.ephemeral() as instance:
        for minutes in (-60, -1, 1, 2, 3):
            result = dg.evaluate_automation_conditions(
                definitions,
                instance,
                evaluation_time=datetime(2024, 3, 2, tzinfo=UTC) + timedelta(minutes=minutes),
                cursor=cursor,
            )
            cursor = result.cursor
            requested = [found.key for found in result.results if not found.true_subset.is_empty]
            asked.append(requested)
    assert asked == [[], [], [CHECK], [], []]


@pytest.mark.parametrize(
    ("partition", "problem"),
    [
        ("", "per_partition: the asset has no partition"),
        ("partition: {type: static, keys: [a], column: k}", "only a partition of time has an end"),
    ],
)
def test_only_partitions_of_time_have_deadlines(
    yaml_project: YamlProject, partition: str, problem: str
) -> None:
    yaml_project.replication(f"""
        public.orders:
          mode: incremental
          primary_key: [id]
          meta:
            dagster:
              freshness:
                cron: "0 8 * * *"
                per_partition: true
              {partition}
    """)
    [found] = yaml_project.problems()
    assert found.startswith("sling/shop.yaml:12:26: per_partition: ")
    assert problem in found


def test_a_hash_of_the_rows_does_not_go_with_partitions(yaml_project: YamlProject) -> None:
    yaml_project.replication("""
        public.orders:
          mode: incremental
          primary_key: [id]
          meta:
            dagster:
              partition: {type: daily, start: "2024-01-01", column: at}
              data_version: content
    """)
    [found] = yaml_project.problems()
    assert found == (
        "sling/shop.yaml:11:9: data_version: the hash would be of all partitions: leave it out,"
        " or set null"
    )
