"""Finds the project folder."""

from __future__ import annotations

import os
from pathlib import Path

MARKER = "workspace.yaml"


def set_project_folders() -> None:
    """Tell this process, and those that it starts, which project and local folder they work on.

    The local systems do not know the project that a command is given in: without this they keep
    their data beside the package that is installed, which may be another checkout.
    """
    root = project_root()
    os.environ["DP_PROJECT_DIR"] = str(root)
    if not os.environ.get("DP_LOCAL_DIR"):
        os.environ["DP_LOCAL_DIR"] = str(root / ".local")


def project_root() -> Path:
    """Return the folder that holds `sling/`, `dlt_pipelines/` and the other YAML folders.

    `DP_PROJECT_DIR` when it is set, else the nearest folder at or above the current one with a
    `workspace.yaml`, else the folder above this package (an editable install).
    """
    if chosen := os.environ.get("DP_PROJECT_DIR"):
        return Path(chosen).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_file():
            return folder
    return Path(__file__).resolve().parents[2]
