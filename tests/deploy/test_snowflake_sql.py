"""Snowflake's side: each statement is read, run where the embedded warehouse can, and judged."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import snowflake.connector
import sqlglot
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor
from sqlglot import exp

from deploy.snowflake.__main__ import (
    EMBEDDED_LACKS,
    SqlFileError,
    SqlStatement,
    read_statements,
    run_file,
)
from factories.core.warehouse.names import warehouse_names
from local_snowflake.process import control
from local_snowflake.target import connection_settings
from tests.conftest import QUIET, TIMEOUTS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "snowflake"
FILES = ("setup", "clone", "drop_clone", "teardown")
# What sqlglot keeps as text without reading it. It knows tables and queries; these administer an
# account, and the embedded warehouse reads them where it has the kind of object.
OPAQUE = {
    "create role": "no kind of object of sqlglot's",
    "create user": "no kind of object of sqlglot's",
    "create network policy": "no kind of object of sqlglot's",
    "create authentication policy": "no kind of object of sqlglot's",
    "create resource monitor": "no kind of object of sqlglot's",
    "alter warehouse": "sqlglot reads ALTER of tables, views and sessions",
    "alter user": "sqlglot reads ALTER of tables, views and sessions",
    "alter network policy": "sqlglot reads ALTER of tables, views and sessions",
    "alter resource monitor": "sqlglot reads ALTER of tables, views and sessions",
    "create database if not exists {} clone": "options after CLONE are unknown to it",
    "drop user": "no kind of object of sqlglot's",
    "drop network policy": "no kind of object of sqlglot's",
    "drop authentication policy": "no kind of object of sqlglot's",
    "drop resource monitor": "no kind of object of sqlglot's",
    "grant role": "sqlglot takes a role for a privilege without an object",
    "grant {} on all {} in database": "sqlglot knows no grants on ALL and FUTURE objects",
    "grant {} on future {} in database": "sqlglot knows no grants on ALL and FUTURE objects",
}
# What each role may write, and what it reads besides. DEVELOPER is ANALYST as well.
WRITES = {"INGESTION": "RAW", "TRANSFORMATION": "ANALYTICS", "ML": "ML"}
READS = {
    "INGESTION": set(),
    "TRANSFORMATION": {"RAW"},
    "ML": {"ANALYTICS"},
    "ANALYST": {"ANALYTICS", "ML"},
    "DEVELOPER": {"RAW"},
    "CI": set(),
}


@dataclass(frozen=True)
class Grant:
    """A privilege on something, or a role, for a role or a user.

    Attributes:
        privilege: One of those of the statement.
        on: The kind of what it is on: `DATABASE`, `FUTURE TABLES IN DATABASE`; empty for a role.
        name: Its name.
        to: The role, or `USER` and the user.
    """

    privilege: str
    on: str
    name: str
    to: str


def statements(name: str) -> list[SqlStatement]:
    return list(read_statements((FOLDER / f"{name}.sql").read_text()))


def grants(name: str) -> list[Grant]:
    """The grants of a file; one that is written otherwise than these fails."""
    found = []
    for statement in statements(name):
        text = " ".join(statement.text.upper().split())
        if not text.startswith("GRANT "):
            continue
        if role := re.fullmatch(r"GRANT ROLE (\w+) TO (ROLE|USER) (\w+)", text):
            found.append(Grant("ROLE", "", role[1], f"{role[2]} {role[3]}".removeprefix("ROLE ")))
            continue
        parts = re.fullmatch(
            r"GRANT ([A-Z ,]+) ON (?:(ACCOUNT)|((?:(?:ALL|FUTURE) [A-Z ]+ IN )?[A-Z]+) ([\w.]+))"
            r" TO ROLE (\w+)",
            text,
        )
        assert parts, text
        on, named = (parts[2] or parts[3]), (parts[4] or "")
        found += [Grant(each, on, named, parts[5]) for each in parts[1].split(", ")]
    return found


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeConnection]:
    """A connection to an embedded warehouse of this module's own: its databases are dropped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_LOCAL_DIR", str(tmp_path_factory.mktemp("account")))
        patch.setenv("DP_TARGET", "local")
        patch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
        without_database = {**connection_settings(), "database": "", "schema": ""}
        with snowflake.connector.connect(**{**without_database, **TIMEOUTS, **QUIET}) as opened:
            yield opened
        control.stop()


def ask(account: SnowflakeConnection, sql: str) -> list[dict[str, object]]:
    """The rows of a statement."""
    return account.cursor(DictCursor).execute(sql).fetchall()


