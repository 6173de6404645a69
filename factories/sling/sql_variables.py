"""Sling's variables in the SQL of `target_options`, for what a step runs in Sling's place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

VARIABLE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
OF_OBJECT = ("object_name", "object_full_name", "object_schema", "object_table", "target_table")
TIMES = {
    "YYYY": "%Y", "YY": "%y", "MMM": "%b", "MM": "%m", "DD": "%d",
    "HH": "%H", "mm": "%M", "ss": "%S", "run_timestamp": "%Y_%m_%d_%H%M%S",
}  # fmt: skip
# Sling has more than are known here. What is none of its variables it leaves as it is.
OF_SLING = re.compile(r"(?:source|target|stream|object|timestamp)[._]\w+|DDD|hh")


def render(text: str, values: Mapping[str, str]) -> str:
    """Put values for variables, which may be written as `{object_name}` or `{object.name}`.

    Example:
        >>> render("grant select on {object_name} to role {who}", {"object_name": "S.T"})
        'grant select on S.T to role {who}'
    """
    return VARIABLE.sub(lambda match: values.get(_key(match[1]), match[0]), text)


def find_refused_variable(text: str, known: Collection[str]) -> str | None:
    """Return a variable to which Sling would give a value, and which is not known here.

    Args:
        text: SQL that runs after the load.
        known: The names of variables beside those of the table and of the time.

    Example:
        >>> find_refused_variable("call log('{stream_name}', '{MM}', '{x}')", ())
        'stream_name'
    """
    for match in VARIABLE.finditer(text):
        key = _key(match[1])
        if key in known or key in OF_OBJECT or key in TIMES:
            continue
        if OF_SLING.fullmatch(match[1]):
            return match[1]
    return None


def names_object(text: str) -> bool:
    """Tell whether a variable in a text stands for the loaded table."""
    return any(_key(match[1]) in OF_OBJECT for match in VARIABLE.finditer(text))


def stream_variables(
    name: str, source: str, stream_schema: str = "", table: str = ""
) -> dict[str, str]:
    """Return what the variables for a stream and its connections stand for.

    Args:
        name: The stream's name.
        source: The name of its connection.
        stream_schema: The schema of the source's table; empty where there is none.
        table: The source's table; empty where there is none.
    """
    values = {
        "stream_name": name.lower(),
        "source_name": source.lower(),
        "target_name": "snowflake",
    }
    for key, value in (("stream_schema", stream_schema), ("stream_table", table)):
        if value:
            values |= {key: value, f"{key}_lower": value.lower(), f"{key}_upper": value.upper()}
    return values


def time_variables() -> dict[str, str]:
    """Return what the variables for the time stand for now."""
    now = datetime.now(UTC).astimezone()  # Sling's are in the machine's zone
    return {name: now.strftime(code) for name, code in TIMES.items()}


def _key(name: str) -> str:
    return name.replace(".", "_")
