"""dbt on the embedded warehouse: three builds of a small project.

The builds are the fixture; each test looks at what one part of the project left, or runs another
command of dbt's.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from snowflake.connector.cursor import SnowflakeCursor

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

pytestmark = pytest.mark.xdist_group("dbt_on_local_snowflake")  # built once, in one process

FILES = {
    "dbt_project.yml": """
name: tiny
version: "1.0.0"
profile: tiny
flags: {send_anonymous_usage_stats: false}
models: {+query_tag: tiny, +persist_docs: {relation: true, columns: true}}
seeds: {+schema: seeds}
""",
    "profiles.yml": """
tiny:
  target: local
  outputs:
    local:
      type: snowflake
      account: "{{ env_var('DBT_TEST_ACCOUNT') }}"
      user: "{{ env_var('DBT_TEST_USER') }}"
      password: "{{ env_var('DBT_ENV_SECRET_TEST') }}"
      host: "{{ env_var('DBT_TEST_HOST') }}"
      port: "{{ env_var('DBT_TEST_PORT') | int }}"
      protocol: http
      warehouse: WH
      role: LOADER
      database: "{{ env_var('DBT_TEST_DATABASE') }}"
      schema: DBT
      threads: 2
      query_tag: from_profile
""",
    "seeds/carriers.csv": "code,name,since\nAA,American,1930-04-15\nDL,Delta's,1929-06-17\n",
    "models/stg_carriers.sql": """
{{ config(materialized='view') }}
select code, name, since from {{ ref('carriers') }}
""",
    "models/carriers_table.sql": """
{{ config(materialized='table', contract={'enforced': true}, grants={'select': ['reader']}) }}
select code, name, since, 1.5::number(10, 2) as fee from {{ ref('stg_carriers') }}
""",
    "models/merged.sql": """
{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge',
          on_schema_change='append_new_columns', grants={'select': ['reader']}) }}
select column1 as id, 'v{{ env_var("DBT_TEST_RUN") }}' as v
{% if env_var('DBT_TEST_RUN') == '3' %}, 'new' as extra {% endif %}
from values (1), ({{ env_var('DBT_TEST_RUN') }} + 10)
""",
    "models/replaced.sql": """
{{ config(materialized='incremental', unique_key='id', incremental_strategy='delete+insert') }}
select column1 as id, 'v{{ env_var("DBT_TEST_RUN") }}' as v
from values (1), ({{ env_var('DBT_TEST_RUN') }} + 10)
""",
    "models/schema.yml": """
version: 2
sources:
  - name: loaded
    schema: DBT_SEEDS
    tables:
      - name: carriers
        config: {freshness: {error_after: {count: 1, period: hour}}}
models:
  - name: carriers_table
    description: The carriers' table
    columns:
      - name: code
        description: it's a code
        data_type: varchar
        constraints: [{type: not_null}, {type: primary_key, warn_unenforced: false}]
        data_tests: [unique, not_null]
      - {name: name, data_type: varchar}
      - {name: since, data_type: date}
      - {name: fee, data_type: "number(10,2)"}
  - name: stg_carriers
    columns:
      - name: code
        data_tests:
          - relationships: {arguments: {to: ref('carriers_table'), field: code}}
          - accepted_values: {arguments: {values: [AA, DL]}}
""",
    "snapshots/history.sql": """
{% snapshot history %}
{{ config(unique_key='id', strategy='check', check_cols=['v'], hard_deletes='invalidate') }}
select column1 as id, 'v{{ env_var("DBT_TEST_RUN") }}' as v
from values (1), ({{ env_var('DBT_TEST_RUN') }} + 10)
{% endsnapshot %}
""",
}


@pytest.fixture(scope="module")
def project(warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the project, which was built three times."""
    project = tmp_path_factory.mktemp("dbt")
    for name, text in FILES.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    database = f"DBT_{uuid.uuid4().hex[:8]}".upper()
    warehouse.rows(f"create database {database}")
    settings = warehouse.settings
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name in ("account", "user", "host", "port"):
            patch.setenv(f"DBT_TEST_{name.upper()}", str(settings[name]))
        patch.setenv("DBT_ENV_SECRET_TEST", str(settings["password"]))
        patch.setenv("DBT_TEST_DATABASE", database)
        for run in (1, 2, 3):
            # Not --vars: dbt would parse the whole project again.
            patch.setenv("DBT_TEST_RUN", str(run))
            result = dbt(project, "build")
            problems = [
                f"{r.node.name}: {r.message}" for r in result.result or () if r.status != "success"
            ]
            assert result.success, f"{problems} {result.exception}"
        yield project
    warehouse.rows(f"drop database {database}")