@pytest.mark.parametrize("name", FILES)
def test_sqlglot_reads_every_statement_but_those_that_it_does_not_know(name: str) -> None:
    known = [re.compile(words.replace("{}", r"[\w ,.]+?") + r"\b") for words in OPAQUE]
    for statement in statements(name):
        (tree,) = sqlglot.parse(statement.text, read="snowflake")
        plain = " ".join(statement.text.lower().split())
        listed = any(words.match(plain) for words in known)
        assert isinstance(tree, exp.Command) == listed, plain


def test_everything_that_sqlglot_does_not_know_is_in_the_files() -> None:
    texts = [" ".join(each.text.lower().split()) for name in FILES for each in statements(name)]
    for words in OPAQUE:
        pattern = re.compile(words.replace("{}", r"[\w ,.]+?") + r"\b")
        assert any(map(pattern.match, texts)), words


def test_a_file_is_read_into_statements_with_their_lines() -> None:
    text = (
        "-- one; two\nuse role a;\n\ncreate role b -- of; people\n    comment = 'a;''b';\n-- end\n"
    )
    assert list(read_statements(text)) == [
        SqlStatement("use role a", 2),
        SqlStatement("create role b \n    comment = 'a;''b'", 4),
    ]
    with pytest.raises(SqlFileError, match="no semicolon"):
        list(read_statements("use role a;\nuse role b"))


def test_placeholders_of_keys_are_refused_on_snowflake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DP_TARGET", "prod")
    found = [each for each in statements("setup") if "'THE PUBLIC KEY OF" in each.text]
    lines = ", ".join(str(each.line) for each in found)
    assert len(found) == 4
    with pytest.raises(SqlFileError, match=f"public keys first, in the statements of {lines}$"):
        run_file(FOLDER / "setup.sql")


