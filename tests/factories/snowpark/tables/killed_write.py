"""A process that is killed while it writes a table; a fork of the tests of writes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import dagster as dg
from snowflake.snowpark import Session

from factories.definitions import read_project


def dies_at(text: str, how: str) -> Callable[..., Any]:
    """Return Snowpark's `sql`, which kills the process before or after it runs some statement."""
    sql = Session.sql

    def run(session: Session, query: str, *args: Any, **kwargs: Any) -> Any:
        if not query.startswith(text):
            return sql(session, query, *args, **kwargs)
        if how == "after":
            sql(session, query, *args, **kwargs).collect()
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return run


def materialize_until(how: str, text: str, partition: str | None) -> None:
    """Materialize all Snowpark assets, and die at the first statement that begins so."""
    _, assets = read_project(snowpark="snowpark")
    Session.sql = dies_at(text, how)  # type: ignore[method-assign]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(assets, instance=instance, partition_key=partition)
