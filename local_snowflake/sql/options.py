"""Options of statements: `NAME = value`, with or without commas between them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from local_snowflake.sql.errors import SqlError, unsupported
from local_snowflake.sql.lexer import Reader

Value = Any
"""A string, a whole number, a boolean, a list of strings, or `Options` for `(NAME = value …)`."""


class Options:
    """Options by name, which record which of them were read.

    A statement that does not read an option does not support it, and `expect_all_read` refuses it:
    so no option is ignored by oversight.
    """

    def __init__(self, values: dict[str, Value] | None = None) -> None:
        self._values = dict(values or {})
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def as_dict(self) -> dict[str, Value]:
        """Return all options in a form that can be stored as JSON."""
        return {
            name: value.as_dict() if isinstance(value, Options) else value
            for name, value in self._values.items()
        }

    def get(self, name: str) -> Value:
        """Return an option as it was written; None if it is not given."""
        self._read.add(name)
        return self._values.get(name)

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return an option that is a string."""
        value = self.get(name)
        return default if value is None else _as_text(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return an option that is TRUE or FALSE.

        Raises:
            SqlError: It has another value.
        """
        value = self.get(name)
        if value is None:
            return default
        if _as_text(value).upper() not in {"TRUE", "FALSE"}:
            raise _invalid(name, value)
        return _as_text(value).upper() == "TRUE"

    def number(self, name: str, default: int) -> int:
        """Return an option that is a whole number.

        Raises:
            SqlError: It has another value.
        """
        value = self.get(name)
        if value is None:
            return default
        if not _as_text(value).isdigit():
            raise _invalid(name, value)
        return int(value)

    def choice(self, name: str, default: str, allowed: Collection[str]) -> str:
        """Return an option that is one of several words.

        Raises:
            SqlError: It has another value.
        """
        value = str(self.text(name, default)).upper()
        if value not in allowed:
            raise _invalid(name, value)
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return an option that is a list of strings, or one string."""
        value = self.get(name)
        if value is None:
            return None
        return [_as_text(item) for item in value] if isinstance(value, list) else [_as_text(value)]

    def accept_any(self, *names: str) -> None:
        """Accept options that change nothing here, such as those for speed."""
        self._read.update(names)

    def expect_default(self, name: str, *defaults: Value) -> None:
        """Refuse an option unless it has one of the values that apply here anyway.

        Raises:
            SqlError: It has another value.
        """
        value = self.get(name)
        if value is not None and _as_text(value).upper() not in {str(d).upper() for d in defaults}:
            raise unsupported(f"{name} = {_as_text(value)}")

    def expect_all_read(self, statement: str) -> None:
        """Refuse options that were not read.

        Raises:
            SqlError: An option was not read.
        """
        for name in self._values:
            if name not in self._read:
                raise unsupported(f"The option {name} of {statement}")


def read_options(reader: Reader) -> Options:
    """Read options up to the first token that is none."""
    values: dict[str, Value] = {}
    while reader.next.kind == "word" and reader.after_next.text in {"=", "=>"}:
        name = reader.take().upper
        reader.take()
        values[name] = _read_value(reader)
        reader.accept(",")
    return Options(values)


def read_create_modifiers(reader: Reader) -> tuple[bool, bool]:
    """Read the words between CREATE and the kind of object.

    Returns:
        Whether it replaces, and whether the object is temporary.
    """
    replace = reader.accept("OR", "REPLACE")
    reader.accept("SCOPED")
    temporary = any(reader.accept(word) for word in ("TEMP", "TEMPORARY", "VOLATILE"))
    return replace, temporary


def _read_value(reader: Reader) -> Value:
    if not reader.accept("("):
        token = reader.expect_kind("word", "string", "number", "name")
        if token.upper in {"TRUE", "FALSE"}:
            return token.upper == "TRUE"
        return int(token.text) if token.kind == "number" and token.text.isdigit() else token.text
    if reader.next.kind == "word" and reader.after_next.text == "=":
        options = read_options(reader)
        reader.expect(")")
        return options
    items = []
    while not reader.accept(")"):
        items.append(reader.expect_kind("word", "string", "number").text)
        if not reader.accept(","):
            reader.expect(")")
            break
    return items


def _as_text(value: Value) -> str:
    return str(value)


def _invalid(name: str, value: Value) -> SqlError:
    return SqlError(
        f"SQL compilation error:\ninvalid value [{_as_text(value)}] for parameter '{name}'",
        1008,
        "22023",
    )
