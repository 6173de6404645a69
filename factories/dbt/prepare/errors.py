"""Why a dbt project has no manifest."""

from __future__ import annotations


class PrepareError(Exception):
    """A dbt project that cannot be parsed as things are; the text says what to do.

    Attributes:
        file: The file to look at, relative to the dbt project; empty for the project as a whole.
    """

    def __init__(self, message: str, file: str = "") -> None:
        Exception.__init__(self, message)
        self.file = file


class DbtParseError(PrepareError):
    """dbt refuses the project; the text is dbt's own."""
