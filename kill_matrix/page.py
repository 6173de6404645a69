"""The page of all cases that ran: `docs/reference/kill-matrix.md`."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from kill_matrix.cases import PHASES
from kill_matrix.limits import FREE_SLOTS_SECONDS, LIMIT_SECONDS, NETWORK_TIMEOUT, SECONDS_LEFT
from kill_matrix.outcomes import Outcome

LONGEST_SENTENCE = 160
# What differs from machine to machine, and from run to run.
OF_ONE_RUN = (
    (re.compile(r"(?<![:/\w])/[\w./-]*/(?=[\w.-]+)"), "…/"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"\b[0-9a-f]{8}((-[0-9a-f]{4}){3}-[0-9a-f]{12})?\b"), "RUN"),
    (re.compile(r"\bprocess \d+"), "process N"),
)
HEAD = f"""\
# What is killed, and what a rerun makes of it

`make kill-matrix` kills one process (SIGKILL) in the midst of a load or a build, runs the same
`dp run KEY` again, and compares the table with that of a run on the same inputs that nothing
disturbed: by the number of rows and a checksum, and row by row. It takes more than half an hour, so
it is no part of the tests. `python -m kill_matrix CASE…` in `.venvs/test` runs some cases, `--list`
names them, `--resume` leaves out those that have run. A case that is not in the table did not run.

Each tool has a small project, one code location in an environment of `.venvs/`, and a local folder
of its own: an embedded warehouse, the sample systems where it reads them, and the Dagster that
`dp run` starts. Every case begins where the first load had ended; then the source gets new and
changed rows, and the second load is disturbed where the column "when" says. It is held there, by a
lock or a file, so that the kill does not depend on the machine's speed. Nothing can hold what dlt
appends or replaces: that is killed at the sight of the first rows.

- Timeouts are small here: `SNOWFLAKE_NETWORK_TIMEOUT` and `SNOWFLAKE_LOGIN_TIMEOUT` are
  {NETWORK_TIMEOUT} seconds, `free_slots_after_run_end_seconds` in `dagster.yaml` is
  {FREE_SLOTS_SECONDS}. With the usual ones, 60 (30 for a login), a first command can take longer.
- Lost rows are those that the reference has and the table has not; doubled ones are those that
  the table has beyond it. A row with old values would count as both.
- Stuck is a run that has not ended or a slot of a pool that is taken after the rerun, and a command
  that did not end within {LIMIT_SECONDS} seconds.
- Left running is any process with this local folder in its environment that still runs
  {SECONDS_LEFT} seconds after the command has ended. The embedded warehouse with its handlers, and
  the sample systems, are services and stay on purpose.
- A run that has lost a process is repeated once by Dagster itself, so `dp run` can end with 0. A
  step outlives its run worker by some seconds, and may write its table in them: then nothing is
  repeated, and `dp run` ends with 1. A run that is under way does not need the daemon.
"""
COLUMNS = (
    "what is killed",
    "under",
    "when",
    "how the first command ended",
    "lost",
    "doubled",
    "stuck",
    "left running",
    "the rerun was enough",
)


def write_page(outcomes: Sequence[Outcome]) -> str:
    """Return the page: what was run when, and a row for each case."""
    days = sorted({outcome.day for outcome in outcomes})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    good = sum(outcome.is_good for outcome in outcomes)
    ran = f"Run on {span}. Cases: {len(outcomes)}; as they must be: {good}."
    rule = " | ".join("---:" if name in {"lost", "doubled"} else "---" for name in COLUMNS)
    rows = [_row(outcome) for outcome in outcomes]
    table = [f"| {' | '.join(COLUMNS)} |", f"| {rule} |", *rows]
    return "\n".join([HEAD, ran, "", *table, ""])


def _row(outcome: Outcome) -> str:
    case = outcome.case
    cells = [
        case.victim,
        f"{case.tool}: {case.work}",
        PHASES[case.phase],
        _describe_end(outcome),
        str(outcome.lost),
        str(outcome.doubled),
        "; ".join(outcome.stuck) or "nothing",
        "; ".join(outcome.left) or "nothing",
        _describe_rerun(outcome),
    ]
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _describe_end(outcome: Outcome) -> str:
    said = f": {_shorten(outcome.first_said)}" if outcome.first_said else ""
    seconds = f"{outcome.seconds_after_kill:.0f} s after the kill"
    if not outcome.reached:
        return f"it was not killed in this phase; {_status(outcome.first_status)}{said}"
    return f"{_status(outcome.first_status)}, {seconds}{said}"


def _describe_rerun(outcome: Outcome) -> str:
    if outcome.rerun_status != 0:
        return f"no, {_status(outcome.rerun_status)}: {_shorten(outcome.rerun_said)}"
    enough = "yes" if outcome.same else "no, the table differs"
    return f"{enough}, {outcome.rerun_seconds:.0f} s"


def _status(status: int | None) -> str:
    if status is None:
        return "no end"
    return signal.Signals(-status).name if status < 0 else str(status)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE].rstrip()}…"


def _cell(text: str) -> str:
    for pattern, plain in OF_ONE_RUN:
        text = pattern.sub(plain, text)
    return text.replace("|", "\\|").replace("\n", " ")
