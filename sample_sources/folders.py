from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]


def local_dir() -> Path:
    """The folder of everything that the local systems keep: `DP_LOCAL_DIR`, or `.local`."""
    chosen = os.environ.get("DP_LOCAL_DIR")
    return Path(chosen).resolve() if chosen else PROJECT_ROOT / ".local"
