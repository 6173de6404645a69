"""`python -m automation_story [plain|demo]`: tell a story, in a temporary folder."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from automation_story.demo import tell_demo_story
from automation_story.plain import tell_plain_story

STORIES = {"plain": tell_plain_story, "demo": tell_demo_story}


def main() -> int:
    """Tell the story that is named."""
    parser = argparse.ArgumentParser(description="Let the real daemon run, and disturb it.")
    parser.add_argument("story", nargs="?", choices=STORIES, default="plain")
    parser.add_argument("--keep", type=Path, help="a folder that is used, and kept")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends then, too
    tell = STORIES[options.story]
    if options.keep:
        options.keep.mkdir(parents=True)
        tell(options.keep.resolve())
        return 0
    with tempfile.TemporaryDirectory(prefix="dp-", ignore_cleanup_errors=True) as folder:
        tell(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
