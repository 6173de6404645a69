"""The failure of a step that makes several assets: a reason for each."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

FAILED_ASSETS = "failed_assets"


def build_step_failure(
    report: str, reasons: Mapping[dg.AssetKey, str], *, allow_retries: bool = False
) -> dg.Failure:
    """Return a failure that also says which asset failed why.

    Dagster has one error for a step, whose other assets may be materialized. `dp run` tells each
    asset's own reason, from the failure's metadata.

    Args:
        report: What the step says, as one text.
        reasons: Why each asset failed.
        allow_retries: Whether Dagster may try the step again.
    """
    named = {key.to_user_string(): reason for key, reason in reasons.items()}
    return dg.Failure(
        report,
        metadata={FAILED_ASSETS: dg.MetadataValue.json(named)},
        allow_retries=allow_retries,
    )
