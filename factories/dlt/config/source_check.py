"""The keys `source` and `config` of a pipeline file, checked by dlt's rules while loading.

The checks import dlt, which takes a third of a second; so they are imported where they are used.
Nothing connects to anything, and no `${VAR}` needs a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import KeyPath, YamlFile
from factories.dlt.config.rest_entries import entry_names

# ruff: noqa: PLC0415 - see above


def source_problems(file: YamlFile, source: Mapping[str, Any], folder: Path) -> Iterator[Problem]:
    """Yield every mistake in a pipeline's source.

    Args:
        file: The pipeline file.
        source: The value of its key `source`, with exactly one of the kinds `rest_api`,
            `sql_database`, `filesystem` and `python`.
        folder: The pipelines' folder, in which the modules of Python sources are looked for.
    """
    from factories.dlt.config.checking.places import Place, passwords_in_urls

    place = Place(file, ("source",))
    if "rest_api" in source:
        from factories.dlt.config.checking.rest_api import rest_api_problems

        yield from rest_api_problems(source["rest_api"], place["rest_api"])
    elif "sql_database" in source:
        from factories.dlt.config.checking.sql_database import sql_database_problems

        yield from sql_database_problems(source["sql_database"], place["sql_database"])
    elif "filesystem" in source:
        from factories.dlt.config.checking.filesystem import filesystem_problems

        yield from filesystem_problems(source["filesystem"], place["filesystem"])
    elif "python" in source:
        from factories.dlt.config.checking.python import python_problems

        yield from python_problems(source, place, folder)
    yield from passwords_in_urls(source, place)


def cursor_problems(
    file: YamlFile, defaults: Mapping[str, Any], resources: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield each `cursor_path` that is no JSON path, which all but a database's must be.

    Args:
        file: The pipeline file.
        defaults: The value of its key `defaults`.
        resources: The value of its key `resources`.
    """
    from factories.dlt.config.checking.values import json_path_error

    places: list[tuple[KeyPath, Any]] = [(["defaults"], defaults)]
    places += [(["resources", name], given) for name, given in resources.items()]
    for at, settings in places:
        cursor = settings.get("incremental") if isinstance(settings, Mapping) else None
        path = cursor.get("cursor_path") if isinstance(cursor, Mapping) else None
        if isinstance(path, str) and (error := json_path_error(path)):
            quoted = path.replace('"', '\\"')
            yield file.problem(
                [*at, "incremental", "cursor_path"],
                f"cursor_path: {path!r} is not a JSON path: {error}; a name with other characters"
                f" than letters, digits and _ has quotes of its own: '\"{quoted}\"'",
            )


def resource_names(source: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names of the resources that a source declares itself.

    Args:
        source: The value of the key `source`; it may have mistakes.

    Returns:
        The names in the file's order; None when they cannot be known: a source in Python has what
        it has, and a database also every table that its `resources` do not list.
    """
    for kind in ("rest_api", "filesystem"):
        if isinstance(source.get(kind), Mapping):
            return tuple(dict.fromkeys(entry_names(source[kind])))
    return None


def config_problems(file: YamlFile, config: Any, at: KeyPath) -> Iterator[Problem]:
    """Yield every mistake in settings of dlt, in the sections that its `config.toml` has.

    Args:
        file: The pipeline file.
        config: The settings: a mapping of `runtime`, `extract`, `normalize`, `load` and
            `data_writer`.
        at: Where they stand in the file.
    """
    from factories.dlt.config.checking.places import Place
    from factories.dlt.config.checking.settings import settings_problems

    yield from settings_problems(config, Place(file, tuple(at)))
