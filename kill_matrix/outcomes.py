"""What came of each case, kept in a file for each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kill_matrix.cases import Case


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        case: The case.
        day: When it ran.
        reached: Whether it was killed in its phase.
        first_status: The exit status of the command that was disturbed; None when it did not end.
        first_seconds: How long that took.
        first_said: What it said.
        seconds_after_kill: From the kill to the command's end.
        rerun_status: The exit status of the plain rerun.
        rerun_seconds: How long that took.
        rerun_said: What it said when it failed.
        lost: Rows that are missing.
        doubled: Rows that are too many.
        same: Whether counts and checksums agree with the reference.
        stuck: Runs, slots and commands that did not end.
        left: The command lines of processes that should have ended.
    """

    case: Case
    day: str
    reached: bool
    first_status: int | None
    first_seconds: float
    first_said: str
    seconds_after_kill: float
    rerun_status: int | None
    rerun_seconds: float
    rerun_said: str
    lost: int
    doubled: int
    same: bool
    stuck: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost, doubled, stuck or left, and the rerun was enough."""
        return (
            self.reached
            and self.rerun_status == 0
            and self.same
            and not (self.lost or self.doubled or self.stuck or self.left)
        )


def keep(outcome: Outcome, folder: Path) -> None:
    """Write an outcome down."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.case.name}.json"
    path.write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")


def kept(case: Case, folder: Path) -> Outcome | None:
    """Return what came of a case when it ran last; None when it did not run."""
    path = folder / f"{case.name}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Outcome(**{**found, "case": Case(**found["case"])})
