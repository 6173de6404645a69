"""Where a file says a word, for mistakes that dbt reports without a line."""

from __future__ import annotations

import re
from pathlib import Path


def find_word(path: Path, word: str) -> tuple[int, int] | None:
    """Return the 1-based line and column of the first time that a file says a word.

    A word within a longer one does not count: `tabel` is not in `tabel_of_all`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
    if found is None:
        return None
    before = text[: found.start()].split("\n")
    return len(before), len(before[-1]) + 1
