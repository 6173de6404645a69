"""Mistakes that dbt takes without a word, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from factories.dbt.project.source_files import properties_files
from tests.factories.dbt.written_project import WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_mistakes")  # they share what dbt has parsed

FILES = {
    "dbt_project.yml": """
        name: wrong
        version: "1.0"
        profile: wrong
        models:
          wrong:
            +dagster: {owners: ["team:a"]}
            marts:
              dagster: {+tags: [a_folder_of_this_name]}
              dagster_too: {dagster: {owners: ["team:a"]}}
        data_tests: {wrong: {+meta: {dagster: {owners: ["team:a"]}}}}
    """,
    "models/marts/_marts.yml": """
        models:
          - name: beside
            dagster: {owners: ["team:a"]}
          - name: in_config
            config: {dagster: {owners: ["team:a"]}}
          - name: right
            config: {meta: {dagster: {owners: ["team:a"]}}}
            columns:
              - name: id
                config: {meta: {dagster: {owners: ["team:a"]}}}
                data_tests:
                  - not_null: {config: {meta: {dagster: {owners: ["team:a"]}}}}
                  - not_nul
          - name: tables
            config: {materialized: tabel}
          - name: windows
            config: {materialized: incremental, unique_key: id, meta: {dagster: {partition: {
              type: daily, start: "2024-01-01", column: day}}}}
          - name: typed
            config: {contract: {enforced: true}}
            columns:
              - {name: id, data_type: number}
              - name: note
              - {name: day, data_type: date}
          - name: loose
            config: {contract: {enforced: false}}
            columns: [name: id]
        exposures:
          - name: board
            type: dashboard
            owner: {name: ana}
            meta: {dagster: {owners: ["team:a"]}}
    """,
    "models/marts/beside.sql": "select 1 as id\n",
    "models/marts/in_config.sql": "select 1 as id\n",
    "models/marts/right.sql": "select 1 as id\n",
    "models/marts/tables.sql": "select 1 as id\n",
    "models/marts/in_sql.sql": "{{ config(dagster={'owners': ['team:a']}) }} select 1 as id\n",
    "models/marts/views.sql": "select 1 as id\n{{ config(materialized='veiw') }}\n",
    "models/marts/chicken.sql": "select * from {{ ref('egg') }}\n",
    "models/marts/egg.sql": "select * from {{ ref('chicken') }}\n",
    "models/class.sql": "select 1 as id\n",
    "models/日本.sql": "select 1 as id\n",
    "tests/of_both.sql": "select * from {{ ref('egg') }} join {{ ref('chicken') }} using (id)\n",
    "models/marts/windows.sql": "select 1 as id\n",
    "models/marts/typed.sql": "select 1 as id, 'a' as note, current_date as day\n",
    "models/marts/loose.sql": "select 1 as id\n",
    "models/marts/in_config_alone.sql": "{{ config(contract={'enforced': true}) }} select 1 as i\n",
    "tests/of_right.sql": """
        {{ config(meta={'dagster': {'owners': ['team:a']}}) }}
        select * from {{ ref('right') }} where id > 1
    """,
    "tests/of_nothing.sql": "select 1 as id where 1 = 0\n",
    # None of dbt's: of CI, and one that .dbtignore names.
    "ci/pipeline.yml": "---\na: !vault x\n---\nb: 1\n",
    "models/drafts/notes.yml": "- [\n",
    ".dbtignore": "models/drafts/\n",
}
NOT_HERE = "nothing reads a dagster block here: it belongs to a model, seed, snapshot or source"
EXPECTED = [
    "dbt_project.yml:6:5: +dagster: belongs below +meta, here nothing reads it",
    "dbt_project.yml:9:21: dagster: belongs below +meta, here nothing reads it",
    f"dbt_project.yml:10:30: {NOT_HERE}",
    (
        "models/class.sql:1:1: the asset key class is a word of Dagster or Python: set another"
        " asset_key"
    ),
    "models/marts/_marts.yml:3:5: dagster: belongs below meta, here nothing reads it",
    "models/marts/_marts.yml:5:14: dagster: belongs below meta, here nothing reads it",
    f"models/marts/_marts.yml:10:25: {NOT_HERE}",
    f"models/marts/_marts.yml:12:40: {NOT_HERE}",
    "models/marts/_marts.yml:13:13: 'not_nul' is not a generic test; did you mean 'not_null'?",
    (
        "models/marts/_marts.yml:15:28: tables: 'tabel' is not a materialization; did you mean"
        " 'table'?"
    ),
    (
        "models/marts/_marts.yml:18:41: column: nothing reads it here: the model's SQL bounds its"
        " rows by the variables window_start and window_end"
    ),
    "models/marts/_marts.yml:23:15: typed: note has no data_type, which its contract needs",
    f"models/marts/_marts.yml:32:12: {NOT_HERE}",
    "models/marts/chicken.sql:1:23: chicken reads egg, which reads chicken",
    (
        "models/marts/in_config_alone.sql:1:1: in_config_alone: its contract is enforced, and no"
        " YAML names the columns"
    ),
    "models/marts/in_sql.sql:1:11: dagster: belongs below meta, here nothing reads it",
    "models/marts/views.sql:2:25: views: 'veiw' is not a materialization; did you mean 'view'?",
    "models/日本.sql:1:1: '日本' has no letters or digits to make an asset key of: set asset_key",
    (
        "tests/of_nothing.sql:1:1: the test of_nothing reads no model, seed, snapshot or source"
        " with ref() or source(): it would be a check of nothing"
    ),
    f"tests/of_right.sql:1:17: {NOT_HERE}",
]


def test_each_is_reported_at_its_place_and_no_other_file_is_read(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path)
    project.write(FILES)
    assert project.problems() == [f"dbt_project/{problem}" for problem in EXPECTED]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["models/a/b.yml", "tests/t.yaml"]),
        ({"model-paths": ["sql/", "sql/more"], "test-paths": []}, ["sql/more/d.yml", "sql/c.yml"]),
        ({"model-paths": ["."]}, ["ci/e.yml", "models/a/b.yml", "sql/c.yml", "sql/more/d.yml"]),
        ({"packages-install-path": "models/a"}, ["tests/t.yaml"]),
        ({"model-paths": "{{ env_var('X') }}"}, ["models/a/b.yml", "tests/t.yaml"]),
    ],
)
def test_dbt_project_says_where_properties_are(
    tmp_path: Path, settings: dict[str, object], found: list[str]
) -> None:
    for name in (
        "models/a/b.yml", "models/a/x.sql", "sql/c.yml", "sql/more/d.yml", "tests/t.yaml",
        "ci/e.yml", "target/f.yml", "dbt_packages/p/models/g.yml", "dbt_project.yml",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    expected = {*found, "tests/t.yaml"} if settings.get("model-paths") == ["."] else set(found)
    assert properties_files(tmp_path, settings) == sorted(expected)
