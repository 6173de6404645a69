"""A benchmark's result as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.machine import describe_machine
from benchmarks.measure import RUNS, Samples, median


@dataclass(frozen=True)
class Target:
    """A ratio that is promised.

    Attributes:
        what: What is divided by what.
        ratio: What was measured.
        bound: The promise.
        at_least: Whether the ratio must not be smaller than the bound; else not greater.
        counts: Whether this is the figure that is promised, or one for comparison.
    """

    what: str
    ratio: float
    bound: float
    at_least: bool = False
    counts: bool = True

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


@dataclass(frozen=True)
class Report:
    """One benchmark: what was compared and what came of it.

    Attributes:
        title: Its heading.
        text: What the variants do, in Markdown.
        part: What the processes that measure a part of themselves measure.
        samples: The variants' times.
        targets: The ratios of them.
    """

    title: str
    text: str
    part: str
    samples: Sequence[Samples]
    targets: Sequence[Target]

    def markdown(self) -> str:
        """Return the report as a section."""
        return "\n".join([f"## {self.title}\n", self.text, *self._times(), *self._ratios()])

    def _times(self) -> list[str]:
        return [
            f"| variant | whole process, s | all runs | {self.part}, s | all runs |",
            "| --- | ---: | --- | ---: | --- |",
            *(
                f"| {each.name} | {_cells(each.whole)} | {_cells(each.inside)} |"
                for each in self.samples
            ),
            "",
        ]

    def _ratios(self) -> list[str]:
        rows = ["| ratio | measured | target | |", "| --- | ---: | ---: | --- |"]
        for target in self.targets:
            sign = "≥" if target.at_least else "≤"
            bound = f"{sign} {target.bound:g}" if target.counts else ""
            verdict = ("met" if target.met else "**missed**") if target.counts else "to compare"
            rows.append(f"| {target.what} | {target.ratio:.2f} | {bound} | {verdict} |")
        return [*rows, ""]


def _cells(seconds: Sequence[float]) -> str:
    if not seconds:
        return " | "
    each = " ".join(f"{value:.2f}" for value in sorted(seconds))
    return f"{median(seconds):.2f} | {each}"


def results(reports: Sequence[Report]) -> str:
    """Return all reports as one page."""
    day = datetime.now(UTC).date().isoformat()
    head = f"""\
# Benchmarks

Measured by `make bench` on {day}: {describe_machine()}.

Medians of {RUNS} runs. The variants of a benchmark take turns within one run, after a turn that
does not count. A whole process is timed from outside, from its start to its end.
"""
    return "\n".join([head, *(report.markdown() for report in reports)])
