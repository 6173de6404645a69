"""Names of the data's own that Dagster would refuse: each works, or is refused at its line."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest

from factories.definitions import build_definitions
from tests.factories.conftest import YamlProject

COLUMNS = [
    "id", "ID", "Unit Price", "unit_price", "größe", "日本", "a-b", "a.b", "a b", 'say "hi"',
    "it's", "100%s", "{x}", " ", "class", "x" * 255,
]  # fmt: skip
CHECKS = {"columns": {"not_null": COLUMNS, "unique": COLUMNS}}
# Of streams and resources; each has a table of another name.
NAMES = [
    "日本", "ä b", "select", "Order", "a.b", "100%", "a\\b", "😀", "{x}", "%(x)s", "a;b", "$1",
    "é" * 31,
]  # fmt: skip
PIPELINE = {
    "pipeline": "days",
    "dataset": "days",
    "source": {
        "rest_api": {
            "client": {"base_url": "http://127.0.0.1:1"},
            "resources": [
                {"name": name, "endpoint": {"path": "x"}} for name in ("a", "it's", *NAMES)
            ],
        }
    },
}


def write(project: YamlProject, name: str, content: Any) -> None:
    """Write JSON, which is YAML."""
    project.write(name, json.dumps(content, ensure_ascii=False))


def load(**folders: str) -> list[dg.AssetCheckSpec]:
    """Load what a code server loads, and return the specs of the checks."""
    definitions = build_definitions(**folders)
    definitions.get_repository_def()
    made = [each for each in definitions.assets or () if isinstance(each, dg.AssetsDefinition)]
    return [spec for each in made for spec in each.check_specs]


def test_checks_of_columns_of_any_characters_load_in_every_tool(yaml_project: YamlProject) -> None:
    meta = {"dagster": {"checks": CHECKS}}
    streams: dict[str, Any] = {"ops.a": {"meta": meta}}
    for number, name in enumerate(NAMES):
        streams[f'"{name}"."{name}"'] = {
            "object": f"shop.t{number}",
            "meta": {"dagster": {"asset_key": f"shop/raw/t{number}"}},
        }
    write(
        yaml_project,
        "sling/größe.yaml",
        {
            "source": "shop",
            "target": "SNOWFLAKE",
            "defaults": {"object": "shop.{stream_table}"},
            "streams": streams,
        },
    )
    named = {name: {"table_name": f"t{n}"} for n, name in enumerate([*NAMES, "it's"])}
    resources = {"a": {"meta": meta}, **named}
    write(yaml_project, "dlt_pipelines/day.yaml", {**PIPELINE, "resources": resources})
    table = {"name": "t", "sql": "select 1 as id", "output": {"table": "ML.A.T"}, "meta": meta}
    write(yaml_project, "snowpark/area.yaml", {"tables": [table]})

    checks = load(sling="sling", dlt="dlt_pipelines", snowpark="snowpark")

    assert len(checks) == len({check.key for check in checks}) == 3 * 2 * len(COLUMNS)
    (price,) = (
        check
        for check in checks
        if check.metadata.get("column") == "Unit Price"
        and check.name.startswith("not_null")
        and check.asset_key.path[0] == "shop"
    )
    assert price.name.startswith("not_null_unit_price_")
    assert price.description == "The column Unit Price has no nulls."


def test_pools_that_look_alike_have_steps_of_their_own(yaml_project: YamlProject) -> None:
    yaml_project.replication("""
        ops.a: {meta: {dagster: {pool: a/b}}}
        ops.b: {meta: {dagster: {pool: a_b}}}
    """)
    load(sling="sling")
    assert len(yaml_project.ops()) == 2


@pytest.mark.parametrize(
    ("streams", "problem"),
    [
        (
            """
            ops.a: {meta: {dagster: {asset_key: x/a-b}}}
            ops.b: {meta: {dagster: {asset_key: x/a_b}}}
            """,
            "6:1: the asset x/a_b and the asset x/a-b have one name to Dagster",
        ),
        (
            """
            ops.orders: {meta: {dagster: {checks: {rows: {min: 1}}}}}
            ops.orders_row_count:
            """,
            "6:1: the asset shop/raw/orders_row_count and the check row_count of shop/raw/orders",
        ),
        (
            "ops.a: {meta: {dagster: {asset_key: class}}}",
            "5:39: asset_key: 'class' is a word of Dagster or Python: give the key two parts",
        ),
        (
            """
            ops.a:
              mode: incremental
              primary_key: id
              meta: {dagster: {partition: {type: static, keys: ["b\\tc"], column: x}}}
            """,
            "8:54: keys: 'b\\tc' is not a partition's key: it is empty, or holds a tab",
        ),
        (
            'ops.a: {meta: {dagster: {checks: {columns: {unique: [""]}}}}}',
            "5:56: unique[0]: the name of a column is empty",
        ),
        ("ops..a:", "5:3: 'ops..a' names no table"),
    ],
)
def test_what_dagster_cannot_name_is_refused_at_its_line(
    yaml_project: YamlProject, streams: str, problem: str
) -> None:
    yaml_project.replication(streams)
    (found,) = yaml_project.problems()
    assert found.startswith(f"sling/shop.yaml:{problem}")


def test_a_pipeline_without_a_name_is_refused(yaml_project: YamlProject) -> None:
    resources = {"a": None, **{name: {"table_name": f"t{n}"} for n, name in enumerate(NAMES)}}
    write(
        yaml_project,
        "dlt_pipelines/day.yaml",
        {**PIPELINE, "pipeline": "", "resources": resources},
    )
    (problem,) = yaml_project.problems(dlt="dlt_pipelines")
    assert problem.endswith(
        "pipeline: '' must be lower-case words of letters and digits, joined by _"
    )
