"""One code server of the Compose project, on the machine that this runs on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from deploy.ci.command import CommandError, needed, say
from deploy.ci.rollout.image import Image
from deploy.ci.rollout.programs import read_program, run_program

COMPOSE_FILE = "compose.yaml"
VARIABLES = ".env"
# From the start of the new container to its first good answer: what comes before, a run that ends
# within the service's `stop_grace_period`, is not counted.
WAIT_SECONDS = "300"


def roll_out_to_compose(root: Path, location: str, image: Image) -> None:
    """Replace the container of one code server; when the new one is not healthy, take it back.

    Which images run stands in the project's `.env`: whoever starts the project on that machine
    starts the same.

    Raises:
        CommandError: When the new code server does not become healthy.
    """
    what = "the folder of compose.yaml and .env on the machine that runs the platform"
    folder = Path(needed("COMPOSE_FOLDER", what))
    variables = folder / VARIABLES
    name = f"{re.sub('[^A-Za-z0-9]', '_', location).upper()}_IMAGE"
    try:
        before = variables.read_text(encoding="utf-8")
        _tell_what_is_left(root / "deploy" / COMPOSE_FILE, folder / COMPOSE_FILE)
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from None
    run_program(root, ["docker", "pull", str(image)])
    replaced = False
    try:
        variables.write_text(set_variables(before, {name: str(image)}), encoding="utf-8")
        _check_image(root, folder, location, image)
        replaced = True
        _start(root, folder, location)
    except BaseException:
        variables.write_text(before, encoding="utf-8")
        former = read_variable(before, name)
        if replaced and former is not None:
            say(f"{location} goes back to {former}")
            _start(root, folder, location)
        raise


def _tell_what_is_left(committed: Path, used: Path) -> None:
    """Say when the project differs from the commit: the rollout of a location leaves that alone."""
    if committed.read_bytes() != used.read_bytes():
        say(f"{used} differs from the commit's: what differs is not rolled out with a location")


def _check_image(root: Path, folder: Path, location: str, image: Image) -> None:
    """Refuse a project whose service does not take its image from the variable."""
    command = [*_compose(folder), "config", "--format", "json"]
    services = json.loads(read_program(root, command))["services"]
    if location not in services:
        raise CommandError(f"{folder / COMPOSE_FILE} has no service {location!r}")
    if (used := str(services[location]["image"])) != str(image):
        raise CommandError(
            f"{folder / COMPOSE_FILE}: the image of {location} is {used}, and not what its variable"
            f" in {VARIABLES} says"
        )


def _start(root: Path, folder: Path, location: str) -> None:
    up = ["up", "--detach", "--no-build", "--no-deps", "--wait", "--wait-timeout", WAIT_SECONDS]
    run_program(root, [*_compose(folder), *up, location])


def _compose(folder: Path) -> list[str]:
    file = str(folder / COMPOSE_FILE)
    return ["docker", "compose", "--project-directory", str(folder), "--file", file]


def set_variables(text: str, values: Mapping[str, str]) -> str:
    """Return a file of variables with some of them set; the other lines stay as they are."""
    left = dict(values)
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0].strip()
        lines.append(f"{name}={left.pop(name)}" if name in left else line)
    return "\n".join([*lines, *(f"{name}={value}" for name, value in left.items()), ""])


def read_variable(text: str, variable: str) -> str | None:
    """Return what a file of variables gives one of them; None when that is nothing."""
    for line in text.splitlines():
        name, found, value = line.partition("=")
        if found and name.strip() == variable:
            return value.strip() or None
    return None
