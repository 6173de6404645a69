"""Names that dbt takes and Dagster would not, or that are one name to Snowflake."""

from __future__ import annotations

import json

import dagster as dg
import pytest

from factories.definitions import build_definitions
from tests.factories.dbt.conftest import Project, checked, materialized

pytestmark = pytest.mark.clients

# dbt itself refuses spaces.
TESTS = [
    "größe", "日本", "中国", "it's", "a.b", "a/b", "a:b", "a,b", "a\\b", "SELECT", "class", "100%",
    "{x}", "-x", "None", "😀", "a_b",
]  # fmt: skip
EMPTY = "日本"  # the one test that fails
TAGS = ["a b", "größe", "日本", 'say "hi"', "", "-x", "x" * 255, "a/b", "😀"]


def test_names_of_any_characters_load_and_each_test_is_its_own_check(project: Project) -> None:
    tests = [
        {"not_null": {"name": name, "column_name": "empty" if name == EMPTY else "id"}}
        for name in TESTS
    ]
    columns = [{"name": name, "quote": True, "data_tests": ["unique"]} for name in ("a b", "Id")]
    owner = {"name": 'Data & Co "x" 日本', "email": "no address"}
    exposure = {
        "name": "board",
        "label": "größe ' \"",
        "type": "dashboard",
        "owner": {"name": "日本"},
        "depends_on": ["ref('m')"],
    }
    properties = {
        "models": [
            {"name": "m", "config": {"group": "g 1"}, "data_tests": tests, "columns": columns}
        ],
        "groups": [{"name": "g 1", "owner": owner}],
        "exposures": [exposure],
    }
    project.write("models/m.yml", json.dumps(properties, ensure_ascii=False))
    project.write(
        "models/m.sql",
        f"{{{{ config(tags={json.dumps(TAGS, ensure_ascii=False)}) }}}}\n"
        'select 1 as id, null as empty, 2 as "a b", 3 as "Id"',
    )
    project.assets()
    definitions = build_definitions(dbt="shop")
    definitions.get_repository_def()

    result = project.run()

    assert set(materialized(result)) == {"m"}
    found = checked(result)
    assert len(found) == len(TESTS) + len(columns)
    [failed] = [name for name, outcome in found.items() if outcome != "passed"]
    specs = [
        spec
        for made in definitions.assets or ()
        if isinstance(made, dg.AssetsDefinition)
        for spec in made.check_specs
    ]
    [test] = [str(spec.metadata["dbt/test"]) for spec in specs if spec.name == failed]
    assert f".{EMPTY}." in test


def test_group_that_gets_another_name_is_built(project: Project) -> None:
    project.write("models/m.sql", "select 1 as id")
    for group in ("old", "new"):
        properties = {
            "models": [{"name": "m", "config": {"group": group}}],
            "groups": [{"name": group, "owner": {"name": "x"}}],
        }
        project.write("models/m.yml", json.dumps(properties))
        assert project.run().success, project.failure()

    assert "dbt broke off; it is run again" in project.messages()


def test_names_that_differ_in_case_alone_are_one_table(project: Project) -> None:
    project.write("seeds/x/A.csv", "id\n1\n")
    project.write("seeds/y/a.csv", "id\n2\n")
    project.write("models/first.sql", "{{ config(alias='Orders') }} select 1 as id")
    project.write("models/second.sql", "{{ config(alias='orders') }} select 2 as id")

    assert project.problems() == [
        f"shop/{second}:1:1: the table {table} is loaded here and at shop/{first}:1: name another"
        " table"
        for first, second, table in (
            ("models/first.sql", "models/second.sql", f"ANALYTICS.{project.schema}.ORDERS"),
            ("seeds/x/A.csv", "seeds/y/a.csv", f"ANALYTICS.{project.schema}.A"),
        )
    ]
