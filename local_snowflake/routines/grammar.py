"""Parses CREATE PROCEDURE and CREATE FUNCTION.

See https://docs.snowflake.com/en/sql-reference/sql/create-procedure and
https://docs.snowflake.com/en/sql-reference/sql/create-function.
"""

from __future__ import annotations

from local_snowflake.routines.context import RoutineContext
from local_snowflake.routines.definitions import FUNCTION, Argument, Import, Routine
from local_snowflake.sql.errors import syntax_error, unsupported
from local_snowflake.sql.lexer import Reader, Token
from local_snowflake.sql.names import Name
from local_snowflake.sql.options import Options, read_options
from local_snowflake.sql.types import SnowflakeType, read_type
from local_snowflake.stages.locations import location_from

_OUTSIDE = {"EXTERNAL_ACCESS_INTEGRATIONS", "SECRETS"}
_PHRASES = {
    "CALLED ON NULL INPUT": "",
    "RETURNS NULL ON NULL INPUT": "STRICT",
    "STRICT": "STRICT",
    "NOT NULL": "",
    "COPY GRANTS": "",
    "VOLATILE": "",
    "IMMUTABLE": "IMMUTABLE",
    "MEMOIZABLE": "",
    "SECURE": "",
}
"""Phrases between the options, and the property that is stored of each."""


def read_routine(reader: Reader, kind: str, name: Name, session: RoutineContext) -> Routine:
    """Read a definition, from the parenthesis after its name on.

    Raises:
        SqlError: It is not in Python, uses an unsupported feature, or imports a missing file.
    """
    arguments = read_arguments(reader)
    reader.accept("COPY", "GRANTS")
    reader.expect("RETURNS")
    returns, columns = _read_returns(reader, kind)
    words, options, body = _read_clauses(reader, kind)
    language = (words.get("LANGUAGE") or "SQL").upper()
    if language != "PYTHON":
        raise unsupported(f"A {kind.lower()} in {language}")
    handler = options.text("HANDLER")
    if not handler:
        raise syntax_error("HANDLER names the Python function and is required.")
    options.accept_any(
        "ARTIFACT_REPOSITORY", "RESOURCE_CONSTRAINT", "LOG_LEVEL", "TRACE_LEVEL", "METRIC_LEVEL"
    )
    routine = Routine(
        kind=kind,
        name=name,
        arguments=arguments,
        returns=returns,
        columns=columns,
        handler=handler,
        body=body,
        runtime_version=options.text("RUNTIME_VERSION", "") or "",
        packages=tuple(options.texts("PACKAGES") or ()),
        imports=tuple(_import(text, session) for text in options.texts("IMPORTS") or ()),
        strict="STRICT" in words,
        immutable="IMMUTABLE" in words,
        execute_as=words.get("EXECUTE AS") or "OWNER",
        comment=options.text("COMMENT", "") or "",
    )
    options.expect_all_read(f"CREATE {kind}")
    if routine.body is None and not routine.imports:
        raise syntax_error("A handler needs a body (AS $$ … $$) or IMPORTS.")
    return routine


def read_types(reader: Reader) -> tuple[str, ...]:
    """Read the argument types by which DROP and DESCRIBE name a routine: `(INT, STRING)`."""
    reader.expect("(")
    kinds = []
    while not reader.accept(")"):
        kinds.append(read_type(reader).kind)
        if not reader.accept(","):
            reader.expect(")")
            break
    return tuple(kinds)


def read_arguments(reader: Reader) -> tuple[Argument, ...]:
    """Read `(name type [DEFAULT value], …)`."""
    reader.expect("(")
    arguments = []
    while not reader.accept(")"):
        token = reader.expect_kind("word", "name")
        kind = read_type(reader)
        reader.accept("NOT", "NULL")
        default = _read_default(reader) if reader.accept("DEFAULT") else None
        arguments.append(Argument(token.upper or token.text, kind, default))
        if not reader.accept(","):
            reader.expect(")")
            break
    return tuple(arguments)


def _read_default(reader: Reader) -> str:
    """Return the text up to the comma or parenthesis that ends the argument."""
    start, end = reader.next.start, reader.next.start
    while reader.next.text not in {",", ")"} and reader.next.kind != "end":
        end = reader.next.end
        if reader.next.text == "(":
            inner = reader.read_parentheses()
            end = (inner[-1].end if inner else end) + 1
        else:
            reader.take()
    return reader.sql[start:end]


def _read_returns(reader: Reader, kind: str) -> tuple[SnowflakeType | None, tuple[Argument, ...]]:
    if reader.accept("TABLE"):
        if kind == FUNCTION:
            raise unsupported("A table function (UDTF)")
        return None, read_arguments(reader)
    returns = read_type(reader)
    reader.accept("NOT", "NULL")
    return returns, ()


def _read_clauses(reader: Reader, kind: str) -> tuple[dict[str, str], Options, str | None]:
    """Read the clauses after RETURNS: keywords with their values, options, and the body."""
    for token in reader.rest():
        if token.upper in _OUTSIDE:
            raise unsupported(f"{token.upper} of a {kind.lower()}")
    words: dict[str, str] = {}
    values: dict[str, object] = {}
    body = None
    while reader.next.kind != "end":
        phrase = next((p for p in _PHRASES if reader.accept(*p.split())), None)
        if phrase is not None:
            words[_PHRASES[phrase]] = ""
        elif reader.accept("LANGUAGE"):
            words["LANGUAGE"] = reader.expect_kind("word").text
        elif reader.accept("AS"):
            body = reader.expect_kind("string").text
        elif reader.accept("EXECUTE", "AS"):
            restricted = reader.accept("RESTRICTED")
            word = reader.expect_kind("word").upper
            words["EXECUTE AS"] = f"RESTRICTED {word}" if restricted else word
        else:
            options = read_options(reader).as_dict()
            if not options:
                raise reader.unexpected("an option")
            values |= options
    return words, Options(values), body


def _import(text: str, session: RoutineContext) -> Import:
    location = location_from(Token("string", text, 0, 0), session)
    if not any(file.name == location.path for file in location.files()):
        raise syntax_error(f"The file {text} of IMPORTS is not in its stage.")
    return Import(location.stage, location.path)
