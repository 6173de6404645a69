"""Names and sources on each target."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from factories.core.warehouse.names import WarehouseNames, warehouse_names
from tests.dbt_project.dbt_runs import PROJECT, DbtProject
from tests.dbt_project.stages import Stage

if TYPE_CHECKING:
    from dbt.adapters.snowflake.connections import SnowflakeCredentials

pytestmark = pytest.mark.xdist_group("dbt_project")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DP_TARGET": "local", "DP_DATABASE_SUFFIX": "x", "DP_SCHEMA_SUFFIX": "x"},
        {"DP_TARGET": "prod", "DP_DATABASE_SUFFIX": "x", "DP_SCHEMA_SUFFIX": "x"},
        {"DP_TARGET": "dev", "DP_SCHEMA_SUFFIX": "ana.b-c"},
        {"DP_TARGET": "dev", "LOGNAME": "bo", "DP_DATABASE_SUFFIX": "x"},
        {"DP_TARGET": "dev", "LOGNAME": "", "USER": "marts_1"},
        {"DP_TARGET": "pr-12", "DP_SCHEMA_SUFFIX": "x"},
        {"DP_TARGET": "pr-12", "DP_DATABASE_SUFFIX": "analytics"},
    ],
)
def test_profile_follows_the_rule_of_all_tools(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DP_TARGET", "DP_DATABASE_SUFFIX", "DP_SCHEMA_SUFFIX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u", **environment}.items():
        monkeypatch.setenv(name, value)
    names = warehouse_names()
    given = credentials()
    assert given.database == names.database("ANALYTICS")
    assert given.schema == names.schema("MARTS")


def test_profile_gives_dbt_a_key_pair_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SNOWFLAKE_", "DBT_ENV_"))]:
        monkeypatch.delenv(name)
    values = {"ACCOUNT": "ab-cd", "USER": "loader", "PRIVATE_KEY_PATH": "/keys/k.p8", "ROLE": "R"}
    for name, value in values.items():
        monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
    monkeypatch.setenv("DP_TARGET", "prod")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "words")
    given = credentials()
    assert (given.account, given.user, given.role) == ("ab-cd", "loader", "R")
    assert (given.private_key_path, given.private_key_passphrase) == ("/keys/k.p8", "words")
    assert not any((given.password, given.authenticator, given.host, given.warehouse))
    assert (given.protocol, given.port) == ("https", 443)


def credentials() -> SnowflakeCredentials:
    """What dbt makes of profiles.yml in this environment."""
    # One process of the tests runs dbt.
    from dbt.config.runtime import load_profile  # noqa: PLC0415 - as above
    from dbt.flags import set_from_args  # noqa: PLC0415 - as above
    from dbt_common.context import set_invocation_context  # noqa: PLC0415 - as above

    set_from_args(Namespace(PROFILES_DIR=str(PROJECT)), {})
    set_invocation_context(os.environ)
    return load_profile(str(PROJECT), {}).credentials


def test_all_names_follow_the_profiles(project: DbtProject, tmp_path: Path) -> None:
    """In `dev`; the other tests work in a branch's databases."""
    elsewhere = DbtProject(PROJECT, tmp_path, project.environment, "")
    outcome = elsewhere.dbt("parse", DP_TARGET="dev", DP_SCHEMA_SUFFIX="ana b")
    assert outcome.success, outcome.error
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    names = WarehouseNames("dev", schema_suffix="__ANA_B")
    schemas = {
        *("STAGING", "INTERMEDIATE", "MARTS", "SNAPSHOTS", "SEEDS", "DBT_TEST__AUDIT"),
    }
    assert {(node["database"], node["schema"]) for node in manifest["nodes"].values()} == {
        ("ANALYTICS", names.schema(schema)) for schema in schemas
    }
    for source in manifest["sources"].values():
        relation = names.relation("RAW", source["source_name"], source["name"])
        assert (source["database"], source["schema"]) == (relation.database, relation.schema)


def test_freshness_is_that_of_the_last_load(project: DbtProject, built: Stage) -> None:
    """Flights and weather were loaded now, the calendar 35 days ago."""
    outcome = project.dbt("source", "freshness")
    assert outcome.success
    assert outcome.status == {"flights": "pass", "observations": "pass", "days": "warn"}
