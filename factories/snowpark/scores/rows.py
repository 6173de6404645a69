"""Which rows are scored, and the two ways of doing it: in the step, or where the rows are."""
# ruff: noqa: S608 - every name in the SQL comes from the project's own YAML

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from importlib import metadata

import pandas as pd  # type: ignore[import-untyped]
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from factories.core.python_refs.importer import import_function
from factories.core.warehouse.names import Relation
from factories.core.warehouse.quoting import sql_identifier, sql_literal
from factories.snowpark.config.entries import ScoreEntry
from factories.snowpark.handler_archive import (
    build_packages_clause,
    find_handler_module,
    upload_code,
)
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import tidy
from factories.snowpark.in_snowflake.scoring import predict_values
from factories.snowpark.models.procedure import RUNTIME
from factories.snowpark.models.registry import Version
from factories.snowpark.models.step import ModelStep
from factories.snowpark.partition_filter import Covered, build_condition
from factories.snowpark.scores.key_loss import check_keys
from factories.snowpark.scores.write import ScoresWriter

BATCH_ROWS = 100_000
SKLEARN = "scikit-learn"
BODY = """
import pandas
import {module} as users
from factories.snowpark.in_snowflake import scoring

score = scoring.build_scorer(users.{function}, {file!r}, {sha256!r}, {label!r}, {columns!r})
score._sf_vectorized_input = pandas.DataFrame
"""
# What our own code says inside of Snowflake, at the end of a traceback.
MODEL_ERROR = re.compile(rf"^(?:\w+\.)*{ModelError.__name__}: (?P<text>.+)$", re.MULTILINE)


def build_source_query(session: Session, entry: ScoreEntry, covered: Covered | None) -> str:
    """Return the query of all rows that can be scored, or of those of some partitions.

    Raises:
        UnreadableWindowError: When the features do not have the partitions' column.
    """
    relation, partition = entry.model.features.relation.sql, entry.meta.partition
    query = f"select * from {relation}"
    if covered is None or partition is None:
        return query
    schema = session.table(relation).schema
    return f"{query} where {build_condition(schema, str(partition.column), covered)}"


def score_rows(
    step: ModelStep, entry: ScoreEntry, version: Version, query: str, writer: ScoresWriter
) -> None:
    """Have a version score a query's rows, into the writer's temporary table.

    Raises:
        ModelError: When the features are not such as the version knows, or its file or the
            function's values are not what they must be.
    """
    columns = _check_columns(step.session, entry, version)
    writer.begin(query)
    if entry.runs_in == "client":
        function = import_function(str(entry.function), entry.folder)
        made_with = version.details.get("versions", {}).get(SKLEARN, "")
        if made_with not in {"", metadata.version(SKLEARN)}:
            step.log.warning("%s was made with %s %s", version.label, SKLEARN, made_with)
        model = step.registry.load(version)
        for rows in _read_batches(step.session, query):
            check_keys(rows, entry.keys, columns)
            writer.add(rows, predict_values(function, model, tidy(rows)))
        return
    # Before the file goes to where it is unpickled; there it is verified once more.
    step.registry.content(version)
    call = _create_function(step.session, entry, version, columns)
    try:
        writer.insert(call, query)
    except SnowparkSQLException as error:
        if match := MODEL_ERROR.search(str(error)):
            raise ModelError(match["text"]) from None
        raise


def _check_columns(session: Session, entry: ScoreEntry, version: Version) -> dict[str, str]:
    """Return the types of the features' columns by name; they are what the version needs.

    Columns that it has not seen in training do not matter: the function chooses what it gives it.

    Raises:
        ModelError: When columns are gone.
    """
    features = entry.model.features
    described = session.sql(f"describe table {features.relation.sql}").collect()
    columns = {str(row[0]): str(row[1]) for row in described}
    if missing := [key for key in entry.keys if key.upper() not in columns]:
        raise ModelError(f"{features.relation} has no column {', '.join(missing)}, which is a key")
    there = {column.lower() for column in columns}  # as the functions have them
    if missing := [name for name in version.details.get("features", ()) if name not in there]:
        raise ModelError(
            f"{version.label} was trained with {', '.join(missing)}, which {features.relation} no"
            f" longer has: materialize {entry.model.key.to_user_string()}"
        )
    return columns


def _read_batches(session: Session, query: str) -> Iterator[pd.DataFrame]:
    """Yield rows as the warehouse sends them, joined to batches that are worth a call."""
    waiting: list[pd.DataFrame] = []
    for part in session.sql(query).to_pandas_batches():
        if part.empty:
            continue
        waiting.append(part)
        if sum(len(frame) for frame in waiting) >= BATCH_ROWS:
            yield pd.concat(waiting, ignore_index=True)
            waiting = []
    if waiting:
        yield pd.concat(waiting, ignore_index=True)


def _create_function(
    session: Session, entry: ScoreEntry, version: Version, columns: dict[str, str]
) -> str:
    """Create the session's own vectorized function for a version, and return a call of it."""
    code = upload_code(session, entry.model.stage, entry.folder)
    module, function = find_handler_module(str(entry.function), entry.folder)
    body = BODY.format(
        module=module,
        function=function,
        file=version.file.rpartition("/")[2],
        sha256=version.sha256,
        label=version.label,
        columns=[name.lower() for name in columns],
    )
    registry = entry.model.registry
    unique = f"SCORE_{uuid.uuid4().hex[:12].upper()}"
    name = Relation(registry.database, registry.schema, unique).sql
    packages = build_packages_clause(entry.packages, version.details.get("versions"))
    arguments = ", ".join(f"a{i} {kind}" for i, kind in enumerate(columns.values()))
    imports = ", ".join(map(sql_literal, (code, f"@{entry.model.stage.sql}/{version.file}")))
    session.sql(
        f"create temporary function {name}({arguments}) returns float language python"
        f" runtime_version = '{RUNTIME}' packages = ({packages}) imports = ({imports})"
        f" handler = 'score' as $${body}$$"
    ).collect()
    return f"{name}({', '.join(map(sql_identifier, columns))})"
