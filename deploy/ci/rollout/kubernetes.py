"""One code server on Kubernetes: a release of Dagster's chart for user code, for each location."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from deploy.ci.command import needed
from deploy.ci.rollout.image import Image
from deploy.ci.rollout.programs import run_program

CHART = "dagster-user-deployments"
VALUES = Path("deploy", "helm")
TIMEOUT = "10m"


def roll_out_to_kubernetes(root: Path, location: str, image: Image) -> None:
    """Upgrade the release of one location; Helm takes it back when it does not become ready.

    Raises:
        CommandError: When a setting is missing, or Helm fails.
    """
    command = helm_command(
        location,
        image,
        repository=needed("HELM_REPOSITORY", "the address of Dagster's chart repository"),
        namespace=needed("KUBE_NAMESPACE", "the namespace that Dagster runs in"),
    )
    with _kubeconfig() as config:
        run_program(root, command, {"KUBECONFIG": str(config)} if config else {})


def helm_command(location: str, image: Image, *, repository: str, namespace: str) -> list[str]:
    """Return the command that makes a release what a location's values and image say.

    The chart is the one of the installed Dagster.
    """
    deployed = "deployments[0].image"
    return [
        *("helm", "upgrade", "--install", f"dagster-{location.replace('_', '-')}", CHART),
        *("--repo", repository, "--version", version("dagster"), "--namespace", namespace),
        *("--values", str(VALUES / f"{location}.yaml")),
        *("--set-string", f"{deployed}.repository={image.repository},{deployed}.tag={image.tag}"),
        *("--atomic", "--timeout", TIMEOUT),
    ]


@contextmanager
def _kubeconfig() -> Iterator[Path | None]:
    """Give the file of `KUBE_CONFIG`, which only this user reads; None where it is not set."""
    text = os.environ.get("KUBE_CONFIG")
    if not text:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="kube-") as folder:
        file = Path(folder, "config")
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        yield file
