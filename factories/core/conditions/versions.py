"""The data versions that Dagster notes of a materialization: its own, and those of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

import dagster as dg
from dagster._core.definitions.data_version import (
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
)


def given_version(tags: Mapping[str, str]) -> str | None:
    """Return the data version that a step gave what it made; None where Dagster made one up.

    Dagster's own is a digest of the code and of the inputs' versions: it stays the same when a
    source gives other rows.
    """
    if tags.get(DATA_VERSION_IS_USER_PROVIDED_TAG) != "true":
        return None
    return tags.get(DATA_VERSION_TAG)


def input_version(tags: Mapping[str, str], key: dg.AssetKey) -> str | None:
    """Return the data version that an upstream asset had when the step began."""
    return tags.get(get_input_data_version_tag(key))


def join_versions(versions: Iterable[str]) -> str:
    """Return what Dagster notes of several upstream partitions, in the order of their keys."""
    return sha256("".join(versions).encode()).hexdigest()
