"""`dp run`: materialize assets through Dagster's queue, launcher and step processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console

from factories.cli.running.follow import run_step
from factories.cli.running.live_display import RunDisplay
from factories.cli.running.plan import (
    RunRefusedError,
    plan,
    refuse_broken,
    skip_downstream_of_failures,
)
from factories.cli.running.progress import AssetProgress
from factories.cli.running.summary import print_summary
from factories.cli.selection import SelectionError, select_assets
from factories.cli.serving.api import ApiError
from factories.cli.serving.dagster_process import running_dagster
from factories.cli.serving.dagster_start import DagsterProcessError


def _say(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)


def run_assets(selection: Sequence[str], *, as_json: bool) -> int:
    """Materialize assets and show how it goes.

    Args:
        selection: Asset keys or groups; empty for every asset of every code location.
        as_json: Print the final table as data, and nothing else.

    Returns:
        The exit status: 0 when every asset was materialized and every check passed.
    """
    console = Console(stderr=as_json)
    try:
        with console.status("starting Dagster") as status, running_dagster(_say(console)) as api:
            refuse_broken(api.load_errors())
            assets = select_assets(api.assets(), selection)
            status.stop()
            progress = {asset.key: AssetProgress(asset.key) for asset in assets}
            with RunDisplay(console, progress) as display:
                for step in plan(assets):
                    left = skip_downstream_of_failures(step, assets, progress)
                    run_step(api, left, progress, display)
    except (RunRefusedError, SelectionError, ApiError, DagsterProcessError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    results = list(progress.values())
    if as_json:
        print(json.dumps([asdict(result) for result in results]))  # noqa: T201 - the command's output
    else:
        print_summary(console, results)
    return 0 if all(result.ok for result in results) else 1
