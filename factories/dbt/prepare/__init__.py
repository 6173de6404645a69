"""Making the manifest of a dbt project, and telling whether it is still the one of its files."""

from factories.dbt.prepare.errors import DbtParseError, PrepareError
from factories.dbt.prepare.parsing import (
    ParseWarning,
    parse_warnings,
    prepare,
    stale,
    target_folder,
)

__all__ = [
    "DbtParseError",
    "ParseWarning",
    "PrepareError",
    "parse_warnings",
    "prepare",
    "stale",
    "target_folder",
]
