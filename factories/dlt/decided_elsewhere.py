"""What a declarative API's own configuration may not say, for the file's `resources` decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import KeyPath, YamlFile

# What the file's own `resources` decide, by default too: here it would have no effect.
DECIDED_ELSEWHERE = ("write_disposition", "table_name")


def decided_elsewhere(rest_api: Any, file: YamlFile) -> Iterator[Problem]:
    """Yield a problem for each key that would silently give way to the file's own `resources`.

    Args:
        rest_api: The value of `source.rest_api`; it may have mistakes.
        file: The pipeline file.
    """
    config = rest_api if isinstance(rest_api, Mapping) else {}
    entries = config.get("resources")
    places: list[tuple[KeyPath, Any]] = [(["resource_defaults"], config.get("resource_defaults"))]
    places += [
        (["resources", index], entry)
        for index, entry in enumerate(entries if isinstance(entries, list) else [])
    ]
    for path, entry in places:
        for key in DECIDED_ELSEWHERE:
            if isinstance(entry, Mapping) and entry.get(key) is not None:
                yield file.problem(
                    ["source", "rest_api", *path, key],
                    f"{key!r} belongs to the resource, under the file's own `resources`",
                    at_key=True,
                )
