"""One code location of Dagster+: in production, or in the branch deployment of a pull request."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from deploy.ci.command import CommandError, needed
from deploy.ci.rollout.image import Image
from deploy.ci.rollout.programs import read_program, run_program
from factories.core.yaml.variables import target

PROGRAM = "dagster-cloud"
FILE = "dagster_cloud.yaml"


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
    # `add-location` reads a location's entry as it stands, without the file's `defaults`.
    template = [PROGRAM, "ci", "template", "--dagster-cloud-yaml-path", FILE]
    template += ["--value", f"target={name}", "--value", f"registry={image.repository}"]
    text = read_program(root, template)
    check_target(text, location, name)
    with tempfile.TemporaryDirectory(prefix="dagster-plus-") as folder:
        file = Path(folder, FILE)
        file.write_text(text, encoding="utf-8")
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


def check_target(text: str, location: str, name: str) -> None:
    """Refuse to deploy a location whose code would work on another target.

    Args:
        text: `dagster_cloud.yaml`, with its defaults in each location.
        location: Which one is deployed.
        name: The target.

    Raises:
        CommandError: When the file lacks the location, or its containers that `DP_TARGET`.
    """
    found = [one for one in yaml.safe_load(text)["locations"] if one["location_name"] == location]
    if not found:
        raise CommandError(f"{FILE} has no location {location!r}")
    context: dict[str, Any] = found[0].get("container_context") or {}
    variables = [one.get("env_vars") or () for one in context.values() if isinstance(one, dict)]
    given = {str(one).rpartition("=")[2] for of in variables for one in of if _is_target(one)}
    if given != {name}:
        said = ", ".join(sorted(given)) or "none"
        raise CommandError(
            f"{FILE}: the DP_TARGET of the location {location!r} must be {name}, but is {said}:"
            ' its container_context needs `env_vars: ["DP_TARGET={{ target }}"]`'
        )


def _is_target(variable: object) -> bool:
    return str(variable).startswith("DP_TARGET=")


def _check_settings() -> None:
    needed("DAGSTER_CLOUD_ORGANIZATION", "the name of the organization in Dagster+")
    needed("DAGSTER_CLOUD_API_TOKEN", "a token of Dagster+ that may deploy")


def _last_line(text: str) -> str:
    lines = text.split()
    if not lines:
        raise CommandError("Dagster+ named no branch deployment for this pull request")
    return lines[-1]
