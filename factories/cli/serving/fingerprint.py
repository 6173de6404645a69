"""What a Dagster was started for, so that a command uses one only when it means the same."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import factories
from factories.core.process_identity import SERVED_BY_VARIABLE
from factories.core.project import MARKER
from factories.core.yaml.variables import target

KEY_FILE = "fingerprint.key"
IGNORED = "DP_IGNORED_VARIABLES"
# The project, the target and the instance are compared by themselves. Automation and alerts may
# differ: they are off where just what was asked for runs.
COMPARED_OTHERWISE = frozenset(
    {"DP_PROJECT_DIR", "DP_TARGET", "DAGSTER_HOME", SERVED_BY_VARIABLE, IGNORED}
    | {"DP_AUTOMATION", "DP_ALERTS"}
)
# What differs from one terminal to the next, and says nothing to a step.
OF_A_TERMINAL = re.compile(
    r"_|PWD|OLDPWD|SHLVL|PS1|PROMPT\w*|TERM\w*|COLORTERM|COLUMNS|LINES|LS_COLORS|NO_COLOR|FORCE_COLOR"
    r"|CLICOLOR\w*|PAGER|LESS\w*|EDITOR|VISUAL|HIST\w*|MAIL|WINDOWID|DISPLAY|WAYLAND_\w+|STY|TMUX\w*"
    r"|(VSCODE|KITTY|ITERM|WEZTERM|ALACRITTY|KONSOLE|GNOME|VTE|DBUS|DIRENV|STARSHIP|PYTEST)_\w+"
    r"|SSH_(AUTH_SOCK|AGENT_PID|CLIENT|CONNECTION|TTY)|XDG_(SESSION|RUNTIME|SEAT|VTNR|CURRENT)\w*"
    r"|INVOCATION_ID|JOURNAL_STREAM|BASH_FUNC_.*|VIRTUAL_ENV\w*|TMPDIR"
    r"|(GNU)?MAKEFLAGS|MFLAGS|MAKELEVEL|MAKEFILES|MAKEOVERRIDES|MAKE_TERM(OUT|ERR)"
)


@dataclass(frozen=True)
class Fingerprint:
    """What a Dagster works on. Nothing in it tells a secret.

    Reloading a code location reads YAML and Python again, in new processes. What is compared is
    what those inherit, and what the webserver and the daemon have read once.

    Attributes:
        project: The project's folder.
        target: Such as `local`.
        code: Digests and versions of what a reload does not read again, by what they are of.
        environment: A keyed digest of each environment variable's value, by its name.
    """

    project: str
    target: str
    code: Mapping[str, str]
    environment: Mapping[str, str]


def take_fingerprint(
    root: Path, home: Path, environ: Mapping[str, str] = os.environ
) -> Fingerprint:
    """Return what a Dagster would work on that is started now.

    Args:
        root: The project's folder.
        home: The instance's; holds the key of the digests.
        environ: The environment.
    """
    key = _read_key(home)
    return Fingerprint(
        project=str(root),
        target=target(environ),
        code={
            MARKER: _digest(root / MARKER),
            "dagster.yaml": _digest(home / "dagster.yaml"),
            "dagster's version": version("dagster"),
            "the installation of dp": str(Path(factories.__file__).parent),
        },
        environment={
            name: hmac.new(key, f"{name}={value}".encode(), hashlib.sha256).hexdigest()
            for name, value in _compared_variables(environ)
        },
    )


def describe_difference(served: Fingerprint, own: Fingerprint) -> str | None:
    """Return in words how a running Dagster differs from what a command needs; None if it does not.

    Variables are told by their names alone.
    """
    said = []
    if served.project != own.project:
        said.append(f"serves the project {served.project}, and this command is for {own.project}")
    if served.target != own.target:
        said.append(f"works on the target {served.target}, and this command on {own.target}")
    if parts := _differing(served.code, own.code):
        said.append(f"was started with another state of {', '.join(parts)}")
    if names := _differing(served.environment, own.environment):
        said.append(f"was started with other values of {', '.join(names)}")
    return "; it ".join(said) or None


def _differing(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    names = first.keys() | second.keys()
    return sorted(name for name in names if first.get(name) != second.get(name))


def _compared_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    ignored = COMPARED_OTHERWISE | {each.strip() for each in environ.get(IGNORED, "").split(",")}
    for name, value in environ.items():
        if name in ignored or OF_A_TERMINAL.fullmatch(name):
            continue
        # An environment that is activated says where `dp` is, and steps do not look for it.
        yield name, _without_activated(value, environ) if name == "PATH" else value


def _without_activated(path: str, environ: Mapping[str, str]) -> str:
    activated = environ.get("VIRTUAL_ENV")
    folders = path.split(os.pathsep)
    return os.pathsep.join(each for each in folders if each != f"{activated}/bin")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"


def _read_key(home: Path) -> bytes:
    """Return the instance's key, made at its first use: without it values cannot be guessed."""
    path = home / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if key := path.read_bytes():
            return key
        path.unlink(missing_ok=True)  # whoever made it was killed before it was written
        return _read_key(home)
    with os.fdopen(handle, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
