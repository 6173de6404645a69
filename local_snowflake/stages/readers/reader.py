"""What all readers of staged files have in common."""

from __future__ import annotations

from typing import Protocol

from local_snowflake.stages.readers.conversions import TextRules


def position_name(number: int) -> str:
    """Name the column at a position, from 1 on."""
    return f"${number}"


class FileReader(Protocol):
    """The rows of one file.

    Attributes:
        rules: How its texts are read.
    """

    rules: TextRules

    def by_position(self, width: int, *, exact: bool) -> str:
        """A SELECT whose columns are called `position_name(1)` and so on.

        Args:
            width: How many columns are wanted.
            exact: Whether the file has to have as many.

        Raises:
            SqlError: The file cannot be read so.
        """
        ...

    def fields_of_first(self) -> dict[str, str] | None:
        """The columns that the first column is made of and their types; None: it is a value."""
        ...

    def names(self) -> list[str]:
        """The names of its fields.

        Raises:
            SqlError: It has none.
        """
        ...

    def by_name(self) -> str:
        """A SELECT with a column for each of `names`, in that order."""
        ...

    def inferred(self) -> list[tuple[str, str]]:
        """The names of its fields and DuckDB's types that their values fit into."""
        ...
