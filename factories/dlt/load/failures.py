"""Why a load failed, in words for whoever reads the run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlt.common.schema.exceptions import DataValidationError
from dlt.extract.incremental.exceptions import IncrementalCursorInvalidCoercion
from dlt.normalize.exceptions import NormalizeJobFailed
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests.exceptions import HTTPError, JSONDecodeError, RequestException
from urllib3.exceptions import ProtocolError

from factories.core.execution.table_reader import QueryFailedError
from factories.dlt.errors import LoadedDataError, SourceError

CONNECTION = re.compile(r"^HTTPS?Connection(Pool)?\([^)]*\): ")


def reason(error: BaseException) -> str:
    """Return the step that failed and what was at its root: dlt wraps it several times."""
    # Errors whose text says it all.
    if isinstance(error, LoadedDataError | QueryFailedError | SourceError):
        return str(error)
    if not isinstance(error, PipelineStepFailed):
        return f"{type(error).__name__}: {error}"
    for each in _chain(error.exception):
        if isinstance(each, IncrementalCursorInvalidCoercion):
            return f"{error.step}: {_cursor(each)}"
    return f"{error.step}: {_describe(_cause(error.exception))}"


def _describe(cause: BaseException) -> str:
    if isinstance(cause, LoadedDataError):
        return str(cause)
    if isinstance(cause, DataValidationError):
        return f"the schema contract refuses it: {_contract(cause)}"
    if isinstance(cause, NormalizeJobFailed):  # of another process, which sends no more than this
        return cause.failed_message
    return f"{type(cause).__name__}: {_text(cause)}"


def _cause(error: BaseException) -> BaseException:
    """Return the first error that is not dlt's own, or dlt's innermost.

    What a source's code raises may have causes too: it is its own text that explains it.
    """
    chain = [cause for cause in _chain(error) if type(cause).__name__ != "_RemoteTraceback"]
    return next(
        (each for each in chain if type(each).__module__.partition(".")[0] != "dlt"), chain[-1]
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__


def _text(error: BaseException) -> str:
    if isinstance(error, RequestException) and not isinstance(error, HTTPError | JSONDecodeError):
        return _connection(error)
    # SQLAlchemy adds the statement and a link to its own documentation.
    return str(getattr(error, "orig", None) or error).strip()


def _connection(error: RequestException) -> str:
    """Say what went wrong with which address; requests names the objects that it passed through."""
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", None) or inner
    if isinstance(inner, ProtocolError):  # a tuple of what failed, and why unless that says it
        what, *why = map(str, inner.args)
        inner = " ".join([what, *(part for part in why if part not in what)])
    text = CONNECTION.sub("", str(inner))
    address = error.request.url if error.request is not None else None
    return f"{sanitize_url(address)}: {text}" if address else text


def _cursor(error: IncrementalCursorInvalidCoercion) -> str:
    return (
        f"{error.cursor_path} holds values such as {error.item!r}, with which"
        f" {error.cursor_value!r} cannot be compared: incremental.initial_value (for a partition's"
        " bounds, datetime_format) must be of their kind"
    )


def _contract(error: DataValidationError) -> str:
    where = f"{error.table_name}.{error.column_name}" if error.column_name else error.table_name
    return f"{where} ({error.schema_entity}: {error.contract_mode})"
