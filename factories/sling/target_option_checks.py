"""Options of the target that cannot be kept where a table is replaced."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from factories.sling.sql_variables import find_refused_variable

FULL_REFRESH, TRUNCATE = "full-refresh", "truncate"
# The table, as Sling calls it in `table_ddl`, which must have one of them or the name itself.
NAMES_IN_DDL = re.compile(r"\{\s*(object_name|object\.name|table)\s*\}")


def find_option_problems(
    options: Mapping[str, Any], mode: str, known: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the target's options that cannot be kept where the table is replaced.

    Args:
        options: Those that are set.
        mode: The stream's mode.
        known: The names of variables beside those of the table and of the time.

    Yields:
        The option, and what is wrong with it.
    """
    ddl = options.get("table_ddl") or ""
    if ddl and not ddl.startswith("file://") and '"' not in ddl and not NAMES_IN_DDL.search(ddl):
        yield "table_ddl", "table_ddl: must call the table {object_name}: Sling puts its name there"
    if mode == TRUNCATE and options.get("adjust_column_type"):
        message = (
            "adjust_column_type: mode: truncate keeps the table's types; mode: full-refresh has"
            " those of the source"
        )
        yield "adjust_column_type", message
    if mode in {FULL_REFRESH, TRUNCATE}:
        refused = find_refused_variable(options.get("post_sql") or "", known)
        if refused:
            yield "post_sql", f"post_sql: the variable {{{refused}}} is not known here"
