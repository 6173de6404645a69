"""`make bench`: run the benchmarks and write `benchmarks/results.md`."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import building, loading
from benchmarks.report import results

BENCHMARKS = {"loading": loading.run, "building": building.run}


def main() -> None:
    """Run the benchmarks and write down what came of them."""
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("--only", choices=BENCHMARKS, help="print one, and write nothing down")
    only = parser.parse_args().only
    page = results([BENCHMARKS[name]() for name in ([only] if only else BENCHMARKS)])
    print(page)
    if not only:
        Path(__file__).with_name("results.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