@pytest.fixture(scope="module")
def cursor(warehouse, project: Path) -> Iterator[SnowflakeCursor]:
    """A cursor in the schema that three builds have filled."""
    with warehouse.connect(database=os.environ["DBT_TEST_DATABASE"], schema="DBT") as connection:
        yield connection.cursor()


def dbt(project: Path, *command: str) -> dbtRunnerResult:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - one process of the tests runs dbt

    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    return dbtRunner().invoke([*command, *folders, "--quiet", "--no-use-colors"])


def test_merge_updates_inserts_and_adds_columns(cursor):
    cursor.execute("select id, v, extra from merged order by id")
    assert cursor.fetchall() == [
        *((1, "v3", "new"), (11, "v1", None), (12, "v2", None), (13, "v3", "new"))
    ]


def test_delete_and_insert_replaces(cursor):
    cursor.execute("select id, v from replaced order by id")
    assert cursor.fetchall() == [(1, "v3"), (11, "v1"), (12, "v2"), (13, "v3")]


def test_snapshot_keeps_every_version(cursor):
    cursor.execute("select id, v, dbt_valid_to is null from history order by id, dbt_valid_from")
    assert cursor.fetchall() == [
        *((1, "v1", False), (1, "v2", False), (1, "v3", True)),
        *((11, "v1", False), (12, "v2", False), (13, "v3", True)),
    ]


def test_contract_constraints_and_comments_are_in_the_table(cursor):
    described = {row[0]: row for row in cursor.execute("describe table carriers_table").fetchall()}
    assert [row[1] for row in described.values()] == [
        *("VARCHAR(16777216)", "VARCHAR(16777216)", "DATE", "NUMBER(10,2)")
    ]
    code = described["CODE"]
    assert (code[3], code[5], code[9]) == ("N", "Y", "it's a code")
    cursor.execute("select comment from information_schema.tables where table_name like 'CARR%E'")
    assert cursor.fetchone() == ("The carriers' table",)


def test_seed_has_the_types_that_dbt_found(cursor):
    cursor.execute("select code, name, since from dbt_seeds.carriers order by code")
    assert [str(value) for value in cursor.fetchall()[1]] == ["DL", "Delta's", "1929-06-17"]


@pytest.mark.parametrize("table", ["carriers_table", "merged"])
def test_grants_are_made_once(cursor, table):
    cursor.execute(f"show grants on table {table}")
    assert [(row[1], row[5]) for row in cursor.fetchall()] == [("SELECT", "READER")]


def test_nothing_temporary_is_left(cursor):
    cursor.execute("show objects in schema dbt")
    assert sorted(row[1] for row in cursor.fetchall()) == [
        *("CARRIERS_TABLE", "HISTORY", "MERGED", "REPLACED", "STG_CARRIERS")
    ]


def test_freshness_of_a_source_is_read_from_the_warehouse(project):
    result = dbt(project, "source", "freshness")
    assert [str(source.status) for source in result.result] == ["pass"], result.exception
    assert result.result[0].age < 3600


def test_docs_have_the_tables_with_their_columns_and_times(project):
    result = dbt(project, "docs", "generate")
    assert result.success, result.exception
    catalog = json.loads((project / "target" / "catalog.json").read_text())
    assert not catalog["errors"]
    table = catalog["nodes"]["model.tiny.carriers_table"]
    assert list(table["columns"]) == ["CODE", "NAME", "SINCE", "FEE"]
    changed = table["stats"]["last_modified"]["value"]
    assert changed.endswith("UTC")
    age = datetime.now(UTC) - datetime.fromisoformat(changed.replace("UTC", "+00:00"))
    assert age < timedelta(hours=1)
    assert "source.tiny.loaded.carriers" in catalog["sources"]
