"""`python -P -m factories.dbt.program …`: the `dbt` command, with timeouts and a quieter collector.

dbt-snowflake 1.11 opens its connections without timeouts, and no key of a profile sets them: the
connector then repeats for ever what the server does not answer.

A parsed project is a million objects that live to the end. Python's collector goes through them
again and again and finds nothing: without that, dbt has read a parsed project in three quarters of
the time.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import suppress

from factories.core.warehouse.connector_internals import set_default_timeouts

TIMEOUTS = "DP_DBT_CONNECTOR_TIMEOUTS"  # the variable that holds them, as JSON
ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000


def dbt_program() -> list[str]:
    """Return the beginning of a command line of dbt, in this environment.

    `-P` keeps Python from importing what lies in the project's folder.
    """
    return [sys.executable, "-P", "-m", "factories.dbt.program"]


def main() -> None:
    """Be dbt."""
    gc.disable()
    try:
        from dbt.cli.main import cli  # noqa: PLC0415 - while nothing is collected
    except ModuleNotFoundError:
        sys.exit("this environment has no dbt: `make setup` installs it")
    with suppress(ModuleNotFoundError):  # dbt for another warehouse
        set_default_timeouts(json.loads(os.environ.get(TIMEOUTS, "{}")))
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    gc.enable()
    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
