"""The error that a statement fails with, in the form that Snowflake's clients understand."""

from __future__ import annotations

from dataclasses import dataclass

SYNTAX_ERROR = 1003
UNSUPPORTED = 2
CANCELED = 604
ALREADY_EXISTS = 2002
DOES_NOT_EXIST = 2003


@dataclass
class SqlError(Exception):
    """A statement failed; the client receives it as `success: false`.

    Attributes:
        message: What went wrong, for the person who wrote the statement.
        code: Snowflake's error number.
        sqlstate: Snowflake's SQL state.
    """

    message: str
    code: int
    sqlstate: str

    def __str__(self) -> str:
        return self.message


def unsupported(feature: str, because: str = "") -> SqlError:
    """Make the error for a feature that the embedded warehouse does not have.

    Args:
        feature: What it is, as the message begins.
        because: The reason, as the message ends, without a full stop.
    """
    reason = f": {because}" if because else ""
    return SqlError(f"{feature} is not in the embedded warehouse{reason}.", UNSUPPORTED, "0A000")


def syntax_error(message: str) -> SqlError:
    """Make the error for a statement that cannot be parsed."""
    return SqlError(f"SQL compilation error:\n{message}", SYNTAX_ERROR, "42000")


def already_exists(name: object) -> SqlError:
    """Make the error for CREATE of an object whose name is taken."""
    message = f"SQL compilation error:\nObject '{name}' already exists."
    return SqlError(message, ALREADY_EXISTS, "42710")


def does_not_exist(kind: str, name: object, sqlstate: str = "02000") -> SqlError:
    """Make the error for an object that does not exist.

    Args:
        kind: The kind of object, as the message begins: `Table`, `File format`.
        name: Its name.
        sqlstate: Snowflake's SQL state; tables and views have one of their own.
    """
    message = f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized."
    return SqlError(message, DOES_NOT_EXIST, sqlstate)


def canceled() -> SqlError:
    """Make the error for a statement that was canceled."""
    return SqlError("SQL execution canceled", CANCELED, "57014")
