"""`make bench`: run the benchmarks and write `benchmarks/results/`, a page for each."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import locations
from benchmarks.dbt import building as dbt_building
from benchmarks.dbt import loading as dbt_loading
from benchmarks.dlt import backends as dlt_backends
from benchmarks.dlt import building as dlt_building
from benchmarks.dlt import loading as dlt_loading
from benchmarks.sling import building as sling_building
from benchmarks.sling import loading as sling_loading
from benchmarks.snowpark import features_and_scores
from benchmarks.ticks import ticks

RESULTS = Path(__file__).with_name("results")
BENCHMARKS = {
    "locations": locations.run,
    "loading": sling_loading.run,
    "building": sling_building.run,
    "dlt-loading": dlt_loading.run,
    "dlt-backends": dlt_backends.run,
    "dlt-building": dlt_building.run,
    "dbt-loading": dbt_loading.run,
    "dbt-building": dbt_building.run,
    "snowpark": features_and_scores.run,
    "ticks": ticks.run,
}


def main() -> None:
    """Run the benchmarks that are named, else all, and write down what came of each."""
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    RESULTS.mkdir(exist_ok=True)
    for name in names or BENCHMARKS:
        page = BENCHMARKS[name]().markdown()
        print(page)
        (RESULTS / f"{name}.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
