"""What a person may choose for one run of a model, in Dagster's launchpad."""

from __future__ import annotations

import dagster as dg
from pydantic import Field


class ModelRunConfig(dg.Config):
    """The run config of a model's op."""

    promote_version: int | None = Field(
        default=None,
        description="Make this version the champion, also one that was the champion before;"
        " nothing is trained.",
    )
