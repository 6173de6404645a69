"""What the page of the kill matrix says of each case, and which outcomes are as they must be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kill_matrix.cases import READS, SLING, WAREHOUSE, Case, all_cases
from kill_matrix.outcomes import Outcome, keep, kept
from kill_matrix.page import COLUMNS, write_page

SAID = (
    "1 of 1 streams failed. /home/ana/shop/.local/x: 127.0.0.1:4711 is gone | run"
    " 0b0c7b58-9e0e-4ba9-8f4a-3f7d4f2b8d11 (process 4712 on here)"
)
SAID_ON_THE_PAGE = (
    "1 of 1 streams failed. …/x: 127.0.0.1:PORT is gone \\| run RUN (process N on here)"
)
GOOD = Outcome(
    case=Case("Sling", "incremental merge", SLING, READS),
    day="2024-01-02",
    reached=True,
    first_status=1,
    first_seconds=12.4,
    first_said=SAID,
    seconds_after_kill=2.6,
    rerun_status=0,
    rerun_seconds=11.2,
    rerun_said="",
    lost=0,
    doubled=0,
    same=True,
)
BAD = {
    "lost": {"lost": 3, "same": False},
    "doubled": {"doubled": 2, "same": False},
    "another checksum": {"same": False},
    "stuck": {"stuck": ["pool sling_shop"]},
    "left": {"left": ["python -m some_step"]},
    "failed again": {"rerun_status": 1, "rerun_said": "it fails still"},
    "no end": {"rerun_status": None},
    "not killed": {"reached": False},
}


def cells(page: str) -> list[list[str]]:
    """The cells of each row of the table, without its head."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_a_row_says_what_was_killed_and_what_came_of_it() -> None:
    page = write_page([GOOD])

    assert "Run on 2024-01-02. Cases: 1; as they must be: 1." in page
    assert cells(page) == [
        [
            "Sling's program",
            "Sling: incremental merge",
            "half of the new rows are read from the source",
            "1, 3 s after the kill: " + SAID_ON_THE_PAGE,
            "0",
            "0",
            "nothing",
            "nothing",
            "yes, 11 s",
        ]
    ]


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_whatever_is_wrong_is_told_and_counts(changes: dict[str, object]) -> None:
    bad = replace(GOOD, **changes)
    page = write_page([GOOD, replace(bad, day="2024-01-03")])

    assert GOOD.is_good
    assert not bad.is_good
    assert "Run on 2024-01-02 to 2024-01-03. Cases: 2; as they must be: 1." in page
    good, other = cells(page)
    assert len(good) == len(other) == len(COLUMNS)
    assert good != other


def test_outcomes_are_kept_until_the_case_runs_again(tmp_path: Path) -> None:
    other = replace(GOOD.case, victim=WAREHOUSE)
    keep(GOOD, tmp_path)
    keep(replace(GOOD, lost=1), tmp_path)

    assert kept(GOOD.case, tmp_path) == replace(GOOD, lost=1)
    assert kept(other, tmp_path) is None


def test_every_case_has_a_name_of_its_own_which_a_shell_takes_as_it_is() -> None:
    names = [case.name for case in all_cases()]

    assert len(set(names)) == len(names)
    assert all(name.replace(".", "").replace("-", "").isalnum() for name in names)
