"""What is killed, while which work is done, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

READS, WRITES, COPIES, BEFORE, AFTER, RUNS = (
    "reads",
    "writes",
    "copies",
    "before",
    "after",
    "runs",
)
PHASES = {
    READS: "half of the new rows are read from the source",
    WRITES: "the new rows are staged, and it waits to write the table",
    COPIES: "the first of the new rows are in the table",
    BEFORE: "it is about to write the table",
    AFTER: "the table is written, and what follows is not done",
    RUNS: "the Python function runs",
}
STEP, WORKER, DAEMON, DP = "step process", "run worker", "Dagster daemon", "`dp run`"
WAREHOUSE, SOURCE, API = "embedded warehouse", "source database", "API"
SLING, DBT, HANDLER = "Sling's program", "dbt's program", "handler process"
DAGSTER = (STEP, WORKER, DAEMON, DP, WAREHOUSE)


@dataclass(frozen=True)
class Case:
    """One kill.

    Attributes:
        tool: The tool whose project runs.
        work: What it does, by the name that the project gives it.
        victim: What is killed.
        phase: When.
    """

    tool: str
    work: str
    victim: str
    phase: str

    @property
    def name(self) -> str:
        """What the command line calls it: `sling.incremental-merge.step-process.reads`."""
        words = [self.tool, self.work.split(" (")[0], self.victim, self.phase]
        plain = [word.lower().replace("'", "").replace("`", "").replace(",", "") for word in words]
        return ".".join(word.replace(" ", "-") for word in plain)


def all_cases() -> list[Case]:
    """Return every case, tool by tool."""
    return [*_sling(), *_dlt(), *_dbt(), *_snowpark()]


def _sling() -> Iterator[Case]:
    merge, replace = "incremental merge", "full-refresh"
    append = "incremental without a key (appends)"
    for work in (merge, replace, append):
        for phase in (READS, BEFORE, AFTER):
            # What follows when a table was replaced is the step's: Sling has ended by then.
            if (work, phase) != (replace, AFTER):
                yield Case("Sling", work, SLING, phase)
    for victim, work, phase in (
        (STEP, merge, READS),
        (STEP, replace, BEFORE),
        (STEP, replace, AFTER),
        (STEP, append, AFTER),
        (WORKER, append, BEFORE),
        (DAEMON, merge, BEFORE),
        (DP, append, READS),
        (DP, replace, AFTER),
        (WAREHOUSE, merge, READS),
        (WAREHOUSE, append, AFTER),
        (SOURCE, merge, READS),
        (SOURCE, append, READS),
    ):
        yield Case("Sling", work, victim, phase)


def _dlt() -> Iterator[Case]:
    for victim, work, phase in (
        (STEP, "append", COPIES),
        (STEP, "merge", READS),
        (STEP, "replace", COPIES),
        (WORKER, "append", COPIES),
        (DAEMON, "replace", READS),
        (DP, "append", COPIES),
        (DP, "merge", WRITES),
        (WAREHOUSE, "append", COPIES),
        (WAREHOUSE, "merge", READS),
        (SOURCE, "append", READS),
        (SOURCE, "replace", READS),
        (API, "merge from an API", READS),
    ):
        yield Case("dlt", work, victim, phase)


def _dbt() -> Iterator[Case]:
    for victim, work, phase in (
        (DBT, "incremental model", BEFORE),
        (DBT, "incremental model", WRITES),
        (DBT, "table", AFTER),
        (DBT, "snapshot", WRITES),
        (STEP, "incremental model", WRITES),
        (STEP, "table", BEFORE),
        (WORKER, "snapshot", WRITES),
        (DAEMON, "incremental model", AFTER),
        (DP, "incremental model", WRITES),
        (DP, "snapshot", AFTER),
        (WAREHOUSE, "incremental model", WRITES),
        (WAREHOUSE, "snapshot", AFTER),
    ):
        yield Case("dbt", work, victim, phase)


def _snowpark() -> Iterator[Case]:
    overwrite, merge = "features, overwrite", "features, merge"
    for victim, work, phase in (
        (HANDLER, "training", RUNS),
        (HANDLER, "scoring", RUNS),
        (STEP, overwrite, RUNS),
        (STEP, merge, WRITES),
        (STEP, "training", RUNS),
        (STEP, "scoring", RUNS),
        (WORKER, merge, RUNS),
        (DAEMON, "training", RUNS),
        (DP, overwrite, RUNS),
        (DP, "scoring", RUNS),
        (WAREHOUSE, merge, WRITES),
        (WAREHOUSE, "training", RUNS),
        (WAREHOUSE, "scoring", RUNS),
    ):
        yield Case("Snowpark", work, victim, phase)
