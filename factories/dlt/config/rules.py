"""What must hold between the keys of a pipeline file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from factories.core.dagster_internals import is_reconstruction
from factories.core.yaml import variables
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath, YamlFile
from factories.core.yaml.validation import format_value
from factories.dlt.config.rest_entries import with_cursors
from factories.dlt.config.schema import (
    SOURCE_KINDS,
    TABLE_NAME,
    DltResource,
    Incremental,
    PipelineFile,
)
from factories.dlt.config.source_check import (
    config_problems,
    cursor_problems,
    resource_names,
    source_problems,
)

# Where a `${VAR}` gets its value, when something runs.
INTERPOLATED = ("source", "config")
# What the file's own `resources` decide, by default too: here it would have no effect.
SETTINGS_OF_RESOURCES = ("write_disposition", "table_name")


def check_pipeline(model: PipelineFile, file: YamlFile, problems: list[Problem]) -> None:
    """Report names that dlt, or the warehouse, would change, and what is not a source."""
    kinds = [kind for kind in SOURCE_KINDS if kind in model.source]
    if len(kinds) != 1 and "source" in file.data:
        message = f"source: exactly one of {', '.join(SOURCE_KINDS)}, not {len(kinds)}"
        problems.append(file.problem(["source"], message))
    allowed = ["python", "args"] if "python" in model.source else list(SOURCE_KINDS)
    for key in model.source:
        if key not in allowed and not (len(kinds) > 1 and key in kinds):
            near = nearest(key, allowed)
            problem = file.problem(
                ["source", key], f"unknown key {key!r}", allowed=allowed, nearest=near, at_key=True
            )
            problems.append(problem)
    for key, name in (("pipeline", model.pipeline), ("dataset", model.dataset)):
        if isinstance(file.data.get(key), str) and not TABLE_NAME.fullmatch(name):
            message = f"{key}: {name!r} must be lower-case words of letters and digits, joined by _"
            problems.append(file.problem([key], message))


def _means_cursor(settings: Mapping[str, Any]) -> bool:
    """Tell whether a resource has `incremental`; that it is misspelt is reported elsewhere."""
    known = DltResource.model_fields
    return any(
        key == "incremental"
        or key in Incremental.model_fields
        or (key not in known and nearest(str(key), known) == "incremental")
        for key, value in settings.items()
        if value is not None
    )


def without_settings(file: YamlFile, problems: list[Problem]) -> Any:
    """Return a file's content without the settings that stand among its resources, reported here.

    One that is indented as much as its resource would be read as the next resource.
    """
    resources = file.data.get("resources")
    if not isinstance(resources, dict):
        return file.data
    wrong = [
        key
        for key, value in resources.items()
        if key in DltResource.model_fields and not isinstance(value, dict | None)
    ]
    for key in wrong:
        message = f"{key!r} is a setting of a resource: indent it below the resource's name"
        problems.append(file.problem(["resources", key], message, at_key=True))
    kept = {key: value for key, value in resources.items() if key not in wrong}
    return {**file.data, "resources": kept} if wrong and kept else file.data


def check_variables(file: YamlFile, problems: list[Problem]) -> None:
    """Report `${VAR}`s that will have no value, and those that nothing would read."""
    for key in INTERPOLATED:
        variables.check(file, file.data.get(key), [key], problems)
    settings = {key: file.data.get(key) for key in ("defaults", "resources")}
    for path, name in variables.names(settings):
        of_resource = path[1:] if path[0] == "defaults" else path[2:]
        if of_resource[:1] != ("meta",):  # which has rules of its own
            message = f"${{{name}}}: {path[0]} take no variables: write the value"
            problems.append(file.problem(path, message))


def check_source(
    model: PipelineFile, file: YamlFile, folder: Path, problems: list[Problem]
) -> None:
    """Report what is wrong within dlt's own configuration.

    dlt checks it, whose import a step of another tool need not pay: what a run reads was checked
    when the code location was loaded.
    """
    if is_reconstruction():
        return
    problems.extend(config_problems(file, model.config, ["config"]))
    if sum(kind in model.source for kind in SOURCE_KINDS) != 1:
        return  # which of them was meant is not known
    wrong = list(_keys_that_are_no_text(file, model.source))
    problems.extend(wrong)
    if not wrong:
        problems.extend(source_problems(file, _with_cursors(model), folder))
    if "sql_database" not in model.source:
        problems.extend(cursor_problems(file, model.defaults, model.resources))
    problems.extend(conflicting_settings(model.source.get("rest_api"), file))
    known = resource_names(model.source)
    if not known:
        return
    for name in model.resources:
        if name not in known:
            message = f"{name!r} is not among the resources of the source"
            problems.append(
                file.problem(
                    ["resources", name],
                    message,
                    allowed=known,
                    nearest=nearest(name, known),
                    at_key=True,
                )
            )


def _keys_that_are_no_text(file: YamlFile, source: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each key of a source that YAML reads as a number, a boolean or null.

    dlt and HTTP know text alone. A function's arguments may hold any mapping, and so may those of
    pandas, whose columns have numbers for names where a file has no header.
    """
    deepest = {"rest_api": None, "sql_database": None, "filesystem": 3, "args": 1}
    for kind, depth in deepest.items():
        yield from _no_text_below(file, source.get(kind), ["source", kind], depth)


def _no_text_below(
    file: YamlFile, value: Any, path: list[str | int], depth: int | None
) -> Iterator[Problem]:
    """Yield the problems of so many levels of mappings and lists; without a depth, of all."""
    if depth == 0 or not isinstance(value, list | Mapping):
        return
    children = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, child in children:
        if isinstance(value, Mapping) and not isinstance(key, str):
            written = "null" if key is None else format_value(key)
            message = f"the key {written} must be text: put it in quotes"
            yield file.problem([*path, key], message, at_key=True)
        yield from _no_text_below(file, child, [*path, key], depth if depth is None else depth - 1)


def conflicting_settings(rest_api: Any, file: YamlFile) -> Iterator[Problem]:
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
        for key in SETTINGS_OF_RESOURCES:
            if isinstance(entry, Mapping) and entry.get(key) is not None:
                yield file.problem(
                    ["source", "rest_api", *path, key],
                    f"{key!r} belongs to the resource, under the file's own `resources`",
                    at_key=True,
                )


def _with_cursors(model: PipelineFile) -> dict[str, Any]:
    """Return the source as a run builds it: its endpoints may speak of a resource's cursor."""
    rest_api = model.source.get("rest_api")
    if not isinstance(rest_api, dict) or not isinstance(rest_api.get("resources"), list):
        return model.source
    cursors = {}
    for name, given in model.resources.items():
        settings = {**model.defaults, **(given or {})}
        if _means_cursor(settings):
            cursor = settings.get("incremental")
            path = cursor.get("cursor_path") if isinstance(cursor, dict) else None
            cursors[name] = {"cursor_path": path if isinstance(path, str) else "unknown"}
    return {**model.source, "rest_api": with_cursors(rest_api, cursors)}
