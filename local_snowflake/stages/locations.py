"""Where the files of stages are.

A location is `@[[database.]schema.]stage[/path]`, `@[…]%table[/path]` or `@~[/path]`; every part
may be quoted. The path is a prefix of the names of the files in the stage. fakesnow supports
neither quoted paths nor quoted stages after a schema, and has no user stage.

See https://docs.snowflake.com/en/user-guide/data-load-local-file-system-create-stage
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fakesnow.instance import GLOBAL_DATABASE_NAME

from local_snowflake.engine.context import StatementContext
from local_snowflake.sql.bindings import NO_BINDINGS
from local_snowflake.sql.errors import SqlError, does_not_exist, syntax_error, unsupported
from local_snowflake.sql.lexer import Reader, Token
from local_snowflake.sql.names import Name, complete_name

_PATH = re.compile(r'"((?:[^"]|"")*)"|([^"]+)')
USER_STAGE = "~"
LONGEST_FILE_NAME = 255


@dataclass(frozen=True)
class StagedFile:
    """A file in a stage.

    Attributes:
        path: Its path on this machine.
        name: Its path within the stage.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class StageLocation:
    """A stage and a path in it.

    Attributes:
        stage: The stage; None for the user stage. A table stage's name begins with `%`.
        path: The prefix of the names of its files.
        root: The stage's folder.
    """

    stage: Name | None
    path: str
    root: Path

    @property
    def label(self) -> str:
        """The prefix of file names in the results of LIST and COPY."""
        if self.stage is None or self.stage.name.startswith("%"):
            return ""
        return f"{self.stage.name.lower()}/"

    @property
    def folder(self) -> Path:
        """The folder of the path, for new files.

        Raises:
            SqlError: The path leads out of the stage.
        """
        folder = self.root / self.path.strip("/")
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise SqlError(f"The path {self.path!r} leads out of the stage.", 1011, "42601")
        return folder

    def files(self, pattern: str | None = None) -> list[StagedFile]:
        """Return the files whose names begin with the path, sorted by name.

        Args:
            pattern: A regular expression that must match whole names, with the stage's name before
                them.
        """
        prefix = self.path.lstrip("/")
        # Stages may hold many old files: only the folder of the path is searched.
        begin = StageLocation(self.stage, prefix.rpartition("/")[0], self.root).folder
        found = [
            StagedFile(path, path.relative_to(self.root).as_posix())
            for path in begin.rglob("*")
            if path.is_file()
        ]
        return sorted(
            (
                file
                for file in found
                if file.name.startswith(prefix)
                and (pattern is None or re.fullmatch(pattern, f"{self.label}{file.name}"))
            ),
            key=lambda file: file.name,
        )

    def named_files(self, names: list[str]) -> list[StagedFile]:
        """Return the files of FILES = (…), relative to the path.

        Raises:
            SqlError: One of them does not exist.
        """
        prefix = self.path.strip("/")
        by_name = {file.name: file for file in StageLocation(self.stage, "", self.root).files()}
        chosen = []
        for name in names:
            full = f"{prefix}/{name.lstrip('/')}" if prefix else name.lstrip("/")
            if full not in by_name:
                raise SqlError(
                    f"Remote file '{self.label}{full}' was not found. If you are running a copy "
                    "command, please make sure files are not deleted when they are being loaded.",
                    91016,
                    "22000",
                )
            chosen.append(by_name[full])
        return chosen

    def files_matching(self, pattern: str) -> list[StagedFile]:
        """Return the files directly in the folder whose names match a shell pattern."""
        folder = self.folder
        return [
            f
            for f in self.files()
            if f.path.parent == folder and fnmatch.fnmatch(f.path.name, pattern)
        ]


def read_location(reader: Reader, session: StatementContext) -> StageLocation:
    """Read a location, quoted as a whole or not.

    Raises:
        SqlError: There is no location, or its stage does not exist.
    """
    return location_from(reader.expect_kind("location", "string"), session)


