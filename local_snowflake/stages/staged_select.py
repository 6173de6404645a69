"""SELECT from the files of a stage: `SELECT $1, $2 FROM @stage/path (FILE_FORMAT => 'f') t`.

What upstream lacks: all of it. Snowpark's `session.read` sends this.
See https://docs.snowflake.com/en/user-guide/querying-stage
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

from local_snowflake.engine.results import StatementResult
from local_snowflake.sql.bindings import Bindings
from local_snowflake.sql.errors import SqlError
from local_snowflake.sql.lexer import Reader, tokens_of
from local_snowflake.sql.statements import Statement
from local_snowflake.stages.copy.statement import location_places, replace_location
from local_snowflake.stages.named_formats import format_of
from local_snowflake.stages.query import StagedQuery
from local_snowflake.stages.readers.sources import open_source
from local_snowflake.stages.stages import format_options

if TYPE_CHECKING:
    from local_snowflake.engine.session import Session

_FROM_STAGE = re.compile(r"\bfrom\s*'?@", re.IGNORECASE)


class SelectFromStage:
    """A query whose FROM names one location."""

    def matches(self, statement: Statement) -> bool:
        """Whether the statement is such a query."""
        if statement.keyword not in {"SELECT", "WITH"} or not _FROM_STAGE.search(statement.sql):
            return False
        # The words may stand in a string as well.
        return bool(location_places(tokens_of(statement.sql)))

    def run(self, session: Session, statement: Statement, bindings: Bindings) -> StatementResult:
        """Run the query over all files together.

        Raises:
            SqlError: The stage does not exist, there are no files, or one cannot be read.
        """
        reader = Reader(statement.sql, bindings)
        location, options, sql = replace_location(reader.sql, reader.rest(), session)
        form = format_of(session, options.get("FILE_FORMAT"), format_options(session, location))
        files = location.files(options.text("PATTERN"))
        options.expect_all_read("a query over a stage")
        if not files:
            raise SqlError(
                f"There are no files at '@{location.label}{location.path}'.", 100, "02000"
            )
        query = StagedQuery(sql)
        with ExitStack() as opened:
            sources = [opened.enter_context(open_source(f, form, session.duck)) for f in files]
            names = [f"{location.label}{file.name}" for file in files]
            return session.select(query.over(session, zip(sources, names, strict=True)))
