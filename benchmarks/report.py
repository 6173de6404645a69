"""A benchmark's result as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.machine import describe_machine
from benchmarks.measure import Samples, median

HEAD = """\
# {title}

Measured by `make bench` on {day}: {machine}.

Medians of {runs} runs. The variants take turns within one run, after a turn that does not count. A
whole process is timed from outside, from its start to its end.
"""


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
        more: A further table, in Markdown.
    """

    title: str
    text: str
    part: str
    samples: Sequence[Samples]
    targets: Sequence[Target]
    more: str = ""

    def markdown(self) -> str:
        """Return the report as a page, with the day and the machine."""
        day = datetime.now(UTC).date().isoformat()
        runs = len(self.samples[0].whole)
        head = HEAD.format(title=self.title, day=day, machine=describe_machine(), runs=runs)
        return "\n".join([head, self.text, *self._times(), *self._more(), *self._ratios()])

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

    def _more(self) -> list[str]:
        return [self.more] if self.more else []

    def _ratios(self) -> list[str]:
        if not self.targets:
            return []
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
