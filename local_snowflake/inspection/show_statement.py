"""The parts of a SHOW statement."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import TokenType

from local_snowflake.sql.errors import syntax_error
from local_snowflake.sql.lexer import strip_comments

_SCOPES = {"IN", "ON", "TO", "OF", "FOR"}
_ENDS = {"LIKE", "STARTS", "LIMIT", "HISTORY"}


@dataclass
class Show:
    """A parsed SHOW statement.

    Attributes:
        kind: TABLES, USER FUNCTIONS, PRIMARY KEYS, ….
        terse: Whether only the first columns are shown.
        like: The pattern that names must match, case-insensitive.
        starts_with: The prefix of names.
        limit: The maximum number of rows.
        after: The name of LIMIT … FROM, after which rows begin.
        preposition: IN, ON, TO or OF.
        scope_kind: ACCOUNT, DATABASE, SCHEMA, TABLE, ROLE, …; empty when there is only a name.
        scope: The stored parts of the name after it.
    """

    kind: str = ""
    terse: bool = False
    like: str | None = None
    starts_with: str | None = None
    limit: int | None = None
    after: str | None = None
    preposition: str = ""
    scope_kind: str = ""
    scope: tuple[str, ...] = ()


def read_show(sql: str) -> Show:
    """Parse a SHOW statement.

    Raises:
        SqlError: It is no SHOW statement.
    """
    tokens = sqlglot.tokenize(strip_comments(sql), read="snowflake")
    words = [token.text.upper() for token in tokens]
    show = Show()
    position = 1
    if words[1:2] == ["TERSE"]:
        show.terse, position = True, 2
    kind = []
    while position < len(words) and words[position] not in _SCOPES | _ENDS:
        kind.append(words[position])
        position += 1
    show.kind = " ".join(kind)
    while position < len(tokens):
        word, following = words[position], tokens[position + 1 :]
        if word == "HISTORY":
            position += 1
        elif word == "LIKE" and following:
            show.like, position = following[0].text, position + 2
        elif word == "STARTS" and len(following) > 1:
            show.starts_with, position = following[1].text, position + 3
        elif word == "LIMIT" and following:
            show.limit, position = int(following[0].text), position + 2
            if words[position : position + 1] == ["FROM"]:
                show.after, position = tokens[position + 1].text, position + 2
        elif word in _SCOPES:
            show.preposition = word
            position = _read_scope(show, tokens, position + 1)
        else:
            raise syntax_error(f"unexpected {tokens[position].text!r} in SHOW {show.kind}")
    return show


def _read_scope(show: Show, tokens: list[sqlglot.Token], position: int) -> int:
    """Read `DATABASE x`, `SCHEMA a.b`, `ACCOUNT` or a name; return where the rest begins."""
    kinds: list[str] = []
    parts: list[str] = []
    while position < len(tokens) and tokens[position].text.upper() not in _ENDS:
        token = tokens[position]
        after = tokens[position + 1] if position + 1 < len(tokens) else None
        if token.token_type == TokenType.DOT:
            position += 1
            continue
        is_quoted = token.token_type in {TokenType.IDENTIFIER, TokenType.STRING}
        is_last = after is None or after.text.upper() in _ENDS
        follows_dot = tokens[position - 1].token_type == TokenType.DOT
        before_dot = after is not None and after.token_type == TokenType.DOT
        if is_quoted or follows_dot or before_dot or (is_last and (kinds or _is_name(token))):
            parts.append(token.text if is_quoted else token.text.upper())
        else:
            kinds.append(token.text.upper())
        position += 1
    show.scope_kind = " ".join(kinds)
    show.scope = tuple(parts)
    return position


def _is_name(token: sqlglot.Token) -> bool:
    return token.text.upper() not in {"ACCOUNT", "DATABASE", "SCHEMA", "SESSION", "TABLE", "VIEW"}
