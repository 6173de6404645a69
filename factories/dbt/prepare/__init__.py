"""Making the manifest of a dbt project, and telling whether it is still the one of its files."""

from factories.dbt.prepare.errors import DbtParseError, PrepareError
from factories.dbt.prepare.parsing import prepare, stale, target_folder

__all__ = ["DbtParseError", "PrepareError", "prepare", "stale", "target_folder"]
