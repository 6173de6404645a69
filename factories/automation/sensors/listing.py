"""Lists the files that a pattern names, on any file system of fsspec.

`glob` of fsspec passes over the folders that it cannot read; here that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from factories.automation.sensors.tick import SourceError
from factories.core.meta.names import digest

MAGIC = re.compile(r"[*?\[]")
ANY_DEPTH = "**"
# How file systems call what changes with a file's content, the surest first.
VERSIONS = (
    "ETag", "etag", "md5Hash", "content_md5", "checksum", "mtime", "LastModified",
    "last_modified", "updated", "modified",
)  # fmt: skip


@dataclass(frozen=True)
class FoundFile:
    """A file as a look has found it.

    Attributes:
        path: Its path, without the protocol.
        size: In bytes.
        version: A digest of what changes with its content.
    """

    path: str
    size: int
    version: str

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rpartition("/")[2]


def list_files(fs: Any, pattern: str) -> list[FoundFile]:
    """Return the files that a pattern names, by path.

    Args:
        fs: A file system of fsspec.
        pattern: The path, without the protocol.

    Raises:
        SourceError: When the folder that all of them lie in does not exist.
        OSError: When it, or a folder below it, cannot be read.
    """
    segments = pattern.split("/")
    magic = (index for index, segment in enumerate(segments) if MAGIC.search(segment))
    at = min(next(magic, len(segments)), len(segments) - 1)
    base, rest = "/".join(segments[:at]), segments[at:]
    try:
        listing = fs.ls(base or fs.root_marker, detail=True)
    except FileNotFoundError:
        listing = _listing_of_missing(fs, base)
    entries = _match(fs, base, listing, rest)
    found = {entry["name"]: _found(entry) for entry in entries}
    return [found[name] for name in sorted(found)]


def _listing_of_missing(fs: Any, base: str) -> Sequence[Mapping[str, Any]]:
    """Return nothing, where a folder is no more than the beginning of the names of objects.

    Raises:
        SourceError: When the folder, or the bucket, does not exist.
    """
    if not _is_object_store(fs):
        raise SourceError(f"the folder {base} does not exist")
    bucket = base.partition("/")[0]
    try:
        fs.ls(bucket, detail=True)
    except FileNotFoundError:
        raise SourceError(f"the bucket {bucket} does not exist") from None
    return []


def _is_object_store(fs: Any) -> bool:
    """Tell whether a file system has no folders of its own."""
    protocols = [fs.protocol] if isinstance(fs.protocol, str) else fs.protocol
    return not {"s3", "gs", "abfs"}.isdisjoint(protocols)


def _match(
    fs: Any, folder: str, listing: Sequence[Mapping[str, Any]], segments: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """Yield the files below a folder whose paths match the rest of a pattern."""
    segment, *rest = segments
    if segment == ANY_DEPTH:
        if rest:
            yield from _match(fs, folder, listing, rest)
        else:
            yield from (entry for entry in listing if _is_file(entry))
        below, inner = "*", segments
    elif not rest:
        yield from (e for e in listing if _is_file(e) and fnmatchcase(_name(e), segment))
        return
    else:
        below, inner = segment, rest
    for entry in listing:
        # A link to a folder above would lead round and round.
        linked = segment == ANY_DEPTH and entry.get("islink")
        itself = entry["name"].rstrip("/") == folder
        if entry["type"] != "directory" or linked or itself:
            continue
        if fnmatchcase(_name(entry), below):
            path = entry["name"].rstrip("/")
            try:
                inside = fs.ls(path, detail=True)
            except FileNotFoundError:  # gone since its folder was listed
                continue
            yield from _match(fs, path, inside, inner)


def matches(pattern: str, path: str) -> bool:
    """Tell whether a pattern names a path."""
    return _matches(pattern.split("/"), path.split("/"))


def _matches(pattern: Sequence[str], path: Sequence[str]) -> bool:
    if not pattern or not path:
        return not pattern and not path
    first, *rest = pattern
    if first == ANY_DEPTH:
        return not rest or any(_matches(rest, path[at:]) for at in range(len(path)))
    return fnmatchcase(path[0], first) and _matches(rest, path[1:])


def _is_file(entry: Mapping[str, Any]) -> bool:
    return entry["type"] == "file" and not entry["name"].endswith("/")


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def _found(entry: Mapping[str, Any]) -> FoundFile:
    size = int(entry.get("size") or 0)
    if (generation := entry.get("generation")) is not None:
        # All else changes in Google Cloud Storage with an object's storage class, or its labels.
        return FoundFile(entry["name"], size, digest(f"{size}\n{generation}"))
    marks = [str(entry[key]) for key in VERSIONS if entry.get(key) is not None]
    # A file that is replaced by one of the same size within a clock's tick has another inode.
    marks.append(str(entry.get("ino", "")))
    return FoundFile(entry["name"], size, digest("\n".join([str(size), *marks])))
