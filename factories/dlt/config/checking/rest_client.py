"""The paginator and the authentication of a REST API source, each given by its type."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.sources.rest_api import typing as rest_types
from dlt.sources.rest_api.config_setup import AUTH_MAP, PAGINATOR_MAP, create_paginator

from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, literal_secret, substituted
from factories.dlt.config.checking.trial import failures
from factories.dlt.config.checking.values import keys_mismatch, members, spec_hints

SPECS = {name.lower(): spec for name, spec in vars(rest_types).items() if name.endswith("Config")}


def paginator_problems(value: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with a paginator: its type, and the arguments of that type."""
    if value is None:
        return
    kinds = list(PAGINATOR_MAP)
    arguments = value if isinstance(value, Mapping) else {"type": value}
    kind = arguments.get("type")
    if kind is None:
        yield place.problem(f"{place.name}: the key 'type' is missing", allowed=kinds, at_key=True)
        return
    at = place["type"] if isinstance(value, Mapping) else place
    found = list(_kind_problems(kind, at, kinds))
    if not found:
        hints, required = _paginator_arguments(kind)
        if isinstance(value, Mapping):
            found += keys_mismatch(value, {"type": str} | hints, place, required=required)
        elif required:
            example = f"{{type: {kind}, {required[0]}: …}}"
            found.append(place.problem(f"{place.name}: {kind!r} needs an argument: {example}"))
    yield from found
    if not found and isinstance(value, Mapping):
        kept = frozenset({("type",)})
        for path, message in failures(create_paginator, substituted(dict(value)), kept):
            yield place.below(path).problem(f"{place.name}: {message}")


def auth_problems(value: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with an authentication: its type, the arguments, secrets in the file."""
    if value is None:
        return
    kind = value.get("type", "bearer") if isinstance(value, Mapping) else value
    at = place["type"] if isinstance(value, Mapping) else place
    found = list(_kind_problems(kind, at, list(AUTH_MAP)))
    yield from found
    if found or not isinstance(value, Mapping):
        return
    empty = AUTH_MAP[kind]()
    fields = empty.get_resolvable_fields()
    required = [
        key
        for key, hint in fields.items()
        if getattr(empty, key) is None and type(None) not in members(hint)
    ]
    secrets = {key: _secret_problems for key, field in fields.items() if is_secret_hint(field)}
    hints = {"type": str, **fields}
    yield from keys_mismatch(value, hints, place, required=required, special=secrets)
    if value.get("location") == "cookie":
        message = "location: dlt declares 'cookie' and does not implement it"
        yield place["location"].problem(message, allowed=["header", "query", "param"])


def _secret_problems(value: Any, place: Place) -> Iterator[Problem]:
    if value is None or value == "":
        yield place.problem(f"{place.name}: must not be empty")
    yield from literal_secret(value, place)


def _kind_problems(kind: Any, place: Place, kinds: list[str]) -> Iterator[Problem]:
    if not isinstance(kind, str):
        yield place.problem(f"{place.name}: must be text or a mapping, not {format_value(kind)}")
    elif kind not in kinds:
        yield place.not_allowed(kind, kinds)


def _paginator_arguments(kind: str) -> tuple[dict[str, Any], list[str]]:
    """Return the types of a paginator's arguments, and the names of those it must have."""
    paginator = PAGINATOR_MAP[kind]
    spec = SPECS.get(f"{paginator.__name__}Config".lower()) if paginator else None
    if spec is None:  # `auto` and `single_page` take none
        return {}, []
    taken = inspect.signature(paginator).parameters
    hints = {key: hint for key, hint in spec_hints(spec).items() if key in taken}
    return hints, [key for key in hints if taken[key].default is inspect.Parameter.empty]
