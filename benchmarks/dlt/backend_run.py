"""One load of the generated rows through our asset: `python -m benchmarks.dlt.backend_run`.

Prints the seconds of dlt's three steps, and of the first two of them, as JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import dagster as dg
import dlt

from factories.core.yaml.problems import format_problems
from factories.definitions import read_project
from factories.location_defaults import default_resources

STEPS = ("extract", "normalize", "load")


def main() -> None:
    """Materialize the project's only asset in this process.

    Raises:
        SystemExit: When the project has a mistake.
    """
    build, assets = read_project(dlt="dlt_pipelines")
    if build.problems:
        raise SystemExit(format_problems(build.problems))
    seconds: dict[str, float] = {}
    for step in STEPS:
        setattr(dlt.Pipeline, step, timed(step, getattr(dlt.Pipeline, step), seconds))
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(assets, instance=instance, resources=default_resources(build.names))
    prepared = seconds["extract"] + seconds["normalize"]
    print(json.dumps({"seconds": prepared + seconds["load"], "extract and normalize": prepared}))


def timed(step: str, function: Callable[..., Any], seconds: dict[str, float]) -> Callable[..., Any]:
    """Return a function that also notes how long it took."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        seconds[step] = time.perf_counter() - start
        return result

    return call


if __name__ == "__main__":
    main()
