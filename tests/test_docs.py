"""What the Markdown files name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "automation_story|benchmarks|code_locations|constraints|deploy|docs|factories|kill_matrix"
    "|local_snowflake|sample_sources|tests"
)
# Paths in prose that begin with a folder of the project; `*` and `…` stand for any name.
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
LINKED = re.compile(r"\]\((?!\w+:|#)([^)#]+)[^)]*\)")


def _markdown_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(listed.stdout.split())


def _exists(path: str, folder: Path) -> bool:
    """Tell whether a path is there, or is for who deploys to make: git ignores it."""
    if any(ROOT.glob(path)) or any(folder.glob(path)):
        return True
    ignored = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False)
    return ignored.returncode == 0


@pytest.mark.parametrize("name", _markdown_files())
def test_every_path_that_a_page_names_or_links_to_exists(name: str) -> None:
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    named = [path for path in NAMED.findall(text) if not _exists(path, page.parent)]
    linked = [path for path in LINKED.findall(text) if not (page.parent / path).exists()]

    assert (named, linked) == ([], [])
