"""Looks up the fields of nested models: the keys that a path accepts, and where a key belongs."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the model nested at `path` accepts."""
    nested = _nested(model, path)
    return [name for name, _ in _fields(nested)] if nested else []


def example_at(model: type[BaseModel], path: Sequence[str | int]) -> Any:
    """Return an example of the field at `path`, or None when there is none."""
    nested = _nested(model, path[:-1]) if path else None
    field = dict(_fields(nested)).get(str(path[-1])) if nested else None
    return next(iter(field.examples or ()), None) if field else None


def elsewhere_at(model: type[BaseModel], path: Sequence[str | int]) -> str | None:
    """Return where the unknown key at `path` belongs, as its model's `elsewhere` says."""
    reasons = getattr(_nested(model, path[:-1]), "elsewhere", {})
    return reasons.get(path[-1]) if isinstance(reasons, Mapping) else None


def homes_of(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the sibling keys of an unknown key whose own mappings accept it."""
    nested = _nested(model, path[:-1])
    return [
        name
        for name, field in (_fields(nested) if nested else ())
        if any(path[-1] in dict(_fields(inner)) for inner in _models(field.annotation))
    ]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _nested(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    current: Any = model
    for step in path:
        current = _step(current, step)
    found = _models(current)
    if not found and typing.get_origin(current) is tuple:  # one item in place of a list of it
        found = _models(typing.get_args(current)[0])
    return next(iter(found), None)


def _step(annotation: Any, step: str | int) -> Any:
    for model in _models(annotation):
        for name, field in model.model_fields.items():
            if step in {name, field.alias}:
                return field.annotation
    arguments = [a for part in _union(annotation) for a in typing.get_args(part)]
    return arguments[-1] if arguments and arguments[-1] is not ... else next(iter(arguments), None)


def _union(annotation: Any) -> list[Any]:
    """Return the members of a union without None; of another type, the type itself."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in {Union, types.UnionType}:
        return [
            member
            for part in typing.get_args(annotation)
            if part is not type(None)
            for member in _union(part)
        ]
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [
        part
        for part in _union(annotation)
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]
