"""The files that differ between a commit and what lies in the working tree."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GIT_TIMEOUT_SECONDS = 60
WORDS = {"A": "added", "M": "changed", "D": "deleted", "T": "changed"}


class GitError(Exception):
    """Git refused; the text is its own."""


@dataclass(frozen=True, order=True)
class FileChange:
    """One file that differs.

    Attributes:
        file: Its name, relative to the project, with slashes.
        what: `added`, `changed` or `deleted`; a renamed file is deleted under one name and added
            under the other.
        note: The file's other name, where it was renamed.
    """

    file: str
    what: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.file} was {self.note or self.what}"


def read_changes(root: Path, base: str) -> list[FileChange]:
    """Return what has changed since a branch left a base: commits, and what is not committed yet.

    Raises:
        GitError: When the base is unknown, or the folder is no work tree.
    """
    ancestor = run_git(root, "merge-base", base, "HEAD").strip()
    # Names are relative to the project, which may be a folder of a larger repository.
    status = ["diff", "--name-status", "-z", "-M", "--relative", ancestor, "--", "."]
    fields = run_git(root, *status).split("\0")[:-1]
    untracked = run_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    added = [FileChange(name, "added") for name in untracked.split("\0")[:-1]]
    return sorted([*_changes(iter(fields)), *added])


def _changes(fields: Iterator[str]) -> Iterator[FileChange]:
    for status in fields:
        name = next(fields)
        if status.startswith(("R", "C")):
            new = next(fields)
            if status.startswith("R"):
                yield FileChange(name, "deleted", f"renamed to {new}")
            yield FileChange(new, "added", f"renamed from {name}")
        else:
            yield FileChange(name, WORDS.get(status, "changed"))


def read_base_text(root: Path, base: str, file: str) -> str | None:
    """Return a file's text at the commit where a branch left a base; None where it had none.

    Raises:
        GitError: When the base is unknown.
    """
    ancestor = run_git(root, "merge-base", base, "HEAD").strip()
    try:
        return run_git(root, "show", f"{ancestor}:./{file}")
    except GitError:
        return None


def run_git(root: Path, *arguments: str) -> str:
    """Return what git prints.

    Raises:
        GitError: When it fails, or is not there.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be run: {error}") from None
    if done.returncode != 0:
        raise GitError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
