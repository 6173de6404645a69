"""Types of models' fields, as somebody who writes YAML would say them."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator
from pydantic.fields import FieldInfo

from factories.core.meta.keys import AssetKeyText
from factories.core.meta.times import CronText, DateText, TimezoneText
from factories.core.yaml.models import Duration, Names

TEXT = "text"
PLAIN_TYPES: Mapping[Any, str] = {
    str: TEXT,
    bool: "true/false",
    int: "whole number",
    float: "number",
    Any: "any value",
}
# Types that are known by the check that they carry.
NAMED_TYPES: Sequence[tuple[Any, str]] = (
    (Duration, "duration"),
    (CronText, "cron schedule"),
    (TimezoneText, "time zone"),
    (DateText, "date"),
    (AssetKeyText, "asset key"),
    (Names, "text, or list of text"),
)


class TypeWords:
    """Names types.

    Example:
        >>> TypeWords({}).of(tuple[str, ...] | None)
        'list of text'
    """

    def __init__(self, models: Mapping[Any, str]) -> None:
        """Take what to call the models that fields may hold."""
        self._plain = {**PLAIN_TYPES, **models}

    def of(self, annotation: Any, metadata: Sequence[Any] = ()) -> str:
        """Return the words for a type.

        Args:
            annotation: The type of a model's field.
            metadata: What `Annotated` adds to it.

        Raises:
            KeyError: When there are no words for it.
        """
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            return self.of(arguments[0], [*metadata, *arguments[1:]])
        for named, words in NAMED_TYPES:
            if _check(named) in metadata:
                return words
        if origin is None:
            return self._plain[annotation] + _bounds(metadata)
        return self._generic(origin, arguments)

    def _generic(self, origin: Any, arguments: Sequence[Any]) -> str:
        if origin is Literal:
            values = [f"`{value}`" for value in arguments]
            return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
        if origin is tuple:
            words = self.of(arguments[0])
            return f"list of {words}" if words == TEXT else f"list of {words}s"
        if origin is dict:
            of = "" if arguments[1] is Any else f" of names to {self.of(arguments[1])}"
            return f"mapping{of}"
        if origin in {Union, types.UnionType}:
            *first, last = [self.of(part) for part in arguments if part is not type(None)]
            return f"{', '.join(first)} or {last}" if first else last
        raise KeyError(origin)


def _check(named: Any) -> Any:
    parts = typing.get_args(named)
    return next(part for part in parts if isinstance(part, AfterValidator | BeforeValidator))


def _bounds(metadata: Sequence[Any]) -> str:
    fields = [part.metadata for part in metadata if isinstance(part, FieldInfo)]
    limits = [*metadata, *itertools.chain.from_iterable(fields)]
    lows = [part.ge for part in limits if isinstance(part, Ge)]
    highs = [part.le for part in limits if isinstance(part, Le)]
    low = f", {lows[0]} or more" if lows else ""
    return f", {lows[0]} to {highs[0]}" if lows and highs else low
