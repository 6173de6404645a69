"""What `dp doctor` says of a warehouse: the embedded one, reached with right and wrong settings."""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from factories.cli.doctor.findings import Finding
from factories.cli.doctor.machine import read_http_date
from factories.cli.doctor.warehouse import look_at_warehouse, try_login
from factories.core.warehouse.settings import WarehouseSettings, warehouse_settings
from tests.conftest import WarehouseUnderTest


@pytest.fixture
def settings(warehouse: WarehouseUnderTest) -> WarehouseSettings:
    assert warehouse
    return warehouse_settings()


def look(settings: WarehouseSettings, databases: Collection[str] = ()) -> dict[str, Finding]:
    return {each.what: each for each in try_login(settings, lambda: databases)}


def test_a_login_tells_role_warehouse_databases_and_clock(settings: WarehouseSettings) -> None:
    found = look(settings, ["ANALYTICS", "NOWHERE"])

    missing = found.pop("database NOWHERE")
    assert {what: each.state for what, each in found.items()} == dict.fromkeys(
        [
            "server", "login", "the warehouse's", "role", "virtual warehouse",
            "database ANALYTICS", "database RAW",
        ],
        "ok",
    )  # fmt: skip
    assert found["login"].said == f"dp at {settings.address}"
    assert missing.state == "problem"
    assert "NOWHERE" in missing.said
    assert "grant usage on database NOWHERE to role SYSADMIN" in missing.fix


def test_a_wrong_password_is_a_problem_of_the_login(settings: WarehouseSettings) -> None:
    found = look(replace(settings, password="wr0ng"))

    assert found["server"].state == "ok"
    assert found["login"].state == "problem"
    assert "ncorrect username or password" in found["login"].said
    assert found["the warehouse's"].state == "ok"  # by the Date of its server
    assert "wr0ng" not in str(found)


def test_a_port_where_nothing_listens_is_a_problem_of_the_server(
    settings: WarehouseSettings,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        found = look(replace(settings, port=taken.getsockname()[1]))

    assert [*found] == ["server"]
    assert found["server"].state == "problem"
    assert "nothing answers at 127.0.0.1:" in found["server"].said


def test_a_login_by_browser_is_not_tried(settings: WarehouseSettings) -> None:
    found = look(replace(settings, authenticator="externalbrowser"))

    assert found["login"].state == "note"
    assert "dp sql" in found["login"].fix
    assert found["the warehouse's"].state == "ok"


def test_a_warehouse_that_does_not_run_is_told_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_TARGET", "local")
    monkeypatch.setenv("DP_LOCAL_DIR", str(tmp_path / "local"))

    (found,) = look_at_warehouse(lambda: ())

    assert found.state == "note"
    assert "`dp local up` starts it" in found.fix
    assert not (tmp_path / "local").exists()


def test_a_server_without_http_tells_no_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert read_http_date(f"http://127.0.0.1:{listener.getsockname()[1]}", 0.1) is None
