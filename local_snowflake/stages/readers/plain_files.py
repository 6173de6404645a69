"""Makes staged files readable for DuckDB: in UTF-8, compressed by gzip, zstd or not at all.

DuckDB derives the compression from the file's name, which is not reliable for staged files,
supports few encodings, and fails at the first invalid byte.
"""

from __future__ import annotations

import codecs
import gzip
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs

from local_snowflake.sql.errors import unsupported

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bz2"))
_BLOCK = 1 << 20


@dataclass(frozen=True)
class PlainFile:
    """A file that DuckDB can read.

    Attributes:
        path: Where it is.
        compression: `none`, `gzip` or `zstd`.
    """

    path: Path
    compression: str

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the uncompressed content."""
        with self.path.open("rb") as raw:
            if self.compression == "gzip":
                with gzip.GzipFile(fileobj=raw) as content:
                    yield content  # type: ignore[misc]  # it is a binary stream
            elif self.compression == "zstd":
                yield io.BufferedReader(pa.CompressedInputStream(raw, "zstd"))
            else:
                yield raw


@contextmanager
def open_plain_file(
    path: Path,
    compression: str,
    encoding: str = "utf-8",
    *,
    replace_invalid: bool = False,
    copies: Path,
) -> Iterator[PlainFile]:
    """Return the file itself, or for the duration of the context a cleaned copy if one is needed.

    Args:
        path: The staged file.
        compression: COMPRESSION of the file format: AUTO, NONE, GZIP or ZSTD.
        encoding: Python's name of the encoding.
        replace_invalid: Whether invalid bytes become U+FFFD; else reading them fails.
        copies: The folder for a cleaned copy.

    Raises:
        SqlError: The file's compression is not supported.
    """
    plain = PlainFile(path, _compression(path) if compression == "AUTO" else compression.lower())
    if encoding == "utf-8" and not (replace_invalid and _has_invalid_text(plain)):
        yield plain
        return
    copies.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=copies) as copy:
        errors = "replace" if replace_invalid else "strict"
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        with plain.open() as content:
            while block := content.read(_BLOCK):
                copy.write(decoder.decode(block))
        copy.write(decoder.decode(b"", final=True))
        copy.flush()
        yield PlainFile(Path(copy.name), "none")


def _compression(path: Path) -> str:
    with path.open("rb") as raw:
        begin = raw.read(4)
    found = next((name for magic, name in _MAGIC if begin.startswith(magic)), "none")
    if found == "bz2":
        raise unsupported("A file compressed by BZ2")
    return found


def _has_invalid_text(plain: PlainFile) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with plain.open() as content:
            while block := content.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return True
    return False
