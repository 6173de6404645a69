"""Which driver reads a database."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from typing import Any

POSTGRES = re.compile(r"^postgres(ql)?(?=://|$)")


def with_installed_driver(credentials: Any) -> Any:
    """Return a database's URL, or its parts, such that SQLAlchemy finds PostgreSQL's driver.

    SQLAlchemy 2.1 takes `postgresql://` for psycopg 3, also where psycopg2 alone is installed, and
    does not know `postgres://`, which other tools write.
    """
    with_psycopg = importlib.util.find_spec("psycopg") or not importlib.util.find_spec("psycopg2")
    driver = "postgresql" if with_psycopg else "postgresql+psycopg2"
    if isinstance(credentials, str):
        return POSTGRES.sub(driver, credentials)
    if isinstance(credentials, Mapping) and isinstance(name := credentials.get("drivername"), str):
        return {**credentials, "drivername": POSTGRES.sub(driver, name)}
    return credentials
