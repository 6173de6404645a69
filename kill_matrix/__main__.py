"""`make kill-matrix`: run the cases, and write `docs/reference/kill-matrix.md`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from kill_matrix.case_run import make_place, run_case
from kill_matrix.cases import Case, all_cases
from kill_matrix.outcomes import Outcome, keep, kept
from kill_matrix.page import write_page
from kill_matrix.place import ROOT

FOLDER = ROOT / ".local" / "kill-matrix"
OUTCOMES = FOLDER / "outcomes"
PAGE = ROOT / "docs" / "reference" / "kill-matrix.md"


def main() -> int:
    """Run the cases that are named, else all; the status is 1 when one is not as it must be."""
    parser = argparse.ArgumentParser(description="Kill processes in mid-work, and run again.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a name, or the beginning of some")
    parser.add_argument("--list", action="store_true", help="name the cases, and run none")
    parser.add_argument("--resume", action="store_true", help="leave out those that have run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends then, too
    chosen = _choose(parser, options.cases)
    if options.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if options.resume:
        chosen = [case for case in chosen if kept(case, OUTCOMES) is None]
    for tool in dict.fromkeys(case.tool for case in chosen):
        _run(tool, [case for case in chosen if case.tool == tool])
    outcomes = [found for case in all_cases() if (found := kept(case, OUTCOMES))]
    PAGE.write_text(write_page(outcomes), encoding="utf-8")
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _choose(parser: argparse.ArgumentParser, names: Sequence[str]) -> list[Case]:
    cases = all_cases()
    for name in names:
        if not any(case.name.startswith(name) for case in cases):
            parser.error(f"no case begins with {name!r}; --list names them")
    return [case for case in cases if not names or case.name.startswith(tuple(names))]


def _run(tool: str, cases: Sequence[Case]) -> None:
    place, reference = make_place(tool, FOLDER / tool.lower())
    for case in cases:
        outcome = run_case(case, place, reference)
        keep(outcome, OUTCOMES)
        _say(outcome)


def _say(outcome: Outcome) -> None:
    verdict = "as it must be" if outcome.is_good else "NOT AS IT MUST BE"
    ended = f"{outcome.first_status} after {outcome.first_seconds:.0f} s"
    print(f"{outcome.case.name}: {verdict} ({ended})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
