"""Looks for secrets where none must be: in files, texts, and the arguments of programs."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from factories.core.secret_mask import SecretMask

PACKED = {b"\x1f\x8b": gzip.decompress, b"\x78": zlib.decompress}


class SecretWatch:
    """Knows some secrets, and where they were found.

    A secret counts as found in each form that the masks know: in a URL, JSON, base64 or hex.

    Attributes:
        found: For each place, the names of the secrets in it.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {
            name: [form.encode() for form in SecretMask([secret])._secrets]
            for name, secret in secrets.items()
        }
        self.found: dict[str, set[str]] = {}
        self._watching = False
        self._reading = False

    def read_text(self, place: str, text: str | bytes) -> None:
        """Look into a text, also where it is compressed."""
        content = text.encode(errors="surrogateescape") if isinstance(text, str) else text
        for start, unpack in PACKED.items():
            if content.startswith(start):
                try:
                    self.read_text(f"{place} (packed)", unpack(content))
                except (OSError, zlib.error, EOFError):
                    continue
        names = {n for n, forms in self._forms.items() if any(form in content for form in forms)}
        if names:
            self.found.setdefault(place, set()).update(names)

    def read_folder(self, folder: Path, *, passing_over: frozenset[str] = frozenset()) -> None:
        """Look into every file below a folder, and at their names."""
        for path in sorted(folder.rglob("*")):
            self.read_text(f"the name of {path}", os.fsencode(path))
            if path.is_file() and path.name not in passing_over:
                self.read_text(str(path), path.read_bytes())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look also at the arguments of what this process starts, and at what it removes."""
        sys.addaudithook(self._look)  # for the rest of this process: it cannot be taken away
        self._watching = True
        try:
            yield
        finally:
            self._watching = False

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._watching or self._reading:
            return
        if event == "subprocess.Popen":
            self.read_text("the arguments of a program", repr(arguments[1]))
        elif event == "shutil.rmtree":
            self._reading = True
            try:
                self.read_folder(Path(str(arguments[0])))
            finally:
                self._reading = False
