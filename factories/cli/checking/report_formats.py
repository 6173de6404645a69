"""How the problems are printed: for people, for a machine, or as annotations of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum

from factories.core.yaml.problems import Problem


class ReportFormat(StrEnum):
    """What `--format` takes."""

    TEXT = "text"
    GITHUB = "github"
    JSON = "json"


def as_json(assets: int, problems: Sequence[Problem]) -> str:
    """Return the report as one JSON document."""
    return json.dumps({"assets": assets, "problems": [asdict(problem) for problem in problems]})


def as_annotations(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield a workflow command for each problem: GitHub shows it at its line of the change.

    The log shows the text alone, so it begins with the place too.
    """
    for problem in problems:
        properties = {"file": problem.file}
        if problem.line:
            properties |= {"line": str(problem.line), "col": str(problem.column)}
        listed = ",".join(f"{name}={_escape_property(text)}" for name, text in properties.items())
        yield f"::error {listed}::{_escape(str(problem))}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
