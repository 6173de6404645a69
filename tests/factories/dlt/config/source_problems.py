"""What the tests of a source's checks share."""

from __future__ import annotations

from pathlib import Path

import yaml

from factories.core.yaml.problems import sorted_problems
from factories.core.yaml.reader import YamlFile
from factories.dlt.config.source_check import source_problems

REFUSED = "takes a Python function or object, which YAML cannot hold: a source in Python can"
WRITTEN = "written here: a ${VAR} is known only when something runs"


def problems_of(text: str, folder: Path) -> list[str]:
    """Return the problems of a file, in order; its name is left out."""
    data = yaml.safe_load(text)
    file = YamlFile(folder / "p.yaml", "p.yaml", data, text)
    found = sorted_problems(source_problems(file, data["source"], folder))
    return [str(problem).removeprefix("p.yaml:") for problem in found]


def secret(name: str) -> str:
    example = f'"${{{name.upper()}}}"'
    return f'{name}: a secret must come from the environment: write "${{NAME}}", such as {example}'
