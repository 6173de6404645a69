"""What a code location is made of: the files that loading it imports, reads and looks for.

`python location_inputs.py ROOT MODULE` prints it as JSON. It is run as a file, in the location's
environment: what it imported itself would look like the location's. Python tells by its audit
events which files are opened and which folders are listed (PEP 578), so nobody keeps a list.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import warnings
from typing import Any

LISTING_EVENTS = ("os.listdir", "os.scandir")


class FileWatch:
    """An audit hook that notes which files and folders below a root are opened."""

    def __init__(self, root: str) -> None:
        """Take the root; it notes nothing before it is given to `sys.addaudithook`."""
        self._root = root + os.sep
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one of Python's audit events."""
        if event == "open":
            self._note(arguments[0], self.files)
        elif event in LISTING_EVENTS:
            self._note(arguments[0], self.folders)

    def _note(self, path: object, found: set[str]) -> None:
        if isinstance(path, str | os.PathLike):  # else a descriptor, which was opened by a path
            name = relative_name(os.fspath(path), self._root)
            if name:
                found.add(name)


def relative_name(path: str | bytes, root: str) -> str:
    """Return a path relative to a root that ends with a separator; empty when it is not below."""
    whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - for each file that Python opens
    return whole.removeprefix(root) if whole.startswith(root) else ""


def main() -> None:
    """Load the module that the command line names, and print what of the project it needed."""
    root, module_name = sys.argv[1:]
    sys.path[0] = root
    watch = FileWatch(root)
    sys.addaudithook(watch)
    error = ""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            importlib.import_module(module_name)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever is wrong with the module
        error = f"{type(problem).__name__}: {problem}"
    files = {getattr(module, "__file__", None) for module in [*sys.modules.values()]} - {__file__}
    modules = {relative_name(file, root + os.sep) for file in files if file}
    found = {
        "modules": sorted(filter(None, modules)),
        "files": sorted(watch.files),
        "folders": sorted(watch.folders),
        "error": error,
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
