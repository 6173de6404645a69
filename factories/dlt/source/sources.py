"""Building the dlt source of a run, inside the step: its resources as YAML describes them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from factories.core.execution.window import Window
from factories.core.yaml.problems import did_you_mean, nearest
from factories.dlt.config.pipelines import Pipeline, Resource
from factories.dlt.config.rest_entries import with_cursors
from factories.dlt.config.schema import WriteDisposition
from factories.dlt.errors import SourceError
from factories.dlt.source.cursor import incremental_arguments
from factories.dlt.source.pages import api_session, watch_pages
from factories.dlt.source.row_cursor import add_cursor, check_cursor

# Kinds none of whose resources reads from another.
INDEPENDENT = frozenset({"sql_database", "filesystem"})

_Make = Callable[[str, dict[str, Any], list[Resource], Window | None], DltSource]


def make_source(
    pipeline: Pipeline,
    config: Mapping[str, Any],
    resources: Iterable[Resource],
    covered: Window | None,
    used: ExitStack,
) -> DltSource:
    """Build the source of these resources, as it is without what YAML says of each.

    Args:
        pipeline: The pipeline file.
        config: Its `source`, with the values of `${VAR}`s; it is not kept.
        resources: What is to be loaded.
        covered: The window of the run's partitions, None for what is new.
        used: Closes what the source holds open, once it is read.

    Raises:
        SourceError: When the source cannot be built.
    """
    chosen = list(resources)
    make: dict[str, _Make] = {
        "rest_api": partial(_rest_api, pipeline.resources, used=used),
        "sql_database": _sql_database,
        "filesystem": _filesystem,
        "python": partial(_python, pipeline),
    }
    try:
        return make[pipeline.kind](pipeline.name, _of_kind(pipeline.kind, config), chosen, covered)
    except SourceError:
        raise
    except Exception as error:
        # Whatever a source's own code raises here, the source cannot be built.
        raise SourceError(f"{type(error).__name__}: {error}") from error


def selected(
    source: DltSource, resources: Iterable[Resource], full_refresh: Container[str]
) -> DltSource:
    """Return the source with these resources alone, each loaded as YAML says.

    Args:
        source: The source.
        resources: What is to be loaded.
        full_refresh: Resources whose tables are replaced, whatever their write disposition.

    Raises:
        SourceError: When a resource is not in the source.
    """
    chosen = list(resources)
    for resource in chosen:
        made = source.resources.get(resource.name)
        if made is None:
            known = ", ".join(source.resources)
            hint = did_you_mean(nearest(resource.name, list(source.resources)))
            raise SourceError(f"the source has no resource {resource.name!r}, but {known}{hint}")
        _apply(source, made, resource, replace=resource.name in full_refresh)
    return source.with_resources(*(resource.name for resource in chosen))


def _of_kind(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "python":
        return {"function": config["python"], "args": config.get("args") or {}}
    return dict(config[kind])


def _apply(source: DltSource, made: DltResource, resource: Resource, *, replace: bool) -> None:
    settings = resource.settings
    given = settings.write_disposition
    if replace and settings.strategy != "scd2":  # whose history cannot be read again
        given = "replace"
    hints: dict[str, Any] = {
        "table_name": settings.table_name or resource.name,
        "write_disposition": (
            given.model_dump(exclude_none=True) if isinstance(given, WriteDisposition) else given
        ),
    }
    if settings.primary_key:
        hints["primary_key"] = list(settings.primary_key)
    if settings.merge_key:
        hints["merge_key"] = list(settings.merge_key)
    if settings.columns:
        hints["columns"] = {
            name: {"name": name, **hint.model_dump(exclude_none=True)}
            for name, hint in settings.columns.items()
        }
    if settings.schema_contract:
        contract = settings.schema_contract
        hints["schema_contract"] = (
            contract if isinstance(contract, str) else contract.model_dump(exclude_none=True)
        )
    elif made.schema_contract is None and not source.schema_contract:
        hints["schema_contract"] = "evolve"  # else the one that was loaded last would hold for ever
    made.apply_hints(**hints)
    if settings.max_table_nesting is not None:
        made.max_table_nesting = settings.max_table_nesting


def _source(name: str, resources: list[DltResource]) -> DltSource:
    make: Callable[[], DltSource] = dlt.source(lambda: resources, name=name)
    return make()


def _rest_api(
    declared: Iterable[Resource],
    name: str,
    config: Mapping[str, Any],
    chosen: list[Resource],
    covered: Window | None,
    *,
    used: ExitStack,
) -> DltSource:
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415 - only this kind needs it

    # Also of those that are not loaded now: their endpoints may speak of the cursor.
    windows = {resource.name: covered for resource in chosen}
    cursors = {
        resource.name: incremental_arguments(
            resource.settings.incremental, windows.get(resource.name)
        )
        for resource in declared
        if resource.settings.incremental
    }
    whole: Any = with_cursors(config, cursors)
    whole["client"] = {**whole["client"], "session": used.enter_context(api_session())}
    source = rest_api_source(whole, name=name)
    for made in source.resources.values():
        watch_pages(made)
    for resource in chosen:
        settings = resource.settings.incremental
        if covered and settings:
            made = source.resources[resource.name]
            check_cursor(made, settings.cursor_path, settings.datetime_format, covered)
    return source


def _sql_database(
    name: str,
    config: Mapping[str, Any],
    chosen: list[Resource],
    covered: Window | None,
) -> DltSource:
    from factories.dlt.source.database_source import database_tables  # noqa: PLC0415 - as above

    return _source(name, database_tables(config, chosen, covered))


def _filesystem(
    name: str,
    config: Mapping[str, Any],
    chosen: list[Resource],
    covered: Window | None,
) -> DltSource:
    from factories.dlt.source.file_source import file_rows  # noqa: PLC0415 - as above

    return _source(name, file_rows(config, chosen, covered))


def _python(
    pipeline: Pipeline,
    name: str,
    config: Mapping[str, Any],
    chosen: list[Resource],
    covered: Window | None,
) -> DltSource:
    from factories.dlt.source.python_source import python_source  # noqa: PLC0415 - as above

    folder, first = pipeline.path.parent, pipeline.resources[0].name
    source = python_source(name, config["function"], config["args"], folder, first)
    for resource in chosen:
        if made := source.resources.get(resource.name):
            _check_decorated(made, resource)
            if resource.settings.incremental:
                add_cursor(made, resource.settings.incremental, covered)
    return source


def _check_decorated(made: DltResource, resource: Resource) -> None:
    """Refuse what a function says of its loading where YAML, which decides it, is silent.

    Else a function that merges would be appended. A name that rows choose has no asset.

    Raises:
        SourceError: When there is such a thing.
    """
    own = made.write_disposition
    if own != "append" and "write_disposition" not in resource.settings.model_fields_set:
        raise SourceError(
            f"its function has the write_disposition {own!r}, and"
            " `resources` none: write there how it is loaded"
        )
    if callable(made.table_name):
        raise SourceError(
            "its function names a table for each row: a resource loads one table,"
            " so make a resource of each"
        )
    if made.table_name != made.name and resource.settings.table_name is None:
        raise SourceError(
            f"its function has the table_name {made.table_name!r}, and"
            " `resources` none: write there which table it loads"
        )
