"""The interface of all readers of staged files."""

from __future__ import annotations

from typing import Protocol

from local_snowflake.stages.readers.conversions import TextRules


def position_name(number: int) -> str:
    """Return the name of the column at a position, from 1 on."""
    return f"${number}"


class FileReader(Protocol):
    """Reads the rows of one file.

    Attributes:
        rules: How its strings are converted.
    """

    rules: TextRules

    def select_by_position(self, width: int, *, exact: bool) -> str:
        """Return a SELECT whose columns are named `position_name(1)` and so on.

        Args:
            width: The number of columns.
            exact: Whether the file must have this number of columns.

        Raises:
            SqlError: The file cannot be read in this way.
        """
        ...

    def first_column_fields(self) -> dict[str, str] | None:
        """Return the fields of the first column and their types; None if it is a single value."""
        ...

    def field_names(self) -> list[str]:
        """Return the names of the fields.

        Raises:
            SqlError: The fields have no names.
        """
        ...

    def select_by_name(self) -> str:
        """Return a SELECT with a column for each of `field_names`, in that order."""
        ...

    def infer_types(self) -> list[tuple[str, str]]:
        """Return the names of the fields and the types in DuckDB that their values fit into."""
        ...
