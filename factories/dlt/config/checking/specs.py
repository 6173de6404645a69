"""Mappings that dlt reads as one of its configuration specs: credentials and settings.

Their values may be text that dlt turns into the type it needs, so a number may be a `${VAR}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs.base_configuration import (
    BaseConfiguration,
    extract_inner_hint,
    is_secret_hint,
)
from dlt.common.configuration.utils import deserialize_value

from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable, literal_secret

KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
}


def fields_of(*specs: type[BaseConfiguration]) -> dict[str, Any]:
    """Return the type of each field that a user can set in one of the specs."""
    found: dict[str, Any] = {}
    for spec in specs:
        for name, hint in spec.get_resolvable_fields().items():
            if not name.startswith("_"):
                found.setdefault(name, hint)
    return found


def fields_problems(
    value: Mapping[str, Any], fields: Mapping[str, Any], place: Place
) -> Iterator[Problem]:
    """Yield what is wrong with the fields of one spec.

    Args:
        value: The mapping as it is written.
        fields: The type of each field, as `fields_of` gives it.
        place: Where the mapping stands.
    """
    for key, child in value.items():
        if key not in fields:
            yield place.unknown_key(key, list(fields))
        else:
            yield from field_problems(child, fields[key], place[key])


def field_problems(value: Any, hint: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with one field: a secret in the file, or what dlt cannot read as it."""
    if value is None:
        return
    secrets = list(literal_secret(value, place)) if is_secret_hint(hint) else []
    yield from secrets
    if secrets or has_variable(value):
        return
    inner = extract_inner_hint(hint, preserve_literal=True)
    try:
        deserialize_value(place.name, value, inner)
    except ConfigValueCannotBeCoercedException:
        if get_origin(inner) is Literal:
            yield place.not_allowed(value, [str(choice) for choice in get_args(inner)])
        else:
            kind = KINDS.get(inner, "another kind of value")
            shown_value = (
                "a value that is not shown" if is_secret_hint(hint) else format_value(value)
            )
            yield place.problem(f"{place.name}: must be {kind}, not {shown_value}")
