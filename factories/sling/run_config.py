"""What a person may choose for one run of a replication, in the launchpad."""

from __future__ import annotations

import dagster as dg
from pydantic import Field


class SlingRunConfig(dg.Config):
    """The config of a Sling step."""

    full_refresh: bool = Field(
        default=False, description="Replace the selected streams' tables, whatever their mode."
    )
