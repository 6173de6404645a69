"""The files of a `filesystem` source: one dlt resource for each glob and its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import dlt
from dlt.common import logger
from dlt.common.storages.fsspec_filesystem import FileItemDict
from dlt.extract import DltResource
from dlt.sources.filesystem import filesystem

from factories.core.execution.window import Window
from factories.dlt.config.pipelines import Resource
from factories.dlt.config.schema import FILE_CURSOR
from factories.dlt.dlt_internals import READERS
from factories.dlt.source.cursor import incremental_arguments
from factories.dlt.source.row_cursor import add_cursor

_Reader = Callable[[Iterable[FileItemDict]], Iterator[Any]]


class FileReadError(Exception):
    """A file is not what its reader takes; the text names the file."""


def file_rows(
    config: Mapping[str, Any], selected: Iterable[Resource], covered: Window | None
) -> list[DltResource]:
    """Build the resources of a filesystem: the rows of the files that match.

    Args:
        config: Arguments of dlt's `filesystem()`, and `resources`.
        selected: What is to be loaded.
        covered: The window of the run's partitions, None for what is new.
    """
    common = {key: value for key, value in config.items() if key != "resources"}
    entries = {entry["name"]: dict(entry) for entry in config["resources"]}
    return [_rows(resource, common, entries[resource.name], covered) for resource in selected]


def _rows(
    resource: Resource, common: Mapping[str, Any], entry: dict[str, Any], covered: Window | None
) -> DltResource:
    glob, reader = entry.pop("file_glob"), entry.pop("reader")
    entry.pop("name")
    settings = resource.settings.incremental
    of_files = settings is not None and settings.cursor_path == FILE_CURSOR
    cursor = None
    if settings and of_files:
        arguments = incremental_arguments(settings, covered, field="timestamp")
        cursor = dlt.sources.incremental(**arguments)
    files = _listing(common, glob, resource.name, cursor)
    read = partial(READERS[reader], **entry)
    rows = (files | _each_file(read, resource.name)).with_name(resource.name)
    if settings and not of_files:
        add_cursor(rows, settings, covered)
    return rows


def _listing(common: Mapping[str, Any], glob: str, name: str, cursor: Any) -> DltResource:
    """Return the resource of the files that match; a run in which none does is warned of."""

    def listed() -> Iterator[FileItemDict]:
        files = list(filesystem(**common, file_glob=glob))
        if not files:
            logger.warning("%s: no file matches %s in %s", name, glob, common["bucket_url"])
        # The listing's order says nothing, and dlt would trust a cursor's `row_order`.
        descending = cursor is not None and cursor.row_order == "desc"
        yield from sorted(files, key=lambda file: file[FILE_CURSOR], reverse=descending)

    # A name of its own, under which dlt keeps the newest file's time.
    return dlt.resource(listed, name=f"{name}_files", primary_key="file_url", incremental=cursor)


def _each_file(read: _Reader, name: str) -> DltResource:
    """Return a transformer that reads one file at a time, to tell which one is broken."""

    def rows(file: FileItemDict) -> Iterator[Any]:
        try:
            yield from read([file])
        except Exception as error:  # noqa: BLE001 - each format's parser has errors of its own
            text = f"{file['file_url']}: {type(error).__name__}: {error}"
            raise FileReadError(text) from None

    return dlt.transformer(rows, name=name)
