"""A pull request's databases, on the embedded warehouse as far as that goes: it clones none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection

from deploy.ci import databases
from deploy.ci.command import CommandError
from deploy.ci.databases import branch_databases, clone, drop, sweep
from deploy.ci.github import Repository
from deploy.ci.warehouse import Warehouse
from local_snowflake.engine.warehouse import DATABASES
from tests.conftest import WarehouseUnderTest
from tests.deploy.ci.github_api import GitHubServer

OURS = ("RAW__PR_12", "ANALYTICS__PR_12", "RAW__PR_7")
# None of a pull request's.
OTHERS = ("RAW__PR_012", "OTHER__PR_12", "RAW__PR_12_COPY", "RAW_PR_12")


@pytest.fixture(scope="module")
def session(warehouse: WarehouseUnderTest) -> Iterator[SnowflakeConnection]:
    with warehouse.connect() as connection:
        yield connection
        for name in (*OURS, *OTHERS):
            connection.cursor().execute(f"drop database if exists {name}")


@pytest.fixture
def account(session: SnowflakeConnection) -> SnowflakeConnection:
    """A session in an account that has databases of pull requests, and others."""
    for name in (*OURS, *OTHERS):
        session.cursor().execute(f"create database if not exists {name}")
    return session


def left(warehouse: WarehouseUnderTest) -> set[str]:
    return {str(row[1]) for row in warehouse.rows("show databases")} & {*OURS, *OTHERS}


def test_every_database_of_production_gets_a_clone_by_the_rule_of_targets() -> None:
    assert branch_databases(12) == {
        "RAW": "RAW__PR_12",
        "ANALYTICS": "ANALYTICS__PR_12",
        "ML": "ML__PR_12",
    }
    assert databases.PRODUCTION == DATABASES


def test_closed_pull_request_leaves_no_database(
    account: SnowflakeConnection, warehouse: WarehouseUnderTest, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that it never had is no error."""
    drop(Warehouse(account), branch_databases(12).values())

    assert left(warehouse) == {"RAW__PR_7", *OTHERS}
    assert capsys.readouterr().out.splitlines() == [
        f'drop database if exists "{name}__PR_12";' for name in ("RAW", "ANALYTICS", "ML")
    ]


def test_sweep_drops_what_closed_pull_requests_left_and_nothing_else(
    account: SnowflakeConnection,
    warehouse: WarehouseUnderTest,
    github: GitHubServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    github.pulls = [*range(100, 250), 7]

    sweep(Warehouse(account), Repository.of_workflow())

    assert left(warehouse) == {"RAW__PR_7", *OTHERS}
    assert capsys.readouterr().out.splitlines()[-1] == (
        "2 databases of closed pull requests dropped, 1 of open ones kept"
    )


def test_sweep_drops_nothing_when_github_does_not_say_what_is_open(
    account: SnowflakeConnection, warehouse: WarehouseUnderTest, github: GitHubServer
) -> None:
    github.refuses = 403

    with pytest.raises(CommandError, match="GitHub answered 403"):
        sweep(Warehouse(account), Repository.of_workflow())
    assert left(warehouse) == {*OURS, *OTHERS}


def test_warehouse_that_cannot_clone_names_the_statement(account: SnowflakeConnection) -> None:
    """As the embedded one."""
    with pytest.raises(CommandError) as raised:
        clone(Warehouse(account), "ML", "ML__PR_12")

    assert str(raised.value).startswith(
        "the warehouse refused `create database if not exists"
        ' "ML__PR_12" clone "ML" data_retention_time_in_days = 0`: '
    )
    assert "CREATE DATABASE … CLONE" in str(raised.value)


class Cloning(Warehouse):
    """The embedded warehouse, where a clone has nothing in it."""

    def ask(self, statement: str) -> list[dict[str, object]]:
        return super().ask(statement.partition(" clone ")[0])


def test_roles_may_use_a_clone_as_they_may_use_production(
    account: SnowflakeConnection, warehouse: WarehouseUnderTest
) -> None:
    """A clone has no grants on the database itself."""
    run = account.cursor().execute
    run('create role if not exists "load-er"')
    run("grant usage on database RAW__PR_7 to role analyst")
    run('grant create schema on database RAW__PR_7 to role "load-er"')
    run("grant ownership on database RAW__PR_7 to role sysadmin")

    for _push in range(2):
        clone(Cloning(account), "RAW__PR_7", "RAW__PR_12")

    rows = warehouse.rows("show grants on database RAW__PR_12")
    assert sorted((row[1], row[5]) for row in rows) == [
        ("CREATE SCHEMA", "load-er"),
        ("USAGE", "ANALYST"),
    ]


@pytest.mark.parametrize("name", ["prod", "dev", "local", "pr_0", "pr_12; drop", "PR_12", ""])
@pytest.mark.parametrize("what", ["clone", "drop"])
def test_only_a_pull_request_has_databases_to_clone_or_drop(
    monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    monkeypatch.setenv("DP_TARGET", name)

    with pytest.raises(CommandError, match="which is no pull request: it must be such as pr_12"):
        databases.main([what])


def test_other_names_than_those_that_are_swept_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_TARGET", "pr_12")
    monkeypatch.setenv("DP_DATABASE_SUFFIX", "mine")

    with pytest.raises(CommandError, match="DP_DATABASE_SUFFIX is set"):
        databases.main(["drop"])


def test_missing_settings_of_the_warehouse_are_named(
    github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_TARGET", "pr_12")

    with pytest.raises(CommandError, match=r"SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, .*PRIVATE_KEY"):
        databases.main(["drop"])
