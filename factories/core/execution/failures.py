"""The failure of a step that makes several assets: a reason for each."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from factories.core.conditions.permanent import is_permanent, permanent_metadata
from factories.core.conditions.run_outcome import FAILED_ASSETS


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
    permanent = [key for key, reason in reasons.items() if is_permanent(reason)]
    return dg.Failure(
        report,
        metadata={
            FAILED_ASSETS: dg.MetadataValue.json(named),
            **permanent_metadata(permanent),
        },
        allow_retries=allow_retries,
    )


def permanent_failure(message: str) -> dg.Failure:
    """Return a failure of the present step that trying again cannot mend, such as a wrong setting.

    Dagster does not retry it, and no automation condition asks for the step's assets again before
    their next cause.
    """
    try:
        context = dg.AssetExecutionContext.get()
        keys = context.selected_asset_keys if context.has_assets_def else ()
    except dg.DagsterInvariantViolationError:
        keys = ()  # no step of an asset
    return dg.Failure(message, allow_retries=False, metadata=permanent_metadata(keys))
