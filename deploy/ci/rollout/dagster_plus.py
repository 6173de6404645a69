"""One code location of Dagster+: in production, or in the branch deployment of a pull request."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.ci.command import CommandError, needed
from deploy.ci.rollout.image import Image
from deploy.ci.rollout.programs import read_program, run_program
from factories.core.yaml.variables import target

PROGRAM = "dagster-cloud"
FILE = "dagster_cloud.yaml"
PLATFORMS = ("docker", "ecs", "k8s")  # whose `container_context` has `env_vars`


def roll_out_to_dagster_plus(root: Path, location: str, image: Image) -> None:
    """Deploy one location, with the target that its code is to work on.

    `prod` goes to the deployment of that name, `pr_12` to the branch deployment of the pull
    request that the workflow runs for.

    Raises:
        CommandError: When a setting is missing, or Dagster+ does not load the location.
    """
    _check_settings()
    name = target()
    if name == "local":
        raise CommandError("DP_TARGET is not set: prod, or that of a pull request, as pr_12")
    deployment = "prod" if name == "prod" else branch_deployment(root)
    # `add-location` reads a location's entry alone: without the file's `defaults`.
    text = read_program(root, [PROGRAM, "ci", "template", "--dagster-cloud-yaml-path", FILE])
    entry = entry_with_target(text, location, name)
    with tempfile.TemporaryDirectory(prefix="dagster-plus-") as folder:
        file = Path(folder, FILE)
        file.write_text(yaml.safe_dump({"locations": [entry]}), encoding="utf-8")
        add = [PROGRAM, "deployment", "add-location", location, "--location-file", str(file)]
        add += ["--image", str(image), "--deployment", deployment]
        if commit := os.environ.get("GITHUB_SHA"):
            add += ["--commit-hash", commit]
        run_program(root, add)


def branch_deployment(root: Path) -> str:
    """Return the branch deployment of the workflow's pull request, which is made when it is new.

    Raises:
        CommandError: When Dagster+ names none.
    """
    command = [PROGRAM, "ci", "branch-deployment", ".", "--base-deployment-name", "prod"]
    return _last_line(read_program(root, command))


def close_branch_deployment(root: Path) -> None:
    """Delete the branch deployment of the workflow's pull request; there may be none.

    Raises:
        CommandError: When a setting is missing, or Dagster+ refuses.
    """
    _check_settings()
    closed = [PROGRAM, "ci", "branch-deployment", ".", "--mark-closed"]
    name = _last_line(read_program(root, closed))
    run_program(root, [PROGRAM, "branch-deployment", "delete", "--deployment", name])


def entry_with_target(text: str, location: str, name: str) -> Mapping[str, Any]:
    """Return a location's entry, whose code servers and runs get a `DP_TARGET`.

    Args:
        text: `dagster_cloud.yaml`, with its defaults in each location.
        location: Which one.
        name: The target.

    Raises:
        CommandError: When the file lacks the location, or what its containers are made of.
    """
    found = [one for one in yaml.safe_load(text)["locations"] if one["location_name"] == location]
    if not found:
        raise CommandError(f"{FILE} has no location {location!r}")
    entry: dict[str, Any] = dict(found[0])
    context: dict[str, Any] = dict(entry.get("container_context") or {})
    platforms = [one for one in PLATFORMS if one in context]
    if not platforms:
        raise CommandError(
            f"{FILE}: the location {location!r} has no container_context of {', '.join(PLATFORMS)}:"
            " without it DP_TARGET does not reach its code"
        )
    for platform in platforms:
        settings = dict(context[platform] or {})
        kept = [
            one for one in settings.get("env_vars") or () if not str(one).startswith("DP_TARGET=")
        ]
        context[platform] = {**settings, "env_vars": [*kept, f"DP_TARGET={name}"]}
    return {**entry, "container_context": context}


def _check_settings() -> None:
    needed("DAGSTER_CLOUD_ORGANIZATION", "the name of the organization in Dagster+")
    needed("DAGSTER_CLOUD_API_TOKEN", "a token of Dagster+ that may deploy")


def _last_line(text: str) -> str:
    lines = text.split()
    if not lines:
        raise CommandError("Dagster+ named no branch deployment for this pull request")
    return lines[-1]
