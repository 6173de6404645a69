"""The warehouse: whether a login works, and what it may use."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from factories.cli.doctor.findings import Finding, note, ok, problem
from factories.cli.doctor.machine import CLOCK, compare_clocks, read_http_date
from factories.core.local_systems import LocalSystemError
from factories.core.warehouse.liveness import Liveness, ask_whether_it_answers
from factories.core.warehouse.names import RAW, warehouse_names
from factories.core.warehouse.quoting import sql_identifier
from factories.core.warehouse.settings import (
    WarehouseNotRunningError,
    WarehouseSettings,
    WarehouseSettingsError,
    warehouse_settings,
)
from factories.core.yaml.variables import target

AREA = "warehouse"
ANSWER_SECONDS = 5
LOGIN_SECONDS = 10
RESTART = "`dp local down`, then `dp local up`"


def look_at_warehouse(databases: Callable[[], Collection[str]]) -> Iterator[Finding]:
    """Yield whether the target's warehouse can be used; the embedded one is not started.

    Args:
        databases: Returns those that the code locations write; called once the login has worked.
    """
    try:
        settings = warehouse_settings(start=False)
    except WarehouseNotRunningError:
        said = "the embedded warehouse does not run"
        yield note(AREA, "login", said, "`dp local up` starts it, and so does the first step")
        return
    except WarehouseSettingsError:
        yield note(AREA, "login", "not tried: settings are missing")
        return
    except LocalSystemError as error:
        yield problem(AREA, "login", str(error), "`dp local status` tells more")
        return
    yield from try_login(settings, databases)


def try_login(
    settings: WarehouseSettings, databases: Callable[[], Collection[str]]
) -> Iterator[Finding]:
    """Yield whether a server answers, a login works, and what it may use."""
    where = settings.address
    if ask_whether_it_answers(settings, ANSWER_SECONDS) is not Liveness.ANSWERS:
        fix = (
            "correct SNOWFLAKE_ACCOUNT, or let this machine reach that address; HTTPS_PROXY names a"
            " proxy"
        )
        said = f"nothing answers at {where} within {ANSWER_SECONDS} s"
        yield problem(AREA, "server", said, RESTART if target() == "local" else fix)
        return
    yield ok(AREA, "server", f"{where} answers")
    if settings.authenticator == "externalbrowser" and not settings.private_key_path:
        said = "not tried: it would open a browser"
        yield note(AREA, "login", said, "`dp sql 'select current_role()'` tries it")
        yield from _compare_http_clock(settings)
        return
    import snowflake.connector  # noqa: PLC0415 - 0.4 s

    hasty = replace(settings, login_timeout=LOGIN_SECONDS, network_timeout=LOGIN_SECONDS)
    try:
        connection = hasty.connect(warehouse_names().database(RAW))
    except (snowflake.connector.errors.Error, ValueError, TypeError, OSError) as error:
        yield _refused_login(settings, " ".join(str(error).split()))
        yield from _compare_http_clock(settings)
        return
    with closing(connection), connection.cursor() as cursor:
        yield from _look_inside(settings, cursor, databases)


def _refused_login(settings: WarehouseSettings, said: str) -> Finding:
    """Return why a login was refused, with what to do about it."""
    fix = "correct SNOWFLAKE_USER, and the key that the user has: `desc user …` shows both"
    if "JWT" in said:
        fix = (
            "give the user this key: `alter user … set rsa_public_key='…'`; and look at this"
            " machine's clock"
        )
    elif "Role" in said or "role" in said:
        fix = f"grant the role to {settings.user}, or name another in SNOWFLAKE_ROLE"
    elif target() == "local":
        fix = RESTART
    return problem(AREA, "login", f"{settings.user} at {settings.address}: {said}", fix)


def _look_inside(
    settings: WarehouseSettings, cursor: Any, databases: Callable[[], Collection[str]]
) -> Iterator[Finding]:
    before = time.time()
    cursor.execute("select current_timestamp(), current_role(), current_warehouse()")
    theirs, role, warehouse = cursor.fetchone()
    ours = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    yield ok(AREA, "login", f"{settings.user} at {settings.address}")
    yield compare_clocks("the warehouse's", theirs.astimezone(UTC), ours)
    yield _judge_role(settings, role)
    yield _judge_warehouse(settings, warehouse, cursor, role)
    for name in sorted({warehouse_names().database(RAW), *databases()}):
        if why := _refusal(cursor, f"use database {sql_identifier(name)}"):
            fix = f"create it, or `grant usage on database {name} to role {role}`"
            yield problem(AREA, f"database {name}", why, fix)
        else:
            yield ok(AREA, f"database {name}", "can be used")


def _judge_role(settings: WarehouseSettings, role: str | None) -> Finding:
    wanted = settings.role
    if role is None or (wanted is not None and role.upper() != wanted.upper()):
        said = f"the session has {role or 'none'}, not {wanted or 'one'}"
        fix = f"grant it to {settings.user}, or name another in SNOWFLAKE_ROLE"
        return problem(AREA, "role", said, fix)
    return ok(AREA, "role", role)


def _judge_warehouse(
    settings: WarehouseSettings, warehouse: str | None, cursor: Any, role: str | None
) -> Finding:
    """Return whether statements have a virtual warehouse; the session says none if it may not."""
    name = settings.warehouse or warehouse
    if name is None:
        said = "the user has no default, and none is named"
        return problem(AREA, "virtual warehouse", said, "name one in SNOWFLAKE_WAREHOUSE")
    if why := _refusal(cursor, f"use warehouse {sql_identifier(name.upper())}"):
        fix = f"`grant usage on warehouse {name} to role {role}`, or correct SNOWFLAKE_WAREHOUSE"
        return problem(AREA, "virtual warehouse", f"{name}: {why}", fix)
    return ok(AREA, "virtual warehouse", name)


def _refusal(cursor: Any, statement: str) -> str:
    import snowflake.connector  # noqa: PLC0415 - see above

    try:
        cursor.execute(statement)
    except snowflake.connector.errors.Error as error:
        return " ".join(str(error.msg or error).split())
    return ""


def _compare_http_clock(settings: WarehouseSettings) -> Iterator[Finding]:
    """Compare clocks without a login, to the second."""
    if theirs := read_http_date(settings.url, ANSWER_SECONDS):
        yield compare_clocks("the warehouse's", theirs, datetime.now(UTC))
    else:
        yield note(CLOCK, "the warehouse's", "its server does not tell the time")