def test_setup_runs_twice_then_a_clone_and_teardown_leaves_nothing(
    account: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the embedded warehouse; what it lacks is left out by name, and nothing else is."""

    def run(name: str) -> list[str]:
        run_file(FOLDER / f"{name}.sql")
        return capsys.readouterr().out.splitlines()

    kinds = ("roles", "warehouses", "users", "resource monitors", "network policies", "databases")

    def names() -> dict[str, set[object]]:
        return {kind: {row["name"] for row in ask(account, f"show {kind}")} for kind in kinds}

    ran = {"setup": run("setup")}
    made = names()
    assert made["users"] == {*WRITES, "CI"}
    assert made["warehouses"] == {"LOADING", "TRANSFORMING", "ML", "EXPLORING"}
    assert made["resource monitors"] == made["network policies"] == {"PLATFORM"}
    assert made["databases"] >= {*WRITES.values(), "PLATFORM"}
    assert made["roles"] > READS.keys()
    shown = ask(account, "show grants to role ingestion")
    of_role = [(row["privilege"], row["name"]) for row in shown if row["granted_to"] == "ROLE"]
    assert sorted(of_role) == [("CREATE SCHEMA", "RAW"), ("USAGE", "LOADING"), ("USAGE", "RAW")]
    assert run("setup") == ran["setup"]
    assert names() == made
    ran |= {name: run(name) for name in ("clone", "drop_clone", "teardown")}
    left = names()
    assert not left["roles"] & READS.keys()
    assert not left["databases"] & {*WRITES.values(), "PLATFORM"}
    assert not any(left[kind] for kind in kinds if kind not in {"roles", "databases"})
    left_out = [line for lines in ran.values() for line in lines if "left out" in line]
    assert len(left_out) == 5  # the policy, made and dropped, and three clones
    assert {line.partition("warehouse: ")[2] for line in left_out} == set(EMBEDDED_LACKS.values())


def test_a_refused_statement_ends_the_command_with_its_line(
    account: SnowflakeConnection, tmp_path: Path
) -> None:
    assert account
    (tmp_path / "wrong.sql").write_text(
        "use role ci;\n\n-- gone\ndrop role nobody;\nuse role ml;\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "deploy.snowflake", str(tmp_path / "wrong.sql")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "target: local",
        "wrong.sql:1: use role ci",
        "wrong.sql:4: drop role nobody",
    ]
    assert "wrong.sql:4: " in done.stderr
    assert "'NOBODY' does not exist" in done.stderr


def test_what_the_embedded_warehouse_lacks_it_does_refuse(account: SnowflakeConnection) -> None:
    """What it has learned since is to be taken out of the list."""
    for name in FILES:
        for statement in statements(name):
            if statement.missing_here:
                with pytest.raises(snowflake.connector.ProgrammingError):
                    ask(account, statement.text)


def test_each_location_creates_schemas_in_its_database_alone() -> None:
    found = {(each.to, each.name) for each in grants("setup") if each.privilege == "CREATE SCHEMA"}
    people = {("DEVELOPER", database) for database in WRITES.values()}
    assert found == set(WRITES.items()) | people


def test_nobody_gets_what_lets_him_write_elsewhere() -> None:
    """Beside CREATE SCHEMA: each privilege that is more than reading has its place here."""
    reading = {"USAGE", "SELECT", "ROLE", "CREATE SCHEMA"}
    more = {
        (each.to, each.on, each.name) for each in grants("setup") if each.privilege not in reading
    }
    assert more == {
        ("ML", "SCHEMA", "ML.PUBLIC"),  # what Snowpark keeps there is temporary
        ("DEVELOPER", "SCHEMA", "ML.PUBLIC"),
        ("CI", "ACCOUNT", ""),
        ("CI", "STAGE", "PLATFORM.CI.STATE"),
    }
    account_wide = [each for each in grants("setup") if each.on == "ACCOUNT"]
    assert [each.privilege for each in account_wide] == ["CREATE DATABASE"]


def test_each_role_reads_what_it_should_now_and_later() -> None:
    found = grants("setup")
    for role, databases in READS.items():
        of_role = [each for each in found if each.to == role]
        reads = {each.name for each in of_role if each.privilege == "SELECT"}
        assert reads == databases, role
        for database in databases:
            scopes = {each.on for each in of_role if each.name == database}
            assert {"DATABASE", "ALL SCHEMAS IN DATABASE", "FUTURE SCHEMAS IN DATABASE"} <= scopes
            # What may be read now may be read later, and the other way round.
            now = {on.removeprefix("ALL ") for on in scopes if on.startswith("ALL ")}
            later = {on.removeprefix("FUTURE ") for on in scopes if on.startswith("FUTURE ")}
            assert now == later
            assert {"TABLES IN DATABASE", "VIEWS IN DATABASE"} <= now


def test_roles_hold_no_other_role_and_each_service_user_has_one() -> None:
    held = [(each.to, each.name) for each in grants("setup") if each.privilege == "ROLE"]
    to_roles = {(to, name) for to, name in held if not to.startswith("USER") and to != "SYSADMIN"}
    assert to_roles == {("DEVELOPER", "ANALYST")}
    services = [*WRITES, "CI"]
    assert sorted((to, name) for to, name in held if to.startswith("USER")) == sorted(
        (f"USER {name}", name) for name in services
    )
    for name in services:
        (settings,) = (
            " ".join(each.text.split())
            for each in statements("setup")
            if each.text.startswith(f"alter user {name.lower()} set\n")
        )
        assert f"default_role = {name.lower()} default_secondary_roles = ()" in settings
        assert f"rsa_public_key = 'THE PUBLIC KEY OF {name}'" in settings


def test_each_warehouse_stops_by_itself_and_limits_what_it_costs() -> None:
    texts = [" ".join(each.text.split()) for each in statements("setup")]
    made = [text.split()[5] for text in texts if text.startswith("create warehouse")]
    assert len(made) == 4
    for name in made:
        settings = " ".join(
            text for text in texts if text.startswith(f"alter warehouse {name} set")
        )
        assert "auto_suspend = 60" in settings
        assert "auto_resume = true" in settings
        assert re.search(r"statement_timeout_in_seconds = \d+", settings)
        assert "resource_monitor = platform" in settings


def test_teardown_drops_whatever_setup_creates() -> None:
    def named(name: str, verb: str) -> set[str]:
        texts = (" ".join(each.text.split()) for each in statements(name))
        pattern = re.compile(rf"{verb} (.+?) if (?:not )?exists ([\w.]+)")
        found = (pattern.match(text) for text in texts)
        return {f"{each[1]} {each[2]}" for each in found if each}

    made, dropped = named("setup", "create"), named("teardown", "drop")
    within_database = {each for each in made if each.startswith(("schema ", "stage "))}
    assert made - within_database == dropped


def test_a_clone_is_named_as_its_target_and_has_the_grants_of_what_it_clones() -> None:
    """A clone keeps the grants on what is in a database, and loses those on the database itself."""
    names = warehouse_names({"DP_TARGET": "pr_12"})
    databases = {names.database(name): name for name in WRITES.values()}
    texts = [" ".join(each.text.upper().split()) for each in statements("clone")]
    clones = [text.split()[5:8] for text in texts if " CLONE " in text]
    assert clones == [[new, "CLONE", old] for new, old in databases.items()]
    cloned = {(each.privilege, databases[each.name], each.to) for each in grants("clone")}
    assert cloned == {
        (each.privilege, each.name, each.to)
        for each in grants("setup")
        if each.on == "DATABASE" and each.name in databases.values()
    }
    dropped = [each.text.upper().split()[-1] for each in statements("drop_clone")[1:]]
    assert dropped == list(databases)
