"""The step of an asset that Snowpark makes: what it works with, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from snowflake.snowpark import Session

from factories.core.execution import step as core_step
from factories.core.execution.table_reader import TableReader
from factories.core.secret_mask import SecretMask, mask_output, mask_with_environment
from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import warehouse_settings
from factories.snowpark.config.entries import Entry
from factories.snowpark.errors import (
    EXPLAINED_ERRORS,
    build_function_error,
    format_traceback,
    is_from,
)
from factories.snowpark.session import TAG_LENGTH, WAREHOUSE_ERRORS, snowpark_session

TOOL = "snowpark"
CODE_FAILED = "Python Interpreter Error"  # what Snowflake says of code that raises inside of it


@dataclass(frozen=True)
class Step:
    """An open session, and what a step works with beside it.

    Attributes:
        context: Dagster's.
        session: Snowpark's; closed when the step ends.
        reader: Looks at tables, for metadata and checks.
        mask: Hides the warehouse's secrets in a text.
        opened_at: When it was opened, in monotonic seconds.
    """

    context: dg.AssetExecutionContext
    session: Session
    reader: TableReader
    mask: SecretMask
    opened_at: float

    @property
    def log(self) -> dg.DagsterLogManager:
        """The run's log."""
        return self.context.log

    @property
    def seconds(self) -> float:
        """How long the step has been at work."""
        return round(time.monotonic() - self.opened_at, 3)


@contextmanager
def open_step(
    context: dg.AssetExecutionContext, names: WarehouseNames, entry: Entry | None = None
) -> Iterator[Step]:
    """Open a step's session; what fails inside fails the step, with an error without secrets.

    What is printed meanwhile, by the user's functions too, is without secrets as well.

    Args:
        context: Dagster's.
        names: How the target's databases are called.
        entry: What the step makes; None for several tables, each of which then sets the session's
            tag and virtual warehouse.

    Raises:
        dagster.Failure: Whatever was raised inside. Dagster may try it again, as the asset's
            `retries` say, only when the warehouse has refused something or did not answer: data
            that do not fit, and code that fails, would fail again.
    """
    opened_at = time.monotonic()
    with core_step.start_errors_as_failures():
        settings = warehouse_settings()
    mask = mask_with_environment(settings.secrets)
    try:
        with (
            core_step.open_step(context, settings, names, TOOL) as opened,
            mask_output(mask),
            snowpark_session(settings, names, build_query_tag(context, entry)) as session,
        ):
            if entry and entry.warehouse:
                session.use_warehouse(entry.warehouse)
            yield Step(context, session, opened.reader, mask, opened_at)
    except dg.Failure:  # it says why in its own words
        raise
    except EXPLAINED_ERRORS as error:
        raise dg.Failure(mask(str(error)), allow_retries=False) from None
    except WAREHOUSE_ERRORS as error:
        raise dg.Failure(mask(str(error)), allow_retries=is_worth_another_try(error)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - of our own code: with its lines
        message = format_traceback(error)
        if entry and is_from(entry.folder, error):
            message = str(build_function_error(entry, error))
        raise dg.Failure(mask(message), allow_retries=False) from None


def is_worth_another_try(error: Exception) -> bool:
    """Tell whether the warehouse itself has failed, and not the user's code inside of it."""
    return CODE_FAILED not in str(error)


def build_query_tag(context: dg.AssetExecutionContext, entry: Entry | None) -> str:
    """Return what the warehouse's query history shows beside statements: the run, and the asset."""
    parts = [context.run.run_id, *([entry.key.to_user_string()] if entry else [])]
    return " ".join(parts)[:TAG_LENGTH]
