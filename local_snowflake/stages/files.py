"""PUT, GET, LIST and REMOVE.

What fakesnow lacks: REMOVE and GET; commas between options, OVERWRITE and SOURCE_COMPRESSION of
PUT; LIST of a path or with a pattern. The client moves the files itself: the response names
a folder of this machine ("LOCAL_FS").
"""

from __future__ import annotations

import glob
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs

from local_snowflake.engine.context import StatementContext
from local_snowflake.engine.results import StatementResult, number_column, rows_result, text_column
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError, syntax_error
from local_snowflake.sql.lexer import Reader
from local_snowflake.sql.options import read_options
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.locations import StageLocation, read_location

MOST_PARALLEL = 99
_SOURCE_COMPRESSIONS = {
    "AUTO_DETECT", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE",
}  # fmt: skip


class Put:
    """PUT: the client copies its files into the stage's folder."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is PUT."""
        return statement.keyword == "PUT"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Return where the client has to put the files.

        Raises:
            SqlError: The stage does not exist or an option is unknown.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("PUT")
        source = _local_path(reader)
        location = read_location(reader, session)
        options = read_options(reader)
        reader.expect_end()
        overwrite = options.flag("OVERWRITE", default=False)
        auto_compress = options.flag("AUTO_COMPRESS", default=True)
        compression = options.choice("SOURCE_COMPRESSION", "AUTO_DETECT", _SOURCE_COMPRESSIONS)
        parallel = options.number("PARALLEL", 4)
        options.expect_all_read("PUT")

        if not 1 <= parallel <= MOST_PARALLEL:
            raise SqlError(f"PARALLEL of PUT must be 1 to {MOST_PARALLEL}.", 1008, "22023")
        # Where there is no file, as the client will find: then nothing is changed.
        if not Path(source).is_absolute() or _is_there(source):
            _make_folder(location)
            if overwrite:
                _delete_overwritten(location, source)
        return _transfer(
            location.folder,
            command="UPLOAD",
            src_locations=[source],
            parallel=parallel,
            autoCompress=auto_compress,
            sourceCompression=compression.lower(),
            overwrite=overwrite,
        )


class Get:
    """GET: the client copies files out of the stage's folder."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is GET."""
        return statement.keyword == "GET"

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Return where the client finds the files.

        Raises:
            SqlError: The stage does not exist or an option is unknown.
        """
        reader = Reader(statement.sql, bindings)
        reader.expect("GET")
        location = read_location(reader, session)
        target = _local_path(reader)
        options = read_options(reader)
        reader.expect_end()
        pattern = options.text("PATTERN")
        parallel = options.number("PARALLEL", 10)
        options.expect_all_read("GET")
        return _transfer(
            location.root,
            command="DOWNLOAD",
            src_locations=[file.name for file in location.files(pattern)],
            parallel=parallel,
            localLocation=target,
            encryptionMaterial=[],
            presignedUrls=[],
        )


class ListFiles:
    """LIST: the files of a stage."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is LIST or its short form LS."""
        return statement.keyword in {"LIST", "LS"}

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Return name, size, MD5 and time of each file.

        Raises:
            SqlError: The stage does not exist.
        """
        location, pattern = _location_and_pattern(session, statement, bindings)
        rows = []
        for file in location.files(pattern):
            stat = file.path.stat()
            with file.path.open("rb") as content:
                md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False))
            modified = datetime.fromtimestamp(stat.st_mtime, UTC)
            rows.append(
                (
                    f"{location.label}{file.name}",
                    stat.st_size,
                    md5.hexdigest(),
                    modified.strftime("%a, %d %b %Y %H:%M:%S GMT"),
                )
            )
        columns = [
            text_column("name"),
            number_column("size"),
            text_column("md5"),
            text_column("last_modified"),
        ]
        return rows_result(rows, columns)


class RemoveFiles:
    """REMOVE: deletes files of a stage."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is REMOVE or its short form RM."""
        return statement.keyword in {"REMOVE", "RM"}

    def run(
        self, session: StatementContext, statement: Statement, bindings: Bindings
    ) -> StatementResult:
        """Delete the files at once: stages are not part of transactions.

        Raises:
            SqlError: The stage does not exist.
        """
        location, pattern = _location_and_pattern(session, statement, bindings)
        files = location.files(pattern)
        for file in files:
            remove_file(file.path)
        rows = [(f"{location.label}{file.name}", "removed") for file in files]
        return rows_result(rows, [text_column("name"), text_column("result")])


def _is_there(source: str) -> bool:
    return bool(glob.glob(source))  # noqa: PTH207 - a Path would change the pattern


def _make_folder(location: StageLocation) -> None:
    try:
        location.folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise SqlError(
            f"A file of the stage is in the way of the path {location.path!r}: here a name is that"
            " of a file or of a folder.",
            1011,
            "42601",
        ) from None


def remove_file(path: Path) -> None:
    """Delete a file.

    Its folder stays until the server starts again, even if it is empty: another client may be about
    to put a file there.
    """
    path.unlink(missing_ok=True)


def _delete_overwritten(location: StageLocation, source: str) -> None:
    """Delete the files that a PUT will overwrite.

    gosnowflake overwrites a file in a stage's folder without truncating it: the end of a longer
    file would stay behind the new content.
    """
    name = os.path.basename(source)  # noqa: PTH119 - it may be a pattern and not a path
    for file in [*location.files_matching(name), *location.files_matching(f"{name}.gz")]:
        file.path.unlink(missing_ok=True)


def _local_path(reader: Reader) -> str:
    token = reader.expect_kind("string", "file")
    if not token.text.lower().startswith("file://"):
        raise syntax_error(f"{token.text!r} does not start with file://")
    return token.text[len("file://") :]


def _location_and_pattern(
    session: StatementContext, statement: Statement, bindings: Bindings
) -> tuple[StageLocation, str | None]:
    reader = Reader(statement.sql, bindings)
    reader.take()
    location = read_location(reader, session)
    options = read_options(reader)
    reader.expect_end()
    pattern = options.text("PATTERN")
    options.expect_all_read(statement.keyword)
    return location, pattern


def _transfer(folder: Path, **rest: Any) -> StatementResult:
    stage = {"locationType": "LOCAL_FS", "location": f"{folder}/", "creds": {}}
    empty = pa.table({"status": pa.array([], pa.string())})
    return StatementResult(empty, [], file_transfer={"stageInfo": stage, **rest})
