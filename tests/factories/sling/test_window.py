"""What limits a stream to a run's partitions, as Sling is given it."""

from __future__ import annotations

import copy
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from factories.core.assets.context import LoadContext
from factories.core.execution.window import Window
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import warehouse_names
from factories.sling.connections import read_connections
from factories.sling.replication_config import limit_to_partitions
from factories.sling.replications import Stream, read_replications
from tests.factories.conftest import YamlProject

NEW_YORK = ZoneInfo("America/New_York")
DAY = Window(datetime(2013, 3, 9, tzinfo=NEW_YORK), datetime(2013, 3, 10, tzinfo=NEW_YORK))
META = "meta: {dagster: {partition: {type: daily, start: 2013-01-01, column: placed}}}"
CONDITION = "placed >= '2013-03-09 00:00:00' and placed < '2013-03-10 00:00:00'"


def stream(project: YamlProject, settings: str, meta: str = META) -> Stream:
    project.replication(f"public.orders: {{{settings}, {meta}}}")
    load_context = LoadContext(project.root, warehouse_names(), AutomationConditions())
    folder = Path(project.root, "sling")
    (replication,) = read_replications(folder, read_connections(folder, load_context), load_context)
    assert load_context.problems == []
    return replication.streams[0]


def test_a_window_is_half_open_and_merged_by_the_primary_key_alone(
    yaml_project: YamlProject,
) -> None:
    found = limit_to_partitions(
        stream(yaml_project, "mode: incremental, primary_key: id, update_key: updated_at"), DAY
    )
    assert found == {
        "object": "shop.{stream_table}",
        "mode": "incremental",
        "primary_key": "id",
        "where": CONDITION,
    }


def test_the_update_key_says_the_partition_where_no_column_does(yaml_project: YamlProject) -> None:
    meta = META.replace(", column: placed", "")
    made = stream(yaml_project, "mode: backfill, primary_key: id, update_key: placed", meta)
    assert limit_to_partitions(made, DAY)["where"] == CONDITION


def test_one_runs_window_does_not_leak_into_the_next(yaml_project: YamlProject) -> None:
    made = stream(yaml_project, "mode: incremental, primary_key: id, source_options: {limit: 9}")
    before = copy.deepcopy(made.config)
    first = limit_to_partitions(made, DAY)
    next_day = Window(DAY.end, datetime(2013, 3, 11, tzinfo=NEW_YORK))
    second = limit_to_partitions(made, next_day)
    assert made.config == before
    assert "2013-03-09" in first["where"]
    assert "2013-03-09" not in second["where"]
    assert second["where"].startswith("placed >= '2013-03-10 00:00:00'")


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ("a = 1 or b = 2", f"(a = 1 or b = 2\n) and {CONDITION}"),
        ("a = 1 -- ours", f"(a = 1 -- ours\n) and {CONDITION}"),
    ],
)
def test_a_condition_of_the_streams_own_still_holds(
    yaml_project: YamlProject, own: str, where: str
) -> None:
    made = stream(yaml_project, f"mode: incremental, primary_key: id, where: '{own}'")
    assert limit_to_partitions(made, DAY)["where"] == where


def test_a_query_is_wrapped_whatever_it_ends_with(yaml_project: YamlProject) -> None:
    made = stream(
        yaml_project, "mode: incremental, primary_key: id, sql: 'select * from t -- all;\n\n  ;  '"
    )
    found = limit_to_partitions(made, DAY)
    head, _, tail = found["sql"].rpartition("\n")
    assert head.startswith("select * from (\nselect * from t -- all")
    assert tail == f") windowed where {CONDITION}"
    assert "where" not in found


def test_static_keys_are_quoted(yaml_project: YamlProject) -> None:
    meta = (
        """meta: {dagster: {partition: {type: static, keys: [EWR, "O'Hare"], column: airport}}}"""
    )
    made = stream(yaml_project, "mode: incremental, primary_key: id", meta)
    assert limit_to_partitions(made, ("EWR", "O'Hare"))["where"] == "airport in ('EWR', 'O''Hare')"
