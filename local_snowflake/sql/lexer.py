"""Reading the statements about stages and files, which sqlglot knows in part only.

Its grammar has neither REMOVE nor GET, reads PUT without commas between options, and turns a
location with quoted parts (`@"S"."%T"/"1.2"/file`) into something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import syntax_error

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<string>'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)
      | (?P<name>"(?:[^"]|"")*")
      | (?P<location>@(?:"(?:[^"]|"")*"|[^\s"(),;'])+)
      | (?P<file>file://[^\s;]+)
      | (?P<bind>\?)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_$][\w$]*)
      | (?P<symbol>=>|::|.)""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_ESCAPE = re.compile(r"''|\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


@dataclass(frozen=True)
class Token:
    """A piece of a statement.

    Attributes:
        kind: string, name, location, file, number, word, symbol, bind or end.
        text: What it means: a string without its quotes and escapes, a quoted name without its
            quotes, anything else as it is written.
        start: Where it begins in the statement.
        end: Where it ends.
    """

    kind: str
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        """The text of a word in upper case; empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""


class Reader:
    """Goes through the tokens of a statement.

    Args:
        sql: The statement.
        bindings: The values of its `?`, each of which reads as a string.

    Raises:
        SqlError: A `?` has no value.
    """

    def __init__(self, sql: str, bindings: Bindings) -> None:
        self.sql = sql
        self._tokens = tokens_of(sql, bindings.rows[0])
        self._position = 0

    @property
    def next(self) -> Token:
        """The token that comes next; of kind `end` at the end."""
        return self._tokens[self._position]

    @property
    def after_next(self) -> Token:
        """The token after the next one."""
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is then behind us."""
        token = self.next
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def accept(self, *texts: str) -> bool:
        """Step over the next tokens if they are these words or symbols."""
        ahead = self._tokens[self._position : self._position + len(texts)]
        found = [t.upper or (t.text if t.kind == "symbol" else "") for t in ahead]
        if found != list(texts):
            return False
        self._position += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        """Step over the next tokens, which have to be these.

        Raises:
            SqlError: They are not.
        """
        if not self.accept(*texts):
            raise self.unexpected(" ".join(texts))

    def expect_kind(self, *kinds: str) -> Token:
        """The next token, which has to be of one of these kinds.

        Raises:
            SqlError: It is not.
        """
        if self.next.kind not in kinds:
            raise self.unexpected(" or ".join(kinds))
        return self.take()

    def expect_end(self) -> None:
        """Make sure that the statement is at its end.

        Raises:
            SqlError: It goes on.
        """
        if self.next.kind != "end":
            raise self.unexpected("the end")

    def parenthesised(self) -> list[Token]:
        """Step over the group that begins with the next token, `(`; the tokens inside it."""
        self.expect("(")
        first, depth = self._position, 1
        while depth:
            if self.next.kind == "end":
                raise self.unexpected(")")
            token = self.take()
            if token.kind == "symbol":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
        return self._tokens[first : self._position - 1]

    def rest(self) -> list[Token]:
        """All tokens that are still to come."""
        return self._tokens[self._position : -1]

    def unexpected(self, wanted: str) -> Exception:
        """The error for a token that should not be here."""
        found = self.next.text or "the end of the statement"
        return syntax_error(
            f"syntax error at position {self.next.start}: {found!r} where {wanted} is expected."
        )


def text_of(literal: str) -> str:
    """What a string constant means, without its quotes and escapes."""
    if literal.startswith("$$"):
        return literal[2:-2]
    return _ESCAPE.sub(_unescaped, literal[1:-1])


def tokens_of(sql: str, values: Any = None) -> list[Token]:
    """The tokens of a text; each `?` is a string with the next of the values.

    Raises:
        SqlError: There are values, and fewer than `?`.
    """
    remaining: list[Any] = list(values) if isinstance(values, Sequence) else []
    tokens = []
    for match in _TOKEN.finditer(sql):
        kind, text = str(match.lastgroup), match[0]
        if kind == "blank":
            continue
        if kind == "string":
            text = text_of(text)
        elif kind == "name":
            text = text[1:-1].replace('""', '"')
        elif kind == "bind" and values is not None:
            if not remaining:
                raise syntax_error("a ? has no value")
            kind, text = "string", str(remaining.pop(0))
        tokens.append(Token(kind, text, match.start(), match.end()))
    return [*tokens, Token("end", "", len(sql), len(sql))]


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return "'"
    if code[0] in "xu" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit() and code != "0":
        return chr(int(code, 8))
    return _CONTROL.get(code, code)
