"""Building with dlt itself: reports what only dlt knows, at the place that causes it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from dlt.common.exceptions import DictValidationException

from factories.core.yaml.reader import KeyPath

MAX_MISTAKES = 20


def failures(
    build: Callable[[Any], object], value: Any, kept: frozenset[tuple[str | int, ...]]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place and the message of each mistake for which dlt refuses a value.

    dlt raises one exception that names no place. The place is the innermost key without which that
    exception is gone; then the key is left out, and the next mistake shows itself.

    Args:
        build: Builds something of the value, which it may change, and raises when it cannot.
        value: Mappings, lists and scalars.
        kept: Places that are never left out, because nothing can be built without them.
    """
    value = copy.deepcopy(value)
    for _ in range(MAX_MISTAKES):
        message = failure(build, value)
        if message is None:
            return
        place = _culprit(build, value, message, kept)
        yield place, message
        if not place:
            return
        value = _without(value, place)


def failure(build: Callable[[Any], object], value: Any) -> str | None:
    """Return the message with which building fails; None when it does not."""
    try:
        build(copy.deepcopy(value))
    except Exception as error:  # noqa: BLE001 - whatever dlt raises is a mistake in its input
        return first_sentence(error)
    return None


def first_sentence(error: Exception) -> str:
    """Return the first sentence of an exception's message, in the style of a problem's."""
    full = error.msg if isinstance(error, DictValidationException) else str(error)
    lines = [line.strip() for line in full.strip().splitlines()]
    text = next((line for line in lines if line), type(error).__name__)
    if isinstance(error, KeyError):
        text = f"the key {text} is missing"
    return text.rstrip(".")


def _culprit(
    build: Callable[[Any], object],
    value: Any,
    message: str,
    kept: frozenset[tuple[str | int, ...]],
) -> tuple[str | int, ...]:
    path: tuple[str | int, ...] = ()
    only_this = False  # without what lies at `path`, nothing else is wrong
    while True:
        changed = None
        for place in _removable(value, path, kept):
            after = failure(build, _without(value, place))
            if after is None:
                path, only_this = place, True
                break
            if after != message:
                changed = changed or place
        else:
            if changed is None or only_this:
                return path
            path = changed


def _removable(
    value: Any, path: tuple[str | int, ...], kept: frozenset[tuple[str | int, ...]]
) -> Iterator[tuple[str | int, ...]]:
    """Yield the places one step below `path`; of one that is kept, those below it."""
    inside = _at(value, path)
    for step in _steps(inside):
        if (*path, step) in kept:
            yield from _removable(value, (*path, step), kept)
        else:
            yield (*path, step)


def _steps(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def _at(value: Any, path: KeyPath) -> Any:
    for step in path:
        value = value[step]
    return value


def _without(value: Any, path: KeyPath) -> Any:
    value = copy.deepcopy(value)
    del _at(value, path[:-1])[path[-1]]
    return value
