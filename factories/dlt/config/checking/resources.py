"""The lists `resources` of the database and the file source, and what stands elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable
from factories.dlt.config.checking.values import OF_PYTHON, Check

_OF_RESOURCE = "belongs to the resource, under the file's own `resources`"
_OF_FILE = "is not needed: the file's own `resources` say which tables are loaded"

# Arguments of dlt's resources that do not stand under `source`, and why.
ELSEWHERE = {
    "incremental": _OF_RESOURCE,
    "write_disposition": _OF_RESOURCE,
    "primary_key": _OF_RESOURCE,
    "merge_key": _OF_RESOURCE,
    "table": "belongs to an entry of `resources`",
    "table_names": _OF_FILE,
    "tables": _OF_FILE,
    "extract_content": "is not needed: a reader reads the files",
    "metadata": OF_PYTHON,
    "table_adapter_callback": OF_PYTHON,
    "type_adapter_callback": OF_PYTHON,
    "query_adapter_callback": OF_PYTHON,
    "engine_adapter_callback": OF_PYTHON,
    "table_loader_class": OF_PYTHON,
}


def resource_list_problems(resources: Any, place: Place, check: Check) -> Iterator[Problem]:
    """Yield what is wrong with a list of resources: their names, and what `check` finds in each."""
    if not isinstance(resources, list):
        yield place.problem(f"{place.name}: must be a list, not {format_value(resources)}")
        return
    if not resources:
        yield place.problem(f"{place.name}: must not be empty")
    seen: set[str] = set()
    for index, resource in enumerate(resources):
        at = place[index]
        if not isinstance(resource, Mapping):
            yield at.problem(f"{at.name}: must be a mapping, not {format_value(resource)}")
            continue
        yield from check(resource, at)
        if "name" not in resource:
            yield at.missing_key("name")
        elif isinstance(resource["name"], str):
            yield from name_problems(resource["name"], at["name"], seen)


def name_problems(name: str, place: Place, seen: set[str]) -> Iterator[Problem]:
    """Yield what is wrong with a resource's name; `seen` holds those before it."""
    if has_variable(name):
        message = (
            f"{place.name}: must be written here: a ${{VAR}} is known only when something runs"
        )
        yield place.problem(message)
    elif not name:
        yield place.problem(f"{place.name}: must not be empty")
    elif name in seen:
        yield place.problem(f"the resource {name!r} is defined twice")
    seen.add(name)
