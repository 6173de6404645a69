"""The committed reference is what `dp docs` would write."""

from __future__ import annotations

from pathlib import Path

from factories.cli.checking.generated_files import outdated_files
from factories.cli.reference.page import REFERENCE, reference


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in outdated_files(root)]


def test_a_reference_that_differs_is_told_at_its_first_line_that_does(tmp_path: Path) -> None:
    assert problems(tmp_path) == []  # a project need not have one
    path = tmp_path / REFERENCE
    path.parent.mkdir(parents=True)
    lines = reference().splitlines()
    path.write_text("\r\n".join(lines), encoding="utf-8")
    assert problems(tmp_path) == []
    says = "1: is not what the models of the YAML say: run `dp docs`, and commit it"
    path.write_text("\n".join([*lines[:6], "- A key of yesterday.", *lines[6:]]), encoding="utf-8")
    assert problems(tmp_path) == [f"docs/reference/yaml.md:7:{says}"]
    path.write_text("\n".join(lines[:-2]), encoding="utf-8")
    assert problems(tmp_path) == [f"docs/reference/yaml.md:{len(lines) - 1}:{says}"]
