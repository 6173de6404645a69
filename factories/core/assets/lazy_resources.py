"""Resources that import their library only when a step asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import dagster as dg

from factories.core.execution.step import start_errors_as_failures


def lazy_resource(
    factory: str, *arguments: object, package: str, description: str
) -> dg.ResourceDefinition:
    """Return a resource that a step creates when it asks for it.

    A code location that loads, and a step that needs another resource, do not pay for the import:
    dagster-snowflake alone costs 2.7 s of CPU. An asset may annotate its parameter with the class
    that the factory returns.

    Args:
        factory: `module:function` that returns the resource.
        *arguments: What the function gets.
        package: The distribution that the module needs; named when it is missing.
        description: Shown in the UI.

    Raises:
        dagster.Failure: When a step asks for it and the package is missing; in one sentence.
    """

    @dg.resource(description=description)
    def create(_context: dg.InitResourceContext) -> Any:
        with start_errors_as_failures():
            return _load(factory, package)(*arguments)

    return create


def _load(factory: str, package: str) -> Callable[..., Any]:
    module, _, function = factory.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        message = (
            f"this environment has no {error.name}: install {package} to use the resource here"
        )
        raise dg.Failure(message, allow_retries=False) from None
    return found
