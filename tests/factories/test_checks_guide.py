"""The examples of the guide to checks."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import yaml

from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import check_names, check_problems
from factories.definitions import build_definitions
from tests.factories.conftest import YamlProject

GUIDE = (Path(__file__).parents[2] / "docs/guides/checks.md").read_text(encoding="utf-8")
REPLICATION, BLOCK = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


def test_the_guides_replication_has_its_checks(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/connections.yaml", 'connections: {flight_ops: {type: postgres, url: "${SHOP_URL}"}}'
    )
    yaml_project.write("sling/flights.yaml", REPLICATION)

    definitions = build_definitions(sling="sling")
    graph = definitions.resolve_asset_graph()

    checks = {key.name: graph.get(key) for key in graph.asset_check_keys}
    assert {name: check.blocking for name, check in checks.items()} == {
        "row_count": True,
        "row_count_change": False,
        "not_null_flight_id": True,
        "not_null_scheduled_departure": True,
        "unique_flight_id": True,
        "accepted_values_origin": True,
        "relationships_carrier": True,
        "freshness_updated_at": True,
        "no_removed_columns": True,
        "lands_after_takeoff": True,
        "mean_delay": False,
    }
    # What a check reads is nothing that its asset waits for.
    flights = graph.get(dg.AssetKey(["flight_ops", "raw", "flights"]))
    assert flights.parent_keys == {dg.AssetKey(["flight_ops", "src", "flights"])}
    line = REPLICATION.splitlines().index(
        "            relationships: {carrier: flight_ops/raw/airlines}"
    )
    assert definitions.metadata["dp/check_reads"].value == [
        {
            "key": "flight_ops/raw/airlines",
            "file": "sling/flights.yaml",
            "line": line + 1,
            "column": 38,
        }
    ]


def test_the_guides_block_is_valid() -> None:
    spec = ChecksSpec.model_validate(yaml.safe_load(BLOCK))
    assert list(check_problems(spec)) == []
    assert len(check_names(spec)) == 6


def test_the_guides_table_names_each_check_as_it_is_called() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert len(rows) == 12
    for written, name in rows:
        path, _, value = written.partition(": ")
        block = yaml.safe_load(value)
        for key in reversed(path.split(".")):
            block = {key: block}
        assert check_names(ChecksSpec.model_validate(block)) == [name]
