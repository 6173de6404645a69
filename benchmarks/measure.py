"""Whole-process times of variants, side by side in one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from factories.core.execution.subprocesses import environment_with

RUNS = 3
TIMEOUT_SECONDS = 300


class VariantFailedError(Exception):
    """A variant's process failed: what was measured is not what was meant."""


@dataclass(frozen=True)
class Variant:
    """A process to measure.

    Attributes:
        name: What the results call it.
        command: The program and its arguments.
        environment: What it finds in its environment beside what this process has; None takes a
            variable away.
        folder: Where it runs.
        before: Makes the state that it starts from; not measured.
        after: Checks what it has done; not measured.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str | None]
    folder: Path
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Samples:
    """What was measured of one variant.

    Attributes:
        name: The variant's name.
        whole: Seconds from the process's start to its end, one for each run.
        inside: Seconds of the part that the process measured itself, if it did.
        parts: Seconds of what lies within that part, by name, if the process reported them.
    """

    name: str
    whole: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)


def measure(variants: Sequence[Variant]) -> dict[str, Samples]:
    """Run the variants in turns, A B C A B C …, after one turn that does not count.

    Returns:
        The samples by the variants' names.

    Raises:
        VariantFailedError: When a process fails; with the end of its output.
    """
    samples = {variant.name: Samples(variant.name) for variant in variants}
    for turn in range(RUNS + 1):
        for variant in variants:
            whole, inside = _run(variant)
            _say(f"{f'run {turn} of {RUNS}' if turn else 'warm-up'}  {variant.name}  {whole:.2f} s")
            if turn:
                samples[variant.name].whole.append(whole)
                _add(samples[variant.name], inside)
    return samples


def _run(variant: Variant) -> tuple[float, dict[str, float]]:
    variant.before()
    start = time.perf_counter()
    done = subprocess.run(
        variant.command,
        cwd=variant.folder,
        env=environment_with(variant.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    whole = time.perf_counter() - start
    if done.returncode != 0:
        raise VariantFailedError(f"{variant.name} failed:\n{done.stdout[-3000:]}")
    variant.after()
    return whole, _inside(done.stdout)


def _inside(output: str) -> dict[str, float]:
    """Return what a process printed as its last line, `{"seconds": 1.5}` and parts of it."""
    last = output.strip().rpartition("\n")[2]
    return dict(json.loads(last)) if last.startswith('{"seconds"') else {}


def _add(samples: Samples, inside: dict[str, float]) -> None:
    for name, seconds in inside.items():
        values = samples.inside if name == "seconds" else samples.parts.setdefault(name, [])
        values.append(float(seconds))


def median(seconds: Sequence[float]) -> float:
    """Return the median of a variant's runs."""
    return statistics.median(seconds)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
