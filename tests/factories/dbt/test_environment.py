"""The environment of dbt's processes: what it finds of the target, and of nothing else."""

from __future__ import annotations

import json

import pytest

from factories.core.execution.subprocesses import environment_with
from factories.core.warehouse.settings import WarehouseSettings
from factories.dbt.environment import dbt_environment
from factories.dbt.program import TIMEOUTS


def test_what_the_connection_has_not_comes_from_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_TARGET", "prod")
    for name in ("AUTHENTICATOR", "ROLE", "HOST", "PORT", "PROTOCOL"):
        monkeypatch.setenv(f"SNOWFLAKE_{name}", "of somebody")
    monkeypatch.setenv("SNOWFLAKE_REGION", "elsewhere")

    environment = environment_with(
        dbt_environment(WarehouseSettings("ours", "service", private_key_path="/key", port=443))
    )

    found = {name: value for name, value in environment.items() if name.startswith("SNOWFLAKE_")}
    found.pop("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", None)  # the warehouse under test sets it
    assert found == {
        "SNOWFLAKE_ACCOUNT": "ours",
        "SNOWFLAKE_USER": "service",
        "SNOWFLAKE_PRIVATE_KEY_PATH": "/key",
        "SNOWFLAKE_AUTHENTICATOR": "",
        "SNOWFLAKE_ROLE": "",
        "SNOWFLAKE_WAREHOUSE": "",
        "SNOWFLAKE_PORT": "443",
        # What no connection of ours names is the person's own affair.
        "SNOWFLAKE_REGION": "elsewhere",
    }


@pytest.mark.parametrize("name", ["DBT_FULL_REFRESH", "DBT_ENGINE_SAMPLE", "DBT_TARGET"])
def test_what_a_run_builds_is_not_for_the_environment_to_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("DBT_WARN_ERROR", "1")

    environment = environment_with(dbt_environment(WarehouseSettings("ours", "service")))

    assert name not in environment
    assert environment["DBT_WARN_ERROR"] == "1"


def test_program_gets_the_timeouts_of_the_connection() -> None:
    settings = WarehouseSettings("ours", "service", login_timeout=7, statement_timeout=900)
    given = dbt_environment(settings)[TIMEOUTS]
    assert json.loads(str(given)) == {
        "login_timeout": 7,
        "socket_timeout": 60,
        "network_timeout": 900,
    }
