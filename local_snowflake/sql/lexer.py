"""Cuts SQL into tokens: what a statement's code is, and what is a string, a name or a comment.

Statements about stages, files, procedures and functions are read from these tokens (`Reader`):
sqlglot knows neither REMOVE nor GET, reads PUT without commas between options, and turns a location
with quoted parts (`@"S"."%T"/"1.2"/file`) into something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_snowflake.sql.bindings import NO_BINDINGS, Bindings
from local_snowflake.sql.errors import syntax_error

STRING = r"'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$"
QUOTED_NAME = r'"(?:[^"]|"")*"'
# `//` starts a comment, but not in file://.
COMMENT = r"--[^\n]*|(?<!:)//[^\n]*|/\*.*?\*/"

NOT_CODE = re.compile(
    rf"(?P<string>{STRING})|(?P<name>{QUOTED_NAME})|(?P<comment>{COMMENT})", re.DOTALL
)
_TOKEN = re.compile(
    rf"""(?P<blank>\s+|{COMMENT})
      | (?P<string>{STRING})
      | (?P<name>{QUOTED_NAME})
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


def strip_comments(sql: str) -> str:
    """Remove comments and surrounding blanks; strings and names stay as they are."""
    return NOT_CODE.sub(lambda m: " " if m["comment"] else m[0], sql).strip()


def split_code(sql: str) -> list[tuple[str, bool]]:
    """Cut the text into pieces: (piece, whether it is code and not a string, name or comment)."""
    pieces = []
    start = 0
    for match in NOT_CODE.finditer(sql):
        pieces += [(sql[start : match.start()], True), (match[0], False)]
        start = match.end()
    return [*pieces, (sql[start:], True)]


@dataclass(frozen=True)
class Token:
    """A piece of a statement.

    Attributes:
        kind: string, name, location, file, number, word, symbol, bind or end.
        text: Its meaning: a string without its quotes and escapes, a quoted name without its
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
    """Reads a statement token by token.

    Args:
        sql: The statement.
        bindings: The values of its `?`, each of which reads as a string.

    Raises:
        SqlError: A `?` has no value.
    """

    def __init__(self, sql: str, bindings: Bindings = NO_BINDINGS) -> None:
        self.sql = sql
        self._tokens = tokenize(sql, bindings.rows[0])
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
        """Return the next token and step over it."""
        token = self.next
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def comes(self, *texts: str) -> bool:
        """Whether the next tokens are these words or symbols."""
        ahead = self._tokens[self._position : self._position + len(texts)]
        return [t.upper or (t.text if t.kind == "symbol" else "") for t in ahead] == list(texts)

    def accept(self, *texts: str) -> bool:
        """Step over the next tokens if they are these words or symbols."""
        if not self.comes(*texts):
            return False
        self._position += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        """Step over the next tokens, which must be these words or symbols.

        Raises:
            SqlError: They are others.
        """
        if not self.accept(*texts):
            raise self.unexpected(" ".join(texts))

    def expect_kind(self, *kinds: str) -> Token:
        """Return the next token, which must be of one of these kinds, and step over it.

        Raises:
            SqlError: It is of another kind.
        """
        if self.next.kind not in kinds:
            raise self.unexpected(" or ".join(kinds))
        return self.take()

    def expect_end(self) -> None:
        """Make sure that the statement ends here.

        Raises:
            SqlError: More tokens follow.
        """
        if self.next.kind != "end":
            raise self.unexpected("the end")

    def read_parentheses(self) -> list[Token]:
        """Step over a group in parentheses and return the tokens inside it.

        Raises:
            SqlError: The next token is no `(`, or the group is not closed.
        """
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
        """Return all tokens that are not read yet."""
        return self._tokens[self._position : -1]

    def unexpected(self, expected: str) -> Exception:
        """Make the error for the next token, in whose place something else is expected."""
        found = self.next.text or "the end of the statement"
        return syntax_error(
            f"syntax error at position {self.next.start}: {found!r} where {expected} is expected."
        )


def tokenize(sql: str, values: Any = None) -> list[Token]:
    """Cut a text into tokens; each `?` becomes a string with the next of the values.

    Raises:
        SqlError: There are values, but fewer than `?`.
    """
    remaining: list[Any] = list(values) if isinstance(values, Sequence) else []
    tokens = []
    for match in _TOKEN.finditer(sql):
        kind, text = str(match.lastgroup), match[0]
        if kind == "blank":
            continue
        if kind == "string":
            text = unquote_string(text)
        elif kind == "name":
            text = text[1:-1].replace('""', '"')
        elif kind == "bind" and values is not None:
            if not remaining:
                raise syntax_error("a ? has no value")
            kind, text = "string", str(remaining.pop(0))
        tokens.append(Token(kind, text, match.start(), match.end()))
    return [*tokens, Token("end", "", len(sql), len(sql))]


def unquote_string(literal: str) -> str:
    """Return the value of a string constant, without its quotes and escapes."""
    if literal.startswith("$$"):
        return literal[2:-2]
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code is None:
        return "'"
    if code[0] in "xu" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit() and code != "0":
        return chr(int(code, 8))
    return _CONTROL.get(code, code)
