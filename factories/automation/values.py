"""Checks the values of one entry that its model cannot: placeholders, variables, file systems."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

from factories.automation.entries import Entry
from factories.automation.schema import SensorItem
from factories.automation.sensor_schema import FilesSensor, SqlSensor
from factories.automation.sensors.files import LOCAL, PACKAGES
from factories.automation.templates import NESTED, placeholders
from factories.core.yaml import variables
from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.reader import KeyPath

TEMPLATES = ("run_config", "tags", "partition")
INTERPOLATED = ("path", "storage_options")
# The extras of this project that have the file systems.
EXTRAS = {"s3fs": "s3", "gcsfs": "gcs", "adlfs": "azure"}
# An option whose name holds one of these is a secret.
SECRET_WORDS = ("pass", "secret", "token", "key", "credential", "sas", "connection_string")


def check_values(entry: Entry[Any], problems: list[Problem]) -> None:
    """Report what is wrong with the values of a job, schedule or sensor."""
    problems.extend(_template_problems(entry))
    problems.extend(_variable_problems(entry))
    if isinstance(entry.item, FilesSensor):
        file, base = entry.places.file, entry.places.bases[0]
        for key in INTERPOLATED:
            variables.check(file, getattr(entry.item, key), [*base, key], problems)
        problems.extend(_file_system_problems(entry, entry.item))
        problems.extend(_literal_secrets(entry, entry.item.storage_options, ["storage_options"]))
    if isinstance(entry.item, SqlSensor):
        problems.extend(_query_problems(entry, entry.item))


def _template_problems(entry: Entry[Any]) -> Iterator[Problem]:
    """Yield the `{name}`s that nothing replaces; where nothing is replaced at all, braces stay."""
    item = entry.item
    if not isinstance(item, SensorItem):
        return
    known = list(getattr(type(item), "placeholders", ()))
    if isinstance(item, FilesSensor) and item.files_per_run > 1:
        known = ["paths"]
    for key in TEMPLATES:
        for path, name in placeholders(getattr(item, key, None)):
            problem = _placeholder_problem(entry, [key, *path], name, known)
            if problem is not None:
                yield problem


def _placeholder_problem(
    entry: Entry[Any], path: KeyPath, name: str, known: Collection[str]
) -> Problem | None:
    head = name.partition(".")[0]
    if head in known and (head == NESTED or "." not in name):
        return None
    allowed = [f"{{{word}}}" for word in known]
    return entry.problem(
        path,
        f"{{{name}}} stands for nothing here: write {{{{ and }}}} for braces",
        allowed=allowed,
        nearest=nearest(f"{{{name}}}", allowed),
    )


def _query_problems(entry: Entry[Any], item: SqlSensor) -> Iterator[Problem]:
    names = [name for _, name in placeholders(item.query)]
    for name in names:
        problem = _placeholder_problem(entry, ["query"], name, list(item.tables))
        if problem is not None:
            yield problem
    for name in item.tables:
        if name not in names:
            message = f"tables: the query does not name {{{name}}}"
            yield entry.places.file.problem(
                [*entry.places.bases[0], "tables", name], message, at_key=True
            )


def _variable_problems(entry: Entry[Any]) -> Iterator[Problem]:
    """Yield `${VAR}`s where they would not be read, or would show in the UI."""
    item = entry.item
    for key in type(item).model_fields:
        if key in INTERPOLATED and isinstance(item, FilesSensor):
            continue
        value = getattr(item, key)
        if not isinstance(value, str | dict | list):
            continue
        for path, name in variables.names(value):
            message = f"${{{name}}}: {key} takes no variables"
            if key == "run_config":
                message += ", which the UI would show: an asset reads them itself"
            yield entry.problem([key, *path], message)


def _file_system_problems(entry: Entry[Any], item: FilesSensor) -> Iterator[Problem]:
    if "://" not in item.path:
        return
    protocol = item.path.partition("://")[0]
    if protocol.startswith("${"):
        return
    if protocol not in PACKAGES and protocol not in LOCAL:
        allowed = [*LOCAL[:1], *PACKAGES]
        yield entry.problem(
            ["path"],
            f"path: {protocol!r} is not a file system",
            allowed=allowed,
            nearest=nearest(protocol, allowed),
        )
    elif protocol in PACKAGES and importlib.util.find_spec(PACKAGES[protocol]) is None:
        package = PACKAGES[protocol]
        needs = f"needs {package}, which this environment does not have"
        message = f"path: {protocol}:// {needs}: install data-platform[{EXTRAS[package]}]"
        yield entry.problem(["path"], message)
    try:
        password = urlsplit(item.path).password
    except ValueError:
        yield entry.problem(["path"], f"path: {item.path!r} is not a URL")
        return
    if password and "${" not in password:
        yield entry.problem(["path"], "path: a password is written as a variable: ${NAME}")


def _literal_secrets(entry: Entry[Any], options: Any, at: list[str | int]) -> Iterator[Problem]:
    for key, value in options.items():
        if isinstance(value, dict):
            yield from _literal_secrets(entry, value, [*at, key])
        elif (
            isinstance(value, str)
            and "${" not in value
            and any(word in str(key).lower() for word in SECRET_WORDS)
        ):
            message = f"{key}: a secret is written as a variable: ${{NAME}}"
            yield entry.problem([*at, key], message)
