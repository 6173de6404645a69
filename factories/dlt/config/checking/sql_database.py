"""A `sql_database` source: the arguments of dlt's `sql_table()`, for all tables and for each."""

from __future__ import annotations

import importlib.util
import inspect
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import sqlalchemy
from dlt.common.configuration.specs import ConnectionStringCredentials
from dlt.sources.sql_database import sql_table

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.validation import format_value
from factories.core.yaml.variables import find_intended_variable
from factories.dlt.config.checking.places import Place, has_variable, substituted
from factories.dlt.config.checking.resources import ELSEWHERE, resource_list_problems
from factories.dlt.config.checking.specs import fields_of, fields_problems
from factories.dlt.config.checking.trial import first_sentence
from factories.dlt.config.checking.values import Check, keys_mismatch, mismatches
from factories.dlt.config.database_drivers import with_installed_driver

# What each backend imports, beside SQLAlchemy.
PACKAGES = {
    "pyarrow": ("pyarrow", "numpy"),
    "pandas": ("pandas",),
    "connectorx": ("connectorx", "pyarrow"),
}


def sql_database_problems(config: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with the value of `sql_database`."""
    if not isinstance(config, Mapping):
        yield place.problem(f"{place.name}: must be a mapping, not {format_value(config)}")
        return
    special = {**_SPECIAL, "resources": _resources_problems}
    hints = {**_arguments(), "resources": list}
    yield from keys_mismatch(config, hints, place, special=special, refused=ELSEWHERE)
    resources = config.get("resources")
    entries = resources if isinstance(resources, list) else []
    if "credentials" not in config and not (
        entries and all(isinstance(e, Mapping) and "credentials" in e for e in entries)
    ):
        yield place.missing_key("credentials")


def _resources_problems(resources: Any, place: Place) -> Iterator[Problem]:
    yield from resource_list_problems(resources, place, _resource_problems)


def _resource_problems(resource: Any, place: Place) -> Iterator[Problem]:
    hints = {"name": str, "table": str, **_arguments()}
    yield from keys_mismatch(resource, hints, place, special=_SPECIAL, refused=ELSEWHERE)


@cache
def _arguments() -> Mapping[str, Any]:
    """Return the types of the arguments of `sql_table()` that stand in a file."""
    hints = typing.get_type_hints(sql_table)
    return {
        name: hints[name]
        for name in inspect.signature(sql_table).parameters
        if name not in ELSEWHERE
    }


def _backend_problems(value: Any, place: Place) -> Iterator[Problem]:
    found = list(mismatches(value, _arguments()["backend"], place))
    yield from found
    for package in () if found else PACKAGES.get(value, ()):
        if importlib.util.find_spec(package) is None:
            message = f"{value!r} needs the package {package}, which is not installed"
            yield place.problem(f"{place.name}: {message}")


def _credentials_problems(value: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with credentials: a URL, or a mapping of its parts."""
    if isinstance(value, str):
        yield from _url_problems(value, place)
    elif isinstance(value, Mapping):
        fields = {"drivername": str, **fields_of(ConnectionStringCredentials)}
        yield from fields_problems(value, fields, place)
        driver = value.get("drivername")
        if driver is None:
            yield place.missing_key("drivername")
        elif isinstance(driver, str) and not has_variable(driver):
            yield from _driver_problems(driver, place["drivername"])
    else:
        yield place.problem(f"{place.name}: must be text or a mapping, not {format_value(value)}")


def _url_problems(text: str, place: Place) -> Iterator[Problem]:
    if find_intended_variable(text) or (
        has_variable(text) and not has_variable(text.partition("://")[2])
    ):
        return  # the whole URL, or what the database is, comes from the environment
    try:
        url = sqlalchemy.make_url(substituted(text, "0"))
    except (sqlalchemy.exc.ArgumentError, ValueError):
        yield place.problem(
            f"{place.name}: not a URL of a database, such as postgresql://user@host/database"
        )
        return
    if not has_variable(text.partition("://")[0]):
        yield from _driver_problems(url.drivername, place)


def _driver_problems(driver: str, place: Place) -> Iterator[Problem]:
    """Yield a problem when SQLAlchemy does not know the database, or its driver is missing."""
    try:
        dialect = sqlalchemy.make_url(f"{with_installed_driver(driver)}://").get_dialect()
    except sqlalchemy.exc.NoSuchModuleError:
        known = sorted(
            {*sqlalchemy.dialects.__all__, *entry_points(group="sqlalchemy.dialects").names}
        )
        meant = nearest(driver, known)
        message = f"{place.name}: SQLAlchemy knows no database {driver!r}"
        yield place.problem(message, allowed=known, nearest=meant)
        return
    except Exception as error:  # noqa: BLE001 - the dialect is a package of its own
        yield place.problem(
            f"{place.name}: SQLAlchemy cannot use {driver!r}: {first_sentence(error)}"
        )
        return
    try:
        dialect.import_dbapi()
    except ImportError as error:
        message = f"{driver!r} needs the package {error.name}, which is not installed"
        yield place.problem(f"{place.name}: {message}")


_SPECIAL: Mapping[str, Check] = {
    "credentials": _credentials_problems,
    "backend": _backend_problems,
}
