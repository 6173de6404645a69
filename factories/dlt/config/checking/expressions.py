"""The `{…}` expressions of a REST API source: what a request takes from elsewhere."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from factories.core.yaml.problems import Problem, nearest
from factories.dlt.config.checking.places import Place, substituted

CONTEXTS = ("resources", "incremental")
# What dlt offers as `{incremental.…}`.
INCREMENTAL_VALUES = ("start_value", "end_value", "initial_value", "last_value")
PARTS = ("path", "params", "headers", "json", "data")


def expression_problems(
    endpoint: Mapping[str, Any],
    place: Place,
    *,
    names: Sequence[str],
    has_incremental: bool,
) -> Iterator[Problem]:
    """Yield what is wrong with the expressions of one endpoint.

    Args:
        endpoint: The endpoint.
        place: Where it stands.
        names: The resources of the source.
        has_incremental: Whether `{incremental.…}` has a value.
    """
    for part in PARTS:
        for text, at in _texts(endpoint.get(part), place[part]):
            yield from _text_problems(text, at, part == "path", names, has_incremental)
    params = endpoint.get("params")
    for key, param in params.items() if isinstance(params, Mapping) else ():
        if isinstance(param, Mapping) and param.get("type") == "resolve":
            parent = param.get("resource")
            if isinstance(parent, str) and parent not in names:
                yield _no_resource(parent, place["params"][key]["resource"], names)


def parents(endpoint: Mapping[str, Any]) -> set[str]:
    """Return the resources that an endpoint takes values from."""
    found = set()
    for part in PARTS:
        for text, _ in _texts(endpoint.get(part), None):
            for field in _fields(text):
                context, _, rest = field.partition(".")
                if context == "resources":
                    found.add(rest.partition(".")[0])
    params = endpoint.get("params")
    for param in params.values() if isinstance(params, Mapping) else ():
        if isinstance(param, Mapping) and param.get("type") == "resolve":
            found.add(str(param.get("resource")))
    return found


def _text_problems(
    text: str, place: Place, in_path: bool, names: Sequence[str], has_incremental: bool
) -> Iterator[Problem]:
    try:
        fields = _fields(text)
    except ValueError as error:
        message = f"{place.name}: {text!r}: {error}; a brace that is meant as such is doubled"
        yield place.problem(message)
        return
    for field in fields:
        context, dot, rest = field.partition(".")
        expression = f"{place.name}: {{{field}}}"
        if context == "resources":
            parent, _, of_parent = rest.partition(".")
            if not of_parent:
                yield place.problem(f"{expression} is not of the form {{resources.NAME.FIELD}}")
            elif parent not in names:
                yield _no_resource(parent, place, names)
        elif context == "incremental":
            if not has_incremental:
                message = (
                    f"{expression} needs `incremental` of the resource, in the file's `resources`"
                )
                yield place.problem(message)
            elif rest not in INCREMENTAL_VALUES:
                meant = nearest(rest, INCREMENTAL_VALUES)
                message = f"{expression}: there is no such value"
                yield place.problem(message, allowed=INCREMENTAL_VALUES, nearest=meant)
        elif dot or not in_path:  # in a path, a plain name is one of `params`: dlt says so
            message = (
                f"{expression} must begin with one of the allowed words; literal braces are doubled"
            )
            yield place.problem(message, allowed=CONTEXTS, nearest=nearest(context, CONTEXTS))


def _no_resource(parent: str, place: Place, names: Sequence[str]) -> Problem:
    message = f"{place.name}: there is no resource {parent!r}"
    return place.problem(
        message, allowed=list(dict.fromkeys(names)), nearest=nearest(parent, names)
    )


def _fields(text: str) -> list[str]:
    parsed = string.Formatter().parse(substituted(text))
    return [field for _, field, _, _ in parsed if field]


def _texts(value: Any, place: Any) -> Iterator[tuple[str, Any]]:
    """Yield every text below a value, with its place when one is given."""
    if isinstance(value, str):
        yield value, place
    elif isinstance(value, Mapping):
        for key, child in value.items():
            at = place[str(key)] if place is not None else None
            yield from _texts(key, at)
            yield from _texts(child, at)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, place[index] if place is not None else None)
