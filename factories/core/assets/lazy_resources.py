"""Resources that import their library only when a step asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import dagster as dg

from factories.core.execution.step import start_errors_as_failures
from factories.core.packages import import_function


def lazy_resource(
    factory: str, *arguments: object, package: str, description: str
) -> dg.ResourceDefinition:
    """Return a resource that a step creates when it asks for it.

    A code location that loads, and a step that needs another resource, do not pay for the import:
    dagster-snowflake alone costs 2.7 s of CPU. An asset may annotate its parameter with the class
    that the factory returns. It takes no config, so Dagster stores none.

    Args:
        factory: `module:function` that takes the arguments and returns the resource, or a context
            manager that opens it when the step begins and closes it when the step ends.
        *arguments: What the function is called with, such as the names of the target's databases.
        package: The distribution that the module needs; named when it is missing.
        description: Shown in the UI.

    Raises:
        dagster.Failure: When a step asks for it and the package is missing or does not fit; in one
            sentence.
    """

    @dg.resource(config_schema={}, description=description)
    def create(_context: dg.InitResourceContext) -> Iterator[Any]:
        with start_errors_as_failures():
            made = import_function(factory, package)(*arguments)
        # Dagster's own resources are not context managers, except those of a connection.
        if isinstance(made, AbstractContextManager):
            with made as opened:
                yield opened
        else:
            yield made

    return create


def is_lazy_resource(resource: dg.ResourceDefinition) -> bool:
    """Tell whether a resource is one of these, and not a team's own of the same name."""
    return getattr(resource.resource_fn, "__module__", None) == __name__
