"""The one error of building a source."""

from __future__ import annotations


class SourceError(Exception):
    """The source cannot be built from its configuration; the text says why."""
