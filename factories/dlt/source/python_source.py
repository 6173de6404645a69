"""A `python` source: what the function that YAML names returns, as a dlt source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.extract import DltResource, DltSource
from dlt.extract.incremental import Incremental

from factories.core.python_refs.importer import FolderNameError, import_module
from factories.dlt.errors import SourceError


def python_source(
    name: str, reference: str, arguments: Mapping[str, Any], folder: Path, resource: str
) -> DltSource:
    """Return the source that a function of the user's makes.

    It may return, or be, a dlt source, a resource or several; or give rows: a generator, an async
    generator, or a function that returns a list, an iterator, an Arrow table or a data frame.

    Args:
        name: The source's name to dlt, where the function makes none.
        reference: `module:function`.
        arguments: Given to it by name.
        folder: The pipelines' folder.
        resource: What rows without a resource of their own are called.

    Raises:
        SourceError: When its module cannot be imported from the folder.
    """
    module_name, _, function_name = reference.partition(":")
    try:
        module = import_module(module_name, folder)
    except FolderNameError as error:
        raise SourceError(str(error)) from None
    found = getattr(module, function_name)
    # As dlt has it: SOURCES__<module>__<function>__<parameter>.
    section = module_name.rpartition(".")[2]
    if isinstance(found, DltSource):
        return found
    if isinstance(found, DltResource):
        return _source(name, section, [found if found.args_bound else found(**arguments)])
    if function := _row_function(found):
        return _source(name, section, [dlt.resource(function, name=resource)(**arguments)])
    if not inspect.isfunction(found):
        made = found(**arguments) if callable(found) else found  # `@dlt.source`, or a list of rows
    else:
        made = _call(found, name, arguments)
    if isinstance(made, DltSource):
        return made
    return _source(name, section, _resources(made, resource))


def _row_function(found: Any) -> Callable[..., Any] | None:
    """Return a generator function when this is one, or a function that takes a cursor."""
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        return cast("Callable[..., Any]", found)
    if not inspect.isfunction(found):
        return None
    parameters = inspect.signature(found).parameters.values()
    if not any(isinstance(parameter.default, Incremental) for parameter in parameters):
        return None

    @wraps(found)
    def rows(*args: Any, **kwargs: Any) -> Iterator[Any]:
        # A generator is called when the state is known; dlt would call the function before that.
        returned = found(*args, **kwargs)
        if isinstance(returned, Iterator):
            yield from returned
        else:
            yield returned

    return rows


def _call(function: Callable[..., Any], name: str, arguments: Mapping[str, Any]) -> Any:
    """Call a plain function, with what it leaves to dlt's configuration given by dlt."""
    returned: list[Any] = []

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Iterable[DltResource]:
        returned.append(function(*args, **kwargs))
        return []

    dlt.source(call, name=name)(**arguments)
    return returned[0]


def _resources(made: Any, name: str) -> list[DltResource]:
    if isinstance(made, DltResource):
        return [made]
    if isinstance(made, list | tuple) and made and all(isinstance(r, DltResource) for r in made):
        return list(made)
    return [dlt.resource(made, name=name)]


def _source(name: str, section: str, resources: list[DltResource]) -> DltSource:
    make: Callable[[], DltSource] = dlt.source(lambda: resources, name=name, section=section)
    return make()
