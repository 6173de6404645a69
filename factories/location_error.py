"""How a code location's configuration problems reach the Dagster UI."""

from __future__ import annotations

from collections.abc import Iterable

from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from factories.errors import ConfigError, Problem, report


class CodeLocationConfigError(ConfigError, DagsterUserCodeProcessError):
    """A configuration error that Dagster shows as its report alone, without a traceback.

    Dagster wraps what a code location raises in the stack of its own loader, which tells the author
    of a YAML file nothing. The one exception whose text it takes as it is
    (`serializable_error_info_from_exc_info`, dagster 1.13) is not public, hence the import.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        ConfigError.__init__(self, problems)
        info = SerializableErrorInfo(report(self.problems), [], "ConfigError")
        self.user_code_process_error_infos = [info]
