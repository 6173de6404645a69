"""What limits a stream to a run's partitions, as Sling is given it."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from factories.core.assets.context import LoadContext
from factories.core.execution.window import UnreadableWindowError, Window
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.settings import WarehouseSettings
from factories.sling.connections import read_connections
from factories.sling.partition_condition import CoveredPartitions, SourceColumn
from factories.sling.replication_config import ResolvedReplication, resolve_replication
from factories.sling.replications import Replication, read_replications
from factories.sling.source_dialects import DIALECTS
from tests.factories.conftest import YamlProject

NEW_YORK = ZoneInfo("America/New_York")
DAY = Window(datetime(2013, 3, 9, tzinfo=NEW_YORK), datetime(2013, 3, 10, tzinfo=NEW_YORK))
META = "meta: {dagster: {partition: {type: daily, start: 2013-01-01, column: placed}}}"
CONDITION = "\"placed\" >= '2013-03-09 00:00:00' and \"placed\" < '2013-03-10 00:00:00'"
COLUMNS = [SourceColumn("placed", "timestamp"), SourceColumn("airport", "text")]
SETTINGS = WarehouseSettings(account="a", user="u", password="p", host="h", port=1)


def replication(project: YamlProject, settings: str, meta: str = META) -> Replication:
    project.replication(f"public.orders: {{{settings}, {meta}}}")
    load_context = LoadContext(project.root, warehouse_names(), AutomationConditions())
    folder = Path(project.root, "sling")
    (made,) = read_replications(folder, read_connections(folder, load_context), load_context)
    assert load_context.problems == []
    return made


def resolve(made: Replication, covered: CoveredPartitions) -> ResolvedReplication:
    return resolve_replication(
        made, made.streams, covered, warehouse_names(), SETTINGS, binary="sling", full_refresh=False
    )


def limited(made: Replication, covered: CoveredPartitions = DAY) -> dict[str, Any]:
    """The config of the replication's stream, with the condition on its rows."""
    resolved = resolve(made, covered)
    [(name, limit)] = resolved.limits.items()
    condition = limit.build_condition(COLUMNS, DIALECTS[resolved.dialect])
    body = json.loads(resolved.to_json([name], {name: condition}))
    found: dict[str, Any] = body["streams"][name]
    return found


def test_a_window_is_half_open_and_merged_by_the_primary_key_alone(
    yaml_project: YamlProject,
) -> None:
    settings = "mode: incremental, primary_key: id, update_key: updated_at"
    assert limited(replication(yaml_project, settings)) == {
        "object": "SHOP.ORDERS",
        "mode": "incremental",
        "primary_key": "id",
        "where": CONDITION,
    }


def test_the_update_key_says_the_partition_where_no_column_does(yaml_project: YamlProject) -> None:
    meta = META.replace(", column: placed", "")
    made = replication(yaml_project, "mode: backfill, primary_key: id, update_key: placed", meta)
    assert limited(made)["where"] == CONDITION


def test_one_runs_window_does_not_leak_into_the_next(yaml_project: YamlProject) -> None:
    made = replication(
        yaml_project, "mode: incremental, primary_key: id, source_options: {limit: 9}"
    )
    before = copy.deepcopy(made.streams[0].config)
    first = limited(made)
    second = limited(made, Window(DAY.end, datetime(2013, 3, 11, tzinfo=NEW_YORK)))
    assert made.streams[0].config == before
    assert "2013-03-09" in first["where"]
    assert "2013-03-09" not in second["where"]
    assert second["where"].startswith("\"placed\" >= '2013-03-10 00:00:00'")


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
    made = replication(yaml_project, f"mode: incremental, primary_key: id, where: '{own}'")
    assert limited(made)["where"] == where


def test_a_query_is_wrapped_whatever_it_ends_with(yaml_project: YamlProject) -> None:
    made = replication(
        yaml_project, "mode: incremental, primary_key: id, sql: 'select * from t -- all;\n\n  ;  '"
    )
    found = limited(made)
    head, _, tail = found["sql"].rpartition("\n")
    assert head.startswith("select * from (\nselect * from t -- all")
    assert tail == f") windowed where {CONDITION}"
    assert "where" not in found


def test_static_keys_are_quoted(yaml_project: YamlProject) -> None:
    meta = (
        """meta: {dagster: {partition: {type: static, keys: [EWR, "O'Hare"], column: airport}}}"""
    )
    made = replication(yaml_project, "mode: incremental, primary_key: id", meta)
    found = limited(made, ("EWR", "O'Hare"))
    assert found["where"] == "\"airport\" in ('EWR', 'O''Hare')"


def test_a_stream_is_never_loaded_without_the_condition_of_its_limit(
    yaml_project: YamlProject,
) -> None:
    resolved = resolve(replication(yaml_project, "mode: incremental, primary_key: id"), DAY)
    with pytest.raises(KeyError):
        resolved.to_json(["public.orders"])


@pytest.mark.parametrize(
    ("connection", "dialect"),
    [
        ('{type: mysql, url: "${SHOP_URL}"}', "mysql"),
        ('"${SHOP_URL}"', "postgres"),
        ("sqlserver://u:p@h/d", "sqlserver"),
        ("mssql://u:p@h/d", "sqlserver"),
    ],
)
def test_the_sql_is_that_of_the_connections_type(
    yaml_project: YamlProject, connection: str, dialect: str
) -> None:
    yaml_project.write("sling/connections.yaml", f"connections: {{shop: {connection}}}")
    made = replication(yaml_project, "mode: incremental, primary_key: id")
    assert resolve(made, DAY).dialect == dialect


def test_a_column_that_an_hour_cannot_be_told_of_is_refused(yaml_project: YamlProject) -> None:
    meta = META.replace("daily", "hourly").replace("placed", "airport")
    made = replication(yaml_project, "mode: incremental, primary_key: id", meta)
    with pytest.raises(UnreadableWindowError, match="neither dates nor times, but text"):
        limited(made)
