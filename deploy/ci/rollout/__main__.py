"""`python -m deploy.ci.rollout LOCATION --image IMAGE`: where `DEPLOY_TO` says.

`DEPLOY_TO` is `dagster-plus`, `compose` or `kubernetes`. The other locations are not touched.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.ci.command import CommandError, needed, run_command, say
from deploy.ci.rollout.compose import roll_out_to_compose
from deploy.ci.rollout.dagster_plus import close_branch_deployment, roll_out_to_dagster_plus
from deploy.ci.rollout.image import Image
from deploy.ci.rollout.kubernetes import roll_out_to_kubernetes
from factories.cli.workspace import load_workspace
from factories.core.project import project_root
from factories.core.yaml.problems import ConfigError, nearest

WAYS = {
    "compose": roll_out_to_compose,
    "dagster-plus": roll_out_to_dagster_plus,
    "kubernetes": roll_out_to_kubernetes,
}


def main(arguments: list[str]) -> None:
    """Roll out a location, or close the branch deployment of a pull request."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.rollout", description=__doc__)
    parser.add_argument("location", nargs="?")
    parser.add_argument("--image", help="with its tag, as registry/repository:tag")
    parser.add_argument("--close", action="store_true", help="the pull request's branch deployment")
    given = parser.parse_args(arguments)
    root = project_root()
    way = needed("DEPLOY_TO", f"one of {', '.join(WAYS)}")
    if way not in WAYS:
        raise CommandError(f"DEPLOY_TO is {way!r}, but must be one of {', '.join(WAYS)}")
    if given.close:
        if way != "dagster-plus":
            raise CommandError(f"DEPLOY_TO is {way!r}: only Dagster+ has branch deployments")
        close_branch_deployment(root)
        return
    if not given.location or not given.image:
        parser.error("a location and --image are needed")
    check_location(root, given.location)
    WAYS[way](root, given.location, Image.read(given.image))
    say(f"{given.location} runs {given.image}")


def check_location(root: Path, location: str) -> None:
    """Refuse a location that the workspace does not have.

    Raises:
        CommandError: With the names that it has; also when `workspace.yaml` cannot be read.
    """
    try:
        names = [one.name for one in load_workspace(root)]
    except ConfigError as error:
        raise CommandError(str(error)) from None
    if location not in names:
        meant = nearest(location, names)
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise CommandError(
            f"there is no code location {location!r}{hint} (there are: {', '.join(names)})"
        )


if __name__ == "__main__":
    run_command(main)
