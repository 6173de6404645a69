"""Turns exceptions of DuckDB, sqlglot and fakesnow into errors for Snowflake's clients."""

from __future__ import annotations

import duckdb
import snowflake.connector.errors
from sqlglot.errors import SqlglotError

from local_snowflake.sql.errors import (
    ALREADY_EXISTS,
    CANCELED,
    DOES_NOT_EXIST,
    SYNTAX_ERROR,
    UNSUPPORTED,
    SqlError,
    syntax_error,
    unsupported,
)
from local_snowflake.sql.names import SEPARATOR
from local_snowflake.sql.statements import Statement

# DuckDB's exception classes and the error number and SQL state that Snowflake uses for the same.
# The first class that fits counts, so subclasses come before their base classes.
_DUCKDB_CODES: tuple[tuple[type[duckdb.Error], int, str], ...] = (
    (duckdb.InterruptException, CANCELED, "57014"),
    (duckdb.ParserException, SYNTAX_ERROR, "42000"),
    (duckdb.SyntaxException, SYNTAX_ERROR, "42000"),
    (duckdb.BinderException, 904, "42000"),
    (duckdb.CatalogException, DOES_NOT_EXIST, "42S02"),
    (duckdb.ConstraintException, 100072, "22000"),
    (duckdb.ConversionException, 100038, "22018"),
    (duckdb.OutOfRangeException, 100035, "22003"),
    (duckdb.TransactionException, 625, "57014"),
    (duckdb.Error, 100132, "P0000"),
)


def as_sql_error(error: Exception, statement: Statement) -> SqlError:
    """Turn any exception that running `statement` raised into an error for its client.

    Every exception gets an answer: drivers repeat a request for minutes after an HTTP 500.
    """
    if isinstance(error, SqlError):
        return error
    if isinstance(error, snowflake.connector.errors.Error):
        return _from_connector(error)
    if isinstance(error, SqlglotError):
        return syntax_error(_without_terminal_codes(str(error)))
    if isinstance(error, duckdb.Error):
        return _from_duckdb(error)
    return _from_python(error, statement)


def _from_python(error: Exception, statement: Statement) -> SqlError:
    if isinstance(error, OSError):
        return from_system(error)
    if isinstance(error, NotImplementedError):
        return unsupported(str(error) or statement.label)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return SqlError(
        f"This form of {statement.label} is not in the embedded warehouse ({reason}).",
        UNSUPPORTED,
        "0A000",
    )


def from_system(error: OSError) -> SqlError:
    """Return the error for what the system refuses: a full disk, a folder that is read-only."""
    reason = error.strerror or type(error).__name__
    return SqlError(f"The embedded warehouse cannot use its files: {reason}.", 603, "58030")


def error_from_stream(text: str) -> SqlError:
    """Restore an error of DuckDB from an Arrow stream, which passes on its text only."""
    kind = text.partition(" Error:")[0].replace(" ", "").replace("INTERRUPT", "Interrupt")
    found = getattr(duckdb, f"{kind}Exception", duckdb.Error)
    return _from_duckdb(found(text))


def _from_connector(error: snowflake.connector.errors.Error) -> SqlError:
    # raw_msg: the client adds number and state itself.
    message = (error.raw_msg or str(error)).replace(SEPARATOR, ".")
    if message.startswith("Catalog Error") and message.rstrip("!").endswith("already exists"):
        # Fakesnow gives every error of DuckDB's catalog the number for a missing object.
        return SqlError(message, ALREADY_EXISTS, "42710")
    sqlstate = error.sqlstate if error.sqlstate != "n/a" else "42000"
    return SqlError(message, max(error.errno, 0), sqlstate or "42000")


def _from_duckdb(error: duckdb.Error) -> SqlError:
    if "Division by zero" in str(error):
        return SqlError("Division by zero", 100051, "22012")
    if isinstance(error, duckdb.CatalogException) and "already exists" in str(error):
        return SqlError(str(error).replace(SEPARATOR, "."), ALREADY_EXISTS, "42710")
    number, sqlstate = next(
        (number, state) for kind, number, state in _DUCKDB_CODES if isinstance(error, kind)
    )
    return SqlError(str(error).replace(SEPARATOR, "."), number, sqlstate)


def _without_terminal_codes(text: str) -> str:
    return text.replace("\x1b[4m", "").replace("\x1b[0m", "")
