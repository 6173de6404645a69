"""The sensor `files`: each new or changed file once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from factories.automation.sensor_schema import FilesSensor
from factories.automation.sensors.file_cursor import Cursor, token
from factories.automation.sensors.listing import FoundFile, list_files, matches
from factories.automation.sensors.partition import RunPartitions
from factories.automation.sensors.tick import Look, SourceError, Tick, skip, within_a_tick
from factories.core.packages import MissingPackageError
from factories.core.project import project_root
from factories.core.yaml import variables

MOST_FILES = 50_000
LOCAL = ("file", "local")
# The packages of the file systems; fsspec itself comes with Dagster.
PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs",
    "az": "adlfs",
}  # fmt: skip
# What may show in an error; the value of any other option that a `${VAR}` holds may not.
PUBLIC_OPTIONS = frozenset(
    {"endpoint_url", "region_name", "anon", "project", "account_name", "profile"}
)
# Else botocore tries for minutes, and the tick ends without a word.
S3_DEFAULTS = {"connect_timeout": 10, "read_timeout": 20, "retries": {"max_attempts": 2}}


def look_for_files(item: FilesSensor) -> Look:
    """Return what a files sensor does at each tick."""

    def look(tick: Tick) -> dg.SensorResult:
        fs, pattern = _file_system(item, tick.secrets)
        cursor = Cursor.read(tick.context.cursor, pattern, item.ready_suffix)
        what = f"the file system of {item.path}"
        found, cursor = within_a_tick(what, lambda: _find(item, fs, pattern, cursor))
        if tick.context.cursor is None and not item.take_existing:
            known = cursor.after(found, found)
            return skip(f"Looks for new files from now on; {len(found)} are there.", known.write())
        ready = [file for file in found if _is_ready(file, cursor, item)]
        partitions = RunPartitions(tick, item.partition)
        runs, taken = _requests(tick, item, fs, ready, partitions)
        kept = cursor.after(found, taken)
        if not runs:
            return skip(f"No new file; {len(kept.seen)} are looked at once more.", kept.write())
        return partitions.result(runs, kept.write())

    return look


def _file_system(item: FilesSensor, secrets: set[str]) -> tuple[Any, str]:
    """Return the file system of a sensor, and its path there.

    Raises:
        MissingPackageError: When the environment lacks the package of the file system.
        UndefinedVariableError: When a `${VAR}` has no value.
    """
    import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415 - only where a sensor looks

    url = variables.interpolate(item.path)
    if password := urlsplit(url).password:
        secrets.add(password)
    options = _resolve(item.storage_options, secrets)
    protocol = url.partition("://")[0] if "://" in url else "file"
    if protocol in LOCAL:
        url = os.path.normpath(project_root() / url.removeprefix(f"{protocol}://"))
    if PACKAGES.get(protocol) == "s3fs":
        options = {"config_kwargs": S3_DEFAULTS, **options}
    try:
        # What another look has listed must not be taken for what is there now.
        fs, path = fsspec.url_to_fs(
            url, use_listings_cache=False, skip_instance_cache=True, **options
        )
    except ImportError as error:
        package = PACKAGES.get(protocol, str(error))
        message = f"this environment has no {package}, which {protocol}:// needs: install it"
        raise MissingPackageError(message) from None
    return fs, path


def _resolve(options: Mapping[str, Any], secrets: set[str]) -> dict[str, Any]:
    """Return options with the values of their variables, of which most are secrets.

    Raises:
        UndefinedVariableError: When a `${VAR}` has no value.
    """
    resolved: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            resolved[key] = _resolve(value, secrets)
            continue
        values: dict[str, str] = {}
        resolved[key] = variables.interpolate(value, values)
        if key not in PUBLIC_OPTIONS:
            secrets.update(values.values())
    return resolved


def _find(
    item: FilesSensor, fs: Any, pattern: str, cursor: Cursor
) -> tuple[list[FoundFile], Cursor]:
    """Return the files that are there, and what is remembered of them.

    Raises:
        SourceError: When the folder does not exist, or holds too many.
        OSError: When it cannot be read.
    """
    there = list_files(fs, pattern)
    if len(there) > MOST_FILES:
        message = f"{len(there):,} files lie there, and it remembers {MOST_FILES:,}"
        raise SourceError(f"{message}: name fewer by `path`, or move what was loaded")
    found = _marked(fs, pattern, item.ready_suffix, there)
    taken = cursor.taken
    if cursor.ready_suffix != item.ready_suffix:
        # What was taken in the version of its marker, or of itself, now has another version.
        before = _marked(fs, pattern, cursor.ready_suffix, there)
        done = {file.path for file in before if token(file) in taken}
        taken |= {token(file) for file in found if file.path in done}
    if cursor.path != pattern and not item.take_existing:
        taken |= {token(file) for file in found if not matches(cursor.path, file.path)}
    return found, Cursor(taken, cursor.seen, pattern, item.ready_suffix)


def _marked(
    fs: Any, pattern: str, suffix: str | None, found: Sequence[FoundFile]
) -> list[FoundFile]:
    """Return the files that have a marker: one of the same name and the suffix beside them.

    Each in the version of its marker: a file that is written over counts when its marker is, too.
    Without a suffix, all of them.
    """
    if suffix is None:
        return [*found]
    markers = {file.path: file.version for file in list_files(fs, f"{pattern}{suffix}")}
    return [
        replace(file, version=markers[f"{file.path}{suffix}"])
        for file in found
        if f"{file.path}{suffix}" in markers and not file.path.endswith(suffix)
    ]


def _is_ready(file: FoundFile, cursor: Cursor, item: FilesSensor) -> bool:
    """Tell whether a file is new, and whole: marked, or as it was at the look before."""
    known = token(file)
    return known not in cursor.taken and (item.ready_suffix is not None or known in cursor.seen)


def _requests(
    tick: Tick,
    item: FilesSensor,
    fs: Any,
    ready: Iterable[FoundFile],
    partitions: RunPartitions,
) -> tuple[list[dg.RunRequest], list[FoundFile]]:
    """Return the runs of a tick, and the files that they take.

    A file whose name is no text, or of which no partition can be made, is left, and does not hold
    up the others.

    Raises:
        SourceError: When there is nothing but such files.
    """
    taken: list[FoundFile] = []
    runs: list[dg.RunRequest] = []
    refused: SourceError | None = None
    named = []
    for file in ready:
        if _is_text(file.path):
            named.append(file)
        else:
            refused = SourceError(f"{file.path!a}: the name is not UTF-8 text")
            tick.context.log.warning(str(refused))
    for files in _batched(named, item.files_per_run):
        if len(taken) + len(files) > item.files_per_tick:
            break
        values = _values(fs, files)
        try:
            partition = partitions.key(values)
        except SourceError as error:
            refused = SourceError(f"{values['paths'][0]}: {error}")
            tick.context.log.warning(str(refused))
            continue
        runs.append(_request(tick, files, values, partition))
        taken += files
    if refused is not None and not runs:
        raise refused
    return runs, taken


def _is_text(path: str) -> bool:
    """Tell whether Dagster can store a path; on a disk a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _values(fs: Any, files: Sequence[FoundFile]) -> dict[str, Any]:
    """Return what the placeholders stand for; of several files, `{paths}` alone."""
    paths = [_shown_path(fs, file) for file in files]
    if len(paths) > 1:
        return {"paths": paths}
    name = PurePosixPath(files[0].name)
    size = files[0].size
    return {
        "path": paths[0], "name": name.name, "stem": name.stem, "size": size, "paths": paths
    }  # fmt: skip


def _request(
    tick: Tick, files: Sequence[FoundFile], values: Mapping[str, Any], partition: str | None
) -> dg.RunRequest:
    several = f" and {len(files) - 1} more" if len(files) > 1 else ""
    keys = [f"{file.path}@{file.version}" for file in files]
    of_all = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return tick.requests.request(
        keys[0] if len(keys) == 1 else f"{len(keys)} files {of_all}",
        f"file {values['paths'][0]}{several}",
        values=values,
        partition=partition,
    )


def _shown_path(fs: Any, file: FoundFile) -> str:
    """Return a file's path as an asset can open it."""
    return str(fs.unstrip_protocol(file.path)) if not _is_local(fs) else file.path


def _is_local(fs: Any) -> bool:
    protocols = [fs.protocol] if isinstance(fs.protocol, str) else fs.protocol
    return not set(LOCAL).isdisjoint(protocols)


def _batched(files: Iterable[FoundFile], size: int) -> Iterable[Sequence[FoundFile]]:
    remaining = iter(files)
    while batch := list(islice(remaining, size)):
        yield batch
