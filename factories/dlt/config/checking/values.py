"""YAML values against the types that dlt declares, as far as YAML can express them.

dlt's own `validate_dict` stops at the first mistake, and of a union it reports every member. Here
every mistake is found, each at its place; the types are dlt's.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NewType, Union

from dlt.common import jsonpath
from dlt.common.typing import get_literal_args, is_literal_type, is_typeddict
from jsonpath_ng import JSONPath

from factories.core.yaml.problems import Problem
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable, substituted

Check = Callable[[Any, Place], Iterator[Problem]]

NONE_SPECIAL: Mapping[str, Check] = types.MappingProxyType({})
NONE_REFUSED: Mapping[str, str] = types.MappingProxyType({})
OF_PYTHON = "takes a Python function or object, which YAML cannot hold: a source in Python can"
SCALARS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
LISTS = (list, collections.abc.Sequence, collections.abc.Iterable)
MAPPINGS = (dict, collections.abc.Mapping)


def mismatches(
    value: object, hint: Any, place: Place, special: Mapping[str, Check] = NONE_SPECIAL
) -> Iterator[Problem]:
    """Yield every difference between a value and a type.

    Args:
        value: The plain YAML value.
        hint: A type as dlt declares it.
        place: Where the value stands.
        special: Checks for the keys of typed mappings, at any depth, whose rules a type does
            not tell.
    """
    options = members(hint)
    if value is None:
        if type(None) not in options and Any not in options:
            yield place.problem(f"{place.name}: must be {_kinds(options)}, not empty")
    elif isinstance(value, Mapping) and (specs := [o for o in options if is_typeddict(o)]):
        yield from _typed_mapping(value, specs, place, special)
    elif isinstance(value, Mapping) and (mapping := _first(options, MAPPINGS)) is not None:
        yield from _mapping(value, mapping, place, special)
    elif isinstance(value, list) and (items := _first(options, LISTS)) is not None:
        for index, item in enumerate(value):
            yield from mismatches(item, typing.get_args(items)[0], place[index], special)
    elif Any not in options:
        yield from _scalar(value, hint, place)


def keys_mismatch(
    value: Mapping[str, Any],
    hints: Mapping[str, Any],
    place: Place,
    *,
    required: Iterable[str] = (),
    special: Mapping[str, Check] = NONE_SPECIAL,
    refused: Mapping[str, str] = NONE_REFUSED,
) -> Iterator[Problem]:
    """Yield what is wrong with a mapping whose keys and their types are known.

    Args:
        value: The mapping.
        hints: The type of every key.
        place: Where the mapping stands.
        required: Keys that must be there.
        special: Checks that replace that of a key's type.
        refused: Keys that are known and do not stand here, each with the reason.
    """
    allowed = [key for key, hint in hints.items() if key in special or is_writable(hint)]
    is_open = any(str(key).startswith("x-") for key in hints)
    for key, child in value.items():
        if key in allowed and key in special:
            yield from special[key](child, place[key])
        elif key in allowed:
            yield from mismatches(child, hints[key], place[key], special)
        elif key in refused:
            yield place[key].problem(f"{key!r} {refused[key]}", at_key=True)
        elif key in hints:
            yield place[key].problem(f"{key!r} {OF_PYTHON}", at_key=True)
        elif not (is_open and str(key).startswith("x-")):
            yield place.unknown_key(key, allowed)
    for key in required:
        if key not in value:
            yield place.missing_key(key)


@cache
def members(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union that YAML can express; for another type itself, if it can."""
    while typing.get_origin(hint) in {typing.Annotated, typing.Required, typing.NotRequired}:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, NewType):
        return members(hint.__supertype__)
    if typing.get_origin(hint) in {Union, types.UnionType}:
        every = [option for part in typing.get_args(hint) for option in members(part)]
        return tuple(dict.fromkeys(every))
    plain = hint in SCALARS or hint is Any or hint is type(None)
    return (hint,) if plain or is_literal_type(hint) or _is_container(hint) else ()


def is_writable(hint: Any) -> bool:
    """Tell whether YAML can hold a value of this type: functions and objects it cannot."""
    return any(_is_writable(option) for option in members(hint) if option is not type(None))


@cache
def spec_hints(spec: type) -> Mapping[str, Any]:
    """Return the type of each key of a typed mapping."""
    return typing.get_type_hints(spec)


