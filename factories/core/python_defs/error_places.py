"""Where in the project's own files an error comes from."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

FACTORIES = Path(__file__).parents[2]


def error_place(error: BaseException, root: Path) -> tuple[Path, int] | None:
    """Return the file and line of the project's own code nearest to where an error was raised.

    Args:
        error: With its traceback.
        root: The project folder.

    Returns:
        None when no line of the project's had a part in it.
    """
    frames = traceback.walk_tb(error.__traceback__)
    places = [(Path(frame.f_code.co_filename), line) for frame, line in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((Path(error.filename), error.lineno or 1))
    return next((place for place in reversed(places) if is_own(place[0], root)), None)


def caller_place(frame: FrameType | None, root: Path) -> tuple[Path, int] | None:
    """Return the project's own file and line that called what now runs in a frame."""
    calls: Iterable[tuple[FrameType, int]] = traceback.walk_stack(frame)
    places = ((Path(frame.f_code.co_filename), line) for frame, line in calls)
    return next((place for place in places if is_own(place[0], root)), None)


def is_own(path: Path, root: Path) -> bool:
    """Tell whether a file belongs to the project: not to a library, and not to the factories."""
    return (
        path.is_relative_to(root)
        and not path.is_relative_to(Path(sys.prefix))
        and not path.is_relative_to(FACTORIES)
    )
