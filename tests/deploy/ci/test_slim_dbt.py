"""Which dbt models a pull request builds, and what they read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.ci import slim_dbt
from deploy.ci.command import CommandError
from deploy.ci.dbt_state import make_manifest
from deploy.ci.slim_dbt import build, slim_command
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.environment import PLACEHOLDER
from tests.conftest import WarehouseUnderTest

ROOT = Path(__file__).parents[3]
SCHEMA = "SLIM"
# Names follow the rule of targets, as in the project of this repository.
OF_THE_PROJECT = ("dbt_project.yml", "profiles.yml", "macros/names.sql")
SOURCE = """
sources:
  - name: shop
    database: "{{ target.database | replace('ANALYTICS', 'RAW', 1) }}"
    schema: SLIM
    tables: [{name: orders}]
"""
MODELS = {
    "stg_orders": "select * from {{ source('shop', 'orders') }}",
    "customers": "select distinct customer from {{ ref('stg_orders') }}",
    "daily": "select day, count(*) as orders from {{ ref('stg_orders') }} group by day",
    "report": "select * from {{ ref('daily') }} cross join {{ ref('customers') }}",
}


class Production:
    """A dbt project, whose models production has; a pull request has databases of its own."""

    def __init__(self, root: Path, warehouse: WarehouseUnderTest) -> None:
        self.project = root / "dbt_project"
        self.warehouse = warehouse
        for name in OF_THE_PROJECT:
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "dbt_project" / name, self.project / name)
        (self.project / "models").mkdir()
        (self.project / "models" / "_sources.yml").write_text(SOURCE)
        for name, sql in MODELS.items():
            self.write(name, sql)

    def write(self, name: str, sql: str) -> None:
        config = "{{ config(schema='slim', materialized='table') }}"
        (self.project / "models" / f"{name}.sql").write_text(f"{config}\n{sql}\n")

    def built_by_the_pull_request(self) -> dict[str, str]:
        tables = "ANALYTICS__PR_31.INFORMATION_SCHEMA.TABLES"
        sql = f"select table_name, created::text from {tables} where table_schema = '{SCHEMA}'"
        return {str(name): str(created) for name, created in self.warehouse.rows(sql)}

    def rows(self, table: str) -> list[tuple[object, ...]]:
        return self.warehouse.rows(f"select * from ANALYTICS__PR_31.{SCHEMA}.{table} order by 1, 2")


@pytest.fixture(scope="module")
def production(
    warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    """Production has built all models; an earlier push of the pull request has built customers."""
    root = tmp_path_factory.mktemp("slim")
    made = Production(root, warehouse)
    for database in ("RAW__PR_31", "ANALYTICS__PR_31"):
        warehouse.rows(f"create database {database}")
    for database in ("ANALYTICS", "ANALYTICS__PR_31"):
        warehouse.rows(f"create schema {database}.{SCHEMA}")
    orders = "as select 1 as day, 'ana' as customer union all select 1, 'bo'"
    warehouse.rows(f"create table ANALYTICS.{SCHEMA}.STG_ORDERS {orders}")
    warehouse.rows(f"create table ANALYTICS.{SCHEMA}.CUSTOMERS as select 'ana' as customer")
    stale = "as select 'of an earlier push' as customer"
    warehouse.rows(f"create table ANALYTICS__PR_31.{SCHEMA}.CUSTOMERS {stale}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_TARGET", "prod")
        state = make_manifest(made.project)
        shutil.copytree(state.parent, root / "state")
    yield made
    warehouse.rows(f"drop schema ANALYTICS.{SCHEMA}")
    for database in ("RAW__PR_31", "ANALYTICS__PR_31"):
        warehouse.rows(f"drop database {database}")


def build_changes(production: Production, monkeypatch: pytest.MonkeyPatch, made: Path) -> None:
    given = production.warehouse.settings
    known = WarehouseSettings.__dataclass_fields__
    settings = WarehouseSettings(**{name: given[name] for name in known if name in given})
    monkeypatch.setenv("DP_TARGET", "pr_31")
    state = production.project.parent / "state"
    build(slim_command("build", production.project, state, made), settings)


def test_what_a_pull_request_changes_is_built_on_production(
    production: Production,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A source has another database in a pull request, and is no other source by that."""
    before = production.built_by_the_pull_request()
    production.write("daily", MODELS["daily"].replace("count(*)", "10 * count(*)"))

    build_changes(production, monkeypatch, tmp_path)

    after = production.built_by_the_pull_request()
    assert after.keys() == {"CUSTOMERS", "DAILY", "REPORT"}
    assert after["CUSTOMERS"] == before["CUSTOMERS"]
    assert production.rows("REPORT") == [(1, 20, "ana")]
    assert "PASS=2" in capsys.readouterr().out
    assert not (production.project / "target" / "manifest.json").exists()


@pytest.mark.programs
def test_command_fails_as_dbt_does(capsys: pytest.CaptureFixture[str]) -> None:
    failing = [sys.executable, "-c", "import sys; print('1 of 1 ERROR'); sys.exit(2)"]

    with pytest.raises(CommandError, match="dbt ended with 2"):
        build(failing, PLACEHOLDER)
    assert capsys.readouterr().out == "1 of 1 ERROR\n"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SNOWFLAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "acme")
    monkeypatch.setenv("SNOWFLAKE_USER", "transformation")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", "/absent.p8")
    monkeypatch.setenv("DP_TARGET", "pr_31")


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DP_TARGET": "prod"}, "DP_TARGET is 'prod', which is no pull request"),
        ({"SNOWFLAKE_USER": ""}, "needs these environment variables: SNOWFLAKE_USER"),
        ({"SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY"}, "dbt needs a key pair"),
    ],
)
def test_without_what_it_needs_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    (tmp_path / "manifest.json").write_text('{"metadata": {"dbt_schema_version": "v12"}}')
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(CommandError, match=message):
        slim_dbt.main(["--state", str(tmp_path)])


@pytest.mark.usefixtures("account")
def test_without_a_manifest_of_production_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no manifest of dbt: FileNotFoundError"):
        slim_dbt.main(["--state", str(tmp_path / "absent")])