def is_location(token: Token) -> bool:
    """Whether a token is a location."""
    return token.kind == "location" or (token.kind == "string" and token.text.startswith("@"))


def location_from(token: Token, session: StatementContext) -> StageLocation:
    """Return the location that a token names.

    Raises:
        SqlError: It is no location, or its stage does not exist.
    """
    if not token.text.startswith("@"):
        if re.match(r"\w+://", token.text):
            raise unsupported(
                f"A location outside of the warehouse ({token.text.split(':')[0]}://)"
            )
        raise syntax_error(f"{token.text!r} does not start with @")
    head, path = _split(token.text[1:])
    parts = path.split("/")
    if ".." in parts:
        raise SqlError(f"The path {path!r} has .., which leads out of the stage.", 1011, "42601")
    if "." in parts:
        raise SqlError(f"The path {path!r} has ., which is no part of a name.", 1011, "42601")
    if head.startswith(USER_STAGE):
        if head != USER_STAGE:
            raise syntax_error(
                f"@{head} is no stage: a path in the user stage begins with @~/, that of a table"
                " with @%"
            )
        return StageLocation(None, path, session.warehouse.stages / USER_STAGE)
    stage = complete_name(_parts(head), session)
    _check_exists(stage, session)
    return StageLocation(stage, path, folder_of(stage, session))


def folder_of(stage: Name, session: StatementContext) -> Path:
    """Return the folder of a stage."""
    return stage_folder(stage, session.warehouse.stages)


def stage_folder(stage: Name, stages: Path) -> Path:
    """Return the folder of a stage below the folder of all stages."""
    return stages.joinpath(stage.database, *map(_file_name, (stage.schema, stage.name)))


def _file_name(part: str) -> str:
    """Return a part of a name as a file's: a long one, or one in another script, is shortened."""
    encoded = quote(part, safe="").replace(".", "%2E")
    if len(encoded) <= LONGEST_FILE_NAME:
        return encoded
    return f"{encoded[:100]}~{hashlib.sha256(part.encode()).hexdigest()}"


def _split(text: str) -> tuple[str, str]:
    """Split a location at the first slash outside quotes, and unquote the path."""
    head = re.match(r'(?:"(?:[^"]|"")*"|[^"/])*', text)
    cut = head.end() if head else 0
    path = _PATH.sub(
        lambda m: (m[1] or "").replace('""', '"') if m[2] is None else m[2], text[cut:]
    )
    return text[:cut], path.lstrip("/")


def _parts(head: str) -> list[str]:
    """Return the parts of a stage's name: `"S".%t` is S and %T, and so is `s."%T"`."""
    parts: list[str] = []
    reader = Reader(head, NO_BINDINGS)
    while True:
        if parts and reader.accept("."):  # db..stage is db.PUBLIC.stage
            parts.append("PUBLIC")
        is_table = reader.accept("%")
        token = reader.expect_kind("word", "name")
        name = token.upper if token.kind == "word" else token.text
        parts.append(f"%{name}" if is_table else name)
        if not reader.accept("."):
            reader.expect_end()
            return parts


def _check_exists(stage: Name, session: StatementContext) -> None:
    if stage.name.startswith("%"):
        table = session.temporaries.physical(Name(stage.database, stage.schema, stage.name[1:]))
        sql = (
            "SELECT 1 FROM duckdb_tables() "
            "WHERE table_name = ? AND database_name = ? AND schema_name = ?"
        )
        values = [table.name, table.database, table.schema]
    else:
        sql = (
            f"SELECT 1 FROM {GLOBAL_DATABASE_NAME}._fs_information_schema._fs_stages "  # noqa: S608 - a constant
            "WHERE name = ? AND database_name = ? AND schema_name = ?"
        )
        values = [stage.name, stage.database, stage.schema]
    if session.duck.execute(sql, values).fetchone() is None:
        raise does_not_exist("Stage", stage)
