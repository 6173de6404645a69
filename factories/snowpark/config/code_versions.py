"""Code versions: Dagster calls an asset stale when that of its last materialization was another."""

from __future__ import annotations

import hashlib
import json

from factories.core.meta.partitions import PartitionSpec
from factories.core.yaml.models import StrictModel

# What is only told of an entry, and on which virtual warehouse it runs.
NO_DIFFERENCE = {"description", "warehouse", "meta"}


def code_version(item: StrictModel, partition: PartitionSpec | None, code: str) -> str:
    """Return a digest of what changes the rows, or the model, that an entry makes.

    Args:
        item: Its settings; that a default is written out makes no difference.
        partition: Its partitions; which of them there are makes no difference to any of them.
        code: The digest of the code that its function belongs to.
    """
    settings = item.model_dump(exclude_defaults=True, exclude=NO_DIFFERENCE)
    rows = partition.model_dump(include={"type", "timezone", "column"}) if partition else None
    text = json.dumps([settings, rows, code], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
