"""`{name}` in run config and tags: replaced by what a sensor has seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from factories.core.yaml.reader import KeyPath

# `{{` and `}}` stand for braces.
PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
NESTED = "payload"  # the one whose fields can be named: `{payload.order.id}`


class TemplateError(Exception):
    """What a sensor has seen lacks what a `{name}` stands for."""


def render(template: Any, values: Mapping[str, Any]) -> Any:
    """Return run config or tags with every `{name}` replaced.

    A text that is one `{name}` becomes the value itself, which may be a number or a list.

    Raises:
        TemplateError: When a field of the payload is missing.
    """
    if isinstance(template, dict):
        return {key: render(child, values) for key, child in template.items()}
    if isinstance(template, list):
        return [render(child, values) for child in template]
    if not isinstance(template, str):
        return template
    whole = PART.fullmatch(template)
    if whole and whole[1] is not None:
        return _value(whole[1], values)

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        return match[0][0] if name is None else str(_value(name, values))

    return PART.sub(replace, template)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    head, *fields = name.split(".")
    value = values[head]
    for field in fields:
        if not isinstance(value, Mapping) or field not in value:
            raise TemplateError(f"{{{name}}}: there is no {field!r} in it")
        value = value[field]
    return value


def placeholders(template: Any) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path and the name of every `{name}`."""
    if isinstance(template, str):
        for match in PART.finditer(template):
            # `${NAME}` is a variable, which has rules of its own.
            if match[1] is not None and template[: match.start()][-1:] != "$":
                yield (), match[1]
    elif isinstance(template, dict | list):
        for key, child in template.items() if isinstance(template, dict) else enumerate(template):
            for path, name in placeholders(child):
                yield (key, *path), name