@cache
def json_path_error(text: str) -> str | None:
    """Return what is wrong with a JSON path as dlt reads it."""
    try:
        jsonpath.compile_path(text)
    except Exception as error:  # noqa: BLE001 - the parser raises its own and plain exceptions
        return str(error).partition("\n")[0]
    return None


def _is_container(hint: Any) -> bool:
    return is_typeddict(hint) or typing.get_origin(hint) in {*LISTS, *MAPPINGS}


@cache
def _is_json_path(hint: Any) -> bool:
    return JSONPath in typing.get_args(hint)


def _is_writable(option: Any) -> bool:
    if is_typeddict(option):
        return any(is_writable(hint) for hint in spec_hints(option).values())
    if typing.get_origin(option) in LISTS:
        return is_writable(typing.get_args(option)[0])
    return True


def _typed_mapping(
    value: Mapping[str, Any], specs: list[type], place: Place, special: Mapping[str, Check]
) -> Iterator[Problem]:
    """Yield what is wrong with a mapping that may be of several kinds: what no kind takes first."""
    together: dict[str, Any] = {}
    for spec in specs:
        for key, hint in spec_hints(spec).items():
            known = together.get(key)
            together[key] = Union[known, hint] if key in together else hint  # noqa: UP007 - of types that are data
    always = set.intersection(*(_find_required(spec) for spec in specs))
    required = [key for key in together if key in always]
    found = list(keys_mismatch(value, together, place, required=required, special=special))
    if not found and len(specs) > 1:
        each = (
            list(keys_mismatch(value, hints, place, required=_find_required(spec), special=special))
            for spec in specs
            for hints in (spec_hints(spec),)
        )
        found = min(each, key=len)
    yield from found


def _find_required(spec: Any) -> set[str]:
    hints = spec_hints(spec)
    return {key for key in spec.__required_keys__ if type(None) not in members(hints[key])}


def _mapping(
    value: Mapping[str, Any], hint: Any, place: Place, special: Mapping[str, Check]
) -> Iterator[Problem]:
    _, item = typing.get_args(hint)
    for key, child in value.items():
        if isinstance(key, str):
            yield from mismatches(child, item, place[key], special)
        else:
            message = f"the key {key!r} must be text: put it in quotes"
            yield place[str(key)].problem(message, at_key=True)


def _scalar(value: object, hint: Any, place: Place) -> Iterator[Problem]:
    options = members(hint)
    if not isinstance(value, str):
        if not (type(value) in options or (type(value) is int and float in options)):
            yield _wrong_kind(value, options, place)
        return
    choices = _choices(options)
    if str in options:
        if _is_json_path(hint) and (error := json_path_error(substituted(value))):
            yield place.problem(f"{place.name}: {value!r} is not a JSON path: {error}")
    elif has_variable(value):
        kinds = "one of a few words" if choices else _kinds(options)
        message = f"must be {kinds}, written here: a ${{VAR}} is known only when something runs"
        yield place.problem(f"{place.name}: {message}", allowed=choices)
    elif not choices:
        yield _wrong_kind(value, options, place)
    elif value not in choices:
        yield place.not_allowed(value, choices)


def _choices(options: tuple[Any, ...]) -> list[str]:
    every = (c for option in options if is_literal_type(option) for c in get_literal_args(option))
    return list(dict.fromkeys(every))


def _wrong_kind(value: object, options: tuple[Any, ...], place: Place) -> Problem:
    choices = _choices(options) if str not in options else []
    if choices and _kinds(options) == "text":
        return place.not_allowed(value, choices)
    message = f"{place.name}: must be {_kinds(options)}, not {format_value(value)}"
    if isinstance(value, bool | int | float) and _kinds(options) == "text":
        message += ": put it in quotes"
    return place.problem(message, allowed=choices)


def _kinds(options: tuple[Any, ...]) -> str:
    """Return the kinds of values that a type takes, in words: `text or a list`."""
    words = []
    for option in options:
        if option in SCALARS:
            words.append(SCALARS[option])
        elif is_literal_type(option):
            words.append("text")
        elif is_typeddict(option) or typing.get_origin(option) in MAPPINGS:
            words.append("a mapping")
        elif typing.get_origin(option) in LISTS:
            words.append("a list")
    return " or ".join(dict.fromkeys(words)) or "something"


def _first(options: tuple[Any, ...], origins: tuple[Any, ...]) -> Any:
    return next((option for option in options if typing.get_origin(option) in origins), None)
