"""`python -m deploy.ci.materialize PLAN`: run what a deployment changes, now.

The plan is what `dp plan --json` printed. What it says will run because of the change runs now, in
one run for each code location. What follows it in another location, and partitions, are left to the
conditions of those assets, and to backfills.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from deploy.ci.command import CommandError, needed, run_command, say
from factories.cli.serving.api import ApiError, AssetNode, DagsterApi
from factories.core.conditions.run_tags import CAUSE_TAG

# Until Dagster has seen a code server that was just replaced.
SEEN_SECONDS = 120
LOOK_SECONDS = 3


def main(arguments: list[str]) -> None:
    """Launch the runs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.materialize", description=__doc__)
    parser.add_argument("plan", type=Path)
    given = parser.parse_args(arguments)
    keys = read_plan(given.plan)
    if not keys:
        say("the change runs nothing again")
        return
    what = "the address of Dagster's webserver, as https://acme.dagster.cloud/prod"
    api = DagsterApi(needed("DAGSTER_URL", what).rstrip("/"), login_headers())
    try:
        materialize(api, keys, f"deployed {os.environ.get('GITHUB_SHA', 'by hand')[:12]}")
    except ApiError as error:
        raise CommandError(str(error)) from None


def login_headers(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what Dagster+, or the proxy before a webserver, lets requests in by."""
    headers = {
        "Dagster-Cloud-Api-Token": environ.get("DAGSTER_CLOUD_API_TOKEN"),
        "Authorization": environ.get("DAGSTER_AUTHORIZATION"),
    }
    return {name: value for name, value in headers.items() if value}


def read_plan(file: Path) -> list[str]:
    """Return the keys of the assets that a plan says will run.

    Raises:
        CommandError: When it is no plan.
    """
    try:
        return [str(run["key"]) for run in json.loads(file.read_bytes())["runs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        kind = type(error).__name__
        raise CommandError(f"{file} is no plan of `dp plan --json`: {kind}: {error}") from None


def materialize(api: DagsterApi, keys: Collection[str], cause: str) -> None:
    """Launch one run for each code location, and say which.

    Raises:
        ApiError: When Dagster does not answer, or refuses a run.
        CommandError: When Dagster does not know an asset of the plan.
    """
    nodes = _wait_for_assets(api, keys)
    for partitioned in [node for node in nodes if node.partitioned]:
        say(f"{partitioned.key}: left out, a backfill runs its partitions")
    whole = [node for node in nodes if not node.partitioned]
    held = held_by_other_locations(whole)
    for node in whole:
        if node.key in held:
            say(f"{node.key}: left to its condition, it follows {held[node.key]}")
    groups: dict[tuple[str, str, str], list[AssetNode]] = {}
    for node in whole:
        if node.key not in held:
            groups.setdefault((node.location, node.repository, node.job), []).append(node)
    for (location, _, _), together in groups.items():
        run_id = api.launch(together, {CAUSE_TAG: cause})
        say(f"{location}: run {run_id} of {', '.join(node.key for node in together)}")


def held_by_other_locations(nodes: Sequence[AssetNode]) -> dict[str, str]:
    """Return the assets that follow one of another location, with the key that holds them.

    A run of them now would read what is only being made.
    """
    by_key = {node.key: node for node in nodes}
    held: dict[str, str] = {}
    found = True
    while found:
        found = False
        for node in nodes:
            for dep in node.deps if node.key not in held else ():
                if dep in by_key and (dep in held or by_key[dep].location != node.location):
                    held[node.key] = held.get(dep, dep)
                    found = True
                    break
    return held


def _wait_for_assets(api: DagsterApi, keys: Collection[str]) -> list[AssetNode]:
    deadline = time.monotonic() + SEEN_SECONDS
    while True:
        found = [node for node in api.assets() if node.key in keys]
        missing = sorted(set(keys) - {node.key for node in found})
        if not missing:
            return found
        if time.monotonic() > deadline:
            raise CommandError(f"Dagster does not know {', '.join(missing)}")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    run_command(main)
