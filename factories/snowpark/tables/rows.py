"""The rows of a table as a data frame: what its function or query makes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping

from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark.functions import sql_expr

from factories.core.execution.window import UnreadableWindowError
from factories.core.python_refs.importer import FolderNameError, import_function
from factories.snowpark.config.entries import TableEntry
from factories.snowpark.config.rules import PLACEHOLDER
from factories.snowpark.errors import FunctionFailedError, build_function_error
from factories.snowpark.partition_filter import Covered, build_condition, find_column
from factories.snowpark.session import WAREHOUSE_ERRORS


def describe_rows(session: Session, table: TableEntry, covered: Covered | None) -> DataFrame:
    """Return the rows of a table, as a query that has not run yet.

    Args:
        session: Snowpark's.
        table: The table.
        covered: The partitions of the run, None for a table without.

    Raises:
        FunctionFailedError: When its function raises, or returns something else than rows; also
            when there is no package of a name that it gives.
        UnreadableWindowError: When the column of a row's partition is missing, or does not fit.
        FolderNameError: When an installed package has the name of the functions' folder.
    """
    _use_packages(session, table)
    queries = build_input_queries(session, table, covered)
    frame = (
        session.sql(fill_query(table.sql, queries))
        if table.sql
        else _call_function(session, table, queries)
    )
    return filter_partitions(frame, table, covered)


def _use_packages(session: Session, table: TableEntry) -> None:
    """Have the session know a table's packages, and none of the tables before."""
    session.clear_packages()
    try:
        session.add_packages(*table.packages)
    except (RuntimeError, ValueError) as error:  # what Snowpark says of one that there is not
        raise FunctionFailedError(f"packages: {error}") from None


def _call_function(session: Session, table: TableEntry, queries: Mapping[str, str]) -> DataFrame:
    """Return what a table's function describes."""
    try:
        function = import_function(str(table.function), table.folder)
        made = function(session, build_input_frames(session, queries))
    except (FolderNameError, *WAREHOUSE_ERRORS):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's code raises
        raise build_function_error(table, error) from None
    if not isinstance(made, DataFrame):
        kind = "nothing" if made is None else f"a {type(made).__name__}"
        message = f"{table.function} returned {kind}: it must return a Snowpark data frame"
        raise FunctionFailedError(message)
    return made


def build_input_queries(
    session: Session, table: TableEntry, covered: Covered | None
) -> dict[str, str]:
    """Return a query for each input, by the name under which the table's function has it.

    Of a partitioned table, inputs that have the partitions' column are limited to the run's
    partitions, unless YAML says that they are given whole.

    Raises:
        UnreadableWindowError: When no input has the column, so that nothing would be limited.
    """
    queries = {name: f"select * from {found.relation.sql}" for name, found in table.inputs.items()}  # noqa: S608 - names from the project's own YAML
    partition = table.meta.partition
    if covered is None or partition is None or partition.column is None:
        return queries
    limited = 0
    for name, found in table.inputs.items():
        if found.whole:
            continue
        schema = session.table(found.relation.sql).schema
        if find_column(schema, partition.column) is None:
            continue
        try:
            queries[name] += f" where {build_condition(schema, partition.column, covered)}"
        except UnreadableWindowError as error:
            raise UnreadableWindowError(f"the input {name}: {error}") from None
        limited += 1
    if table.inputs and not limited and not all(found.whole for found in table.inputs.values()):
        names = ", ".join(table.inputs)
        raise UnreadableWindowError(
            f"none of the inputs {names} has the column {partition.column}, so a run of one"
            " partition would read them whole: give them whole: true where that is meant"
        )
    return queries


def build_input_frames(session: Session, queries: Mapping[str, str]) -> dict[str, DataFrame]:
    """Return the inputs as Snowpark's data frames; nothing is read."""
    return {name: session.sql(query) for name, query in queries.items()}


def filter_partitions(frame: DataFrame, table: TableEntry, covered: Covered | None) -> DataFrame:
    """Return the rows of the run's partitions, where a table is made from whole inputs.

    Raises:
        UnreadableWindowError: When the rows lack the column of their partition.
    """
    partition = table.meta.partition
    whole = not table.inputs or any(found.whole for found in table.inputs.values())
    if covered is None or partition is None or not whole:
        return frame
    return frame.filter(sql_expr(build_condition(frame.schema, str(partition.column), covered)))


def fill_query(sql: str, queries: Mapping[str, str]) -> str:
    """Return a query of YAML with the inputs for each `{name}`."""
    text = sql.strip().rstrip(";")
    # It becomes part of another statement, so a comment at its end must end before that goes on.
    return PLACEHOLDER.sub(lambda match: f"({queries[match[1]]})", text) + "\n"
