from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]


def local_dir() -> Path:
    """The folder of everything that the local systems keep: `DP_LOCAL_DIR`, or `.local`."""
    chosen = os.environ.get("DP_LOCAL_DIR")
    return Path(chosen).resolve() if chosen else PROJECT_ROOT / ".local"


def replace_text(path: Path, text: str) -> None:
    """Replace a file in one step: no reader sees half of it, and no other user may read it.

    Args:
        path: The file. Writers must take turns.
        text: All that it shall hold.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
