"""What it costs a process to load each code location, beyond Dagster itself."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.measure import Samples, Variant, measure, median
from benchmarks.report import Report
from benchmarks.systems import INGESTION_PYTHON, ML_PYTHON, ROOT, TRANSFORMATION_PYTHON

LOCATIONS = {
    "ingestion": INGESTION_PYTHON,
    "transformation": TRANSFORMATION_PYTHON,
    "ml": ML_PYTHON,
}
ALONE = "dagster alone"
SCRIPT = """\
import importlib, json, sys, time
import psutil
importlib.import_module(sys.argv[1])
memory = psutil.Process().memory_info().rss
print(json.dumps({"seconds": time.process_time(), "megabytes": memory / 2**20}))
"""
TEXT = """\
One process imports `code_locations.<location>.definitions` in the environment of the location, as
Dagster's code servers do, each run's process and the process from which its steps are forked;
another one imports `dagster` alone. No service is started, and none is asked.
"""


def run() -> Report:
    """Measure the imports in processes of their own."""
    variants = []
    for location, python in LOCATIONS.items():
        imported = {ALONE: "dagster", "loaded": f"code_locations.{location}.definitions"}
        for what, module in imported.items():
            command = [str(python), "-c", SCRIPT, module]
            environment = {"PYTHONWARNINGS": "ignore", "DP_TARGET": "local"}
            variants.append(Variant(f"{location}, {what}", command, environment, ROOT))
    return report(measure(variants))


def report(samples: Mapping[str, Samples]) -> Report:
    """Subtract from each location what Dagster costs in its environment."""
    rows = [
        "| code location | CPU seconds beyond Dagster's | MB of memory beyond Dagster's |",
        "| --- | ---: | ---: |",
    ]
    for location in LOCATIONS:
        alone, loaded = samples[f"{location}, {ALONE}"], samples[f"{location}, loaded"]
        seconds = median(loaded.inside) - median(alone.inside)
        megabytes = median(loaded.parts["megabytes"]) - median(alone.parts["megabytes"])
        rows.append(f"| {location} | {seconds:.2f} | {megabytes:.0f} |")
    more = "\n".join([*rows, ""])
    return Report("Loading the code locations", TEXT, "CPU", [*samples.values()], [], more)
