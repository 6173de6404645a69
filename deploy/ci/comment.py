"""`python -m deploy.ci.comment FILE --pull-request NUMBER`: one comment, updated in place.

The file's first line, such as `<!-- dp plan -->`, is how the comment is found again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deploy.ci.command import CommandError, add_summary, run_command, say
from deploy.ci.github import Repository

LONGEST = 65_536  # characters of a comment; GitHub refuses more
CUT = "**This comment is cut: the whole text is in the summary of the workflow's run.**"


def main(arguments: list[str]) -> None:
    """Show the file in the run's summary, and post or update the comment."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.comment", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pull-request", type=int, help="by default only the summary gets it")
    given = parser.parse_args(arguments)
    try:
        text = given.file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandError(f"{given.file} cannot be read: {error.strerror}") from None
    add_summary(text)
    if given.pull_request is not None:
        say(put_comment(Repository.of_workflow(), given.pull_request, text))


def put_comment(repository: Repository, pull_request: int, text: str) -> str:
    """Update the comment that begins as the text does, or post it; return what was done.

    Raises:
        CommandError: When the text does not begin with a mark, or GitHub refuses.
    """
    mark = text.partition("\n")[0].strip()
    if not (mark.startswith("<!--") and mark.endswith("-->")):
        raise CommandError(
            f"a comment must begin with a line such as <!-- dp plan -->, not {mark!r}"
        )
    body = shorten(text)
    comments = repository.list_all(f"issues/{pull_request}/comments")
    found = next((one for one in comments if _is_ours(one, mark)), None)
    if found is None:
        made = repository.send("POST", f"issues/{pull_request}/comments", {"body": body})
        return f"posted {made['html_url']}"
    if found["body"] == body:
        return f"nothing has changed in {found['html_url']}"
    repository.send("PATCH", f"issues/comments/{found['id']}", {"body": body})
    return f"updated {found['html_url']}"


def _is_ours(comment: dict[str, Any], mark: str) -> bool:
    """Tell whether a workflow has posted it: a person who quotes a plan keeps their words."""
    lines = str(comment["body"] or "").splitlines()
    user = comment["user"] or {}
    return bool(lines) and lines[0].strip() == mark and user.get("type") == "Bot"


def shorten(text: str) -> str:
    """Return a text that GitHub takes: lines at its end are left out, and it says so at the top."""
    if len(text) <= LONGEST:
        return text
    mark, _, rest = text.partition("\n")
    head = f"{mark}\n{CUT}\n\n"
    return head + rest[: LONGEST - len(head)].rpartition("\n")[0]


if __name__ == "__main__":
    run_command(main)
