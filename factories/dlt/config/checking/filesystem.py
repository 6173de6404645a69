"""A `filesystem` source: the arguments of dlt's `filesystem()`, and a reader for each resource."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import inspect
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from dlt.common.configuration.specs.base_configuration import BaseConfiguration
from dlt.common.storages.configuration import FilesystemConfiguration
from dlt.common.storages.fsspec_filesystem import MTIME_DISPATCH
from dlt.sources import filesystem as files

from factories.core.yaml.problems import Problem, nearest
from factories.core.yaml.validation import format_value
from factories.dlt.config.checking.places import Place, has_variable, literal_secret
from factories.dlt.config.checking.resources import ELSEWHERE, resource_list_problems
from factories.dlt.config.checking.specs import fields_of, fields_problems
from factories.dlt.config.checking.values import keys_mismatch, mismatches
from factories.dlt.dlt_internals import READERS

READER_PACKAGES = {"read_csv": "pandas", "read_parquet": "pyarrow"}
# The protocols that dlt lists files of are the keys of MTIME_DISPATCH; what some of them import:
PROTOCOL_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "adl", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
    "hf": "huggingface_hub",
    "gdrive": "googleapiclient",
    "sftp": "paramiko",
}


def filesystem_problems(config: Any, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with the value of `filesystem`."""
    if not isinstance(config, Mapping):
        yield place.problem(f"{place.name}: must be a mapping, not {format_value(config)}")
        return
    url = config.get("bucket_url")

    def credentials(value: Any, at: Place) -> Iterator[Problem]:
        yield from _credentials_problems(value, at, url)

    yield from keys_mismatch(
        config,
        {**_arguments(), "resources": list},
        place,
        required=("bucket_url", "resources"),
        special={
            "bucket_url": _url_problems,
            "credentials": credentials,
            "resources": _resources_problems,
        },
        refused=ELSEWHERE,
    )


@cache
def _arguments() -> Mapping[str, Any]:
    """Return the types of the arguments of `filesystem()` that stand in a file."""
    hints = typing.get_type_hints(files.filesystem)
    names = inspect.signature(files.filesystem).parameters
    return {name: hints[name] for name in names if name not in ELSEWHERE}


def _url_problems(url: Any, place: Place) -> Iterator[Problem]:
    found = list(mismatches(url, str, place))
    yield from found
    if url == "":
        yield place.problem(f"{place.name}: must not be empty")
    try:
        protocol = None if found else _protocol(url)
    except ValueError as error:
        yield place.problem(f"{place.name}: not a URL: {error}")
        return
    if protocol is None:
        return
    package = PROTOCOL_PACKAGES.get(protocol)
    if protocol not in MTIME_DISPATCH:
        message = f"{place.name}: dlt reads no files by {protocol!r}"
        known = sorted(MTIME_DISPATCH)
        yield place.problem(message, allowed=known, nearest=nearest(protocol, known))
    elif package and importlib.util.find_spec(package) is None:
        message = f"{protocol!r} needs the package {package}, which is not installed"
        yield place.problem(f"{place.name}: {message}")


def _protocol(url: Any) -> str | None:
    """Return the protocol of a bucket's URL; None when it is known only at run time.

    Raises:
        ValueError: When the URL is malformed.
    """
    if not isinstance(url, str) or not url or has_variable(url.partition("://")[0]):
        return None
    return FilesystemConfiguration.parse_protocol(url)


def _credentials_problems(value: Any, place: Place, url: Any) -> Iterator[Problem]:
    if isinstance(value, str):
        yield from literal_secret(value, place)
    elif isinstance(value, Mapping):
        protocol = None
        by_protocol = FilesystemConfiguration.PROTOCOL_CREDENTIALS
        with contextlib.suppress(ValueError):  # which is a problem of the URL
            protocol = _protocol(url)
        known = protocol in MTIME_DISPATCH
        kinds = [by_protocol.get(str(protocol))] if known else list(by_protocol.values())
        taken = fields_of(*(spec for kind in kinds for spec in _specs(kind)))
        if value and not taken:
            yield place.problem(f"{place.name}: {protocol!r} takes none", at_key=True)
        else:
            yield from fields_problems(value, taken, place)
    elif value is not None:
        yield place.problem(f"{place.name}: must be text or a mapping, not {format_value(value)}")


def _specs(kind: Any) -> list[type[BaseConfiguration]]:
    """Return the members of a union of credentials; itself when it is not a union."""
    return list(typing.get_args(kind)) or ([kind] if kind is not None else [])


def _resources_problems(resources: Any, place: Place) -> Iterator[Problem]:
    yield from resource_list_problems(resources, place, _resource_problems)


def _resource_problems(resource: Any, place: Place) -> Iterator[Problem]:
    reader = resource.get("reader")
    hints, is_open = {"name": str, "file_glob": str, "reader": str}, True
    if isinstance(reader, str) and reader in READERS:
        arguments, is_open = _reader_arguments(reader)
        hints |= arguments
        package = READER_PACKAGES.get(reader)
        if package and importlib.util.find_spec(package) is None:
            message = f"{reader!r} needs the package {package}, which is not installed"
            yield place["reader"].problem(f"reader: {message}")
    elif "reader" in resource:
        yield place["reader"].not_allowed(reader, list(READERS))
    if is_open:  # pandas takes the rest; but what is nearly dlt's own is meant as such
        hints |= {
            key: Any
            for key in resource
            if key not in hints and not difflib.get_close_matches(str(key), hints, cutoff=0.85)
        }
    yield from keys_mismatch(resource, hints, place, required=("file_glob", "reader"))


@cache
def _reader_arguments(reader: str) -> tuple[Mapping[str, Any], bool]:
    """Return the types of a reader's own arguments, and whether it passes others on."""
    parameters = inspect.signature(getattr(files, reader)).parameters.values()
    hints = typing.get_type_hints(getattr(files, reader))
    others = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD]
    known = {p.name for p in parameters} - {"items", *others}
    return {name: hint for name, hint in hints.items() if name in known}, bool(others)
