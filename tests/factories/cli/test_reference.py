"""The reference of the YAML files' keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, StrictInt, StrictStr

from factories.cli.reference.page import REFERENCE, reference
from factories.cli.reference.section import Section
from factories.cli.reference.sections import SECTIONS
from factories.cli.reference.type_words import TypeWords
from factories.core.meta.times import CronText
from factories.core.yaml.models import Duration, Names, SourceMap, validate
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

ROOT = Path(__file__).parents[3]


def test_committed_reference_is_what_the_models_say() -> None:
    committed = (ROOT / REFERENCE).read_text(encoding="utf-8")
    assert committed == reference(), f"{REFERENCE} is out of date: run `dp docs`"


@pytest.mark.parametrize(
    "section", [section for section in SECTIONS if section.example], ids=lambda s: s.title
)
def test_example_is_valid(section: Section, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(section.example, encoding="utf-8")
    problems: list[Problem] = []
    file = read_yaml(path, root=tmp_path, problems=problems)
    assert file is not None
    assert validate(section.model, file.data, SourceMap(file, []), problems) is not None, problems


def test_every_link_leads_to_a_heading() -> None:
    text = reference()
    lines = text.splitlines()
    headings = {line.lstrip("# ") for line in lines if line.startswith("#")}
    anchors = {h.lower().replace("`", "").replace(".", "").replace(" ", "-") for h in headings}
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert links
    assert links <= anchors


class Nested(BaseModel):
    """A model that no section describes."""


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (StrictStr | None, "text"),
        (Duration | None, "duration"),
        (CronText, "cron schedule"),
        (Names | None, "text, or list of text"),
        (tuple[StrictStr, ...], "list of text"),
        (tuple[StrictInt, ...], "list of whole numbers"),
        (Literal["soft", "hard"] | None, "one of `soft`, `hard`"),
        (Annotated[StrictInt, Field(ge=0, le=5)] | None, "whole number, 0 to 5"),
        (dict[str, Any], "mapping"),
        (dict[str, bool | int | str], "mapping of names to true/false, whole number or text"),
    ],
)
def test_type_is_reported_in_the_words_of_yaml(annotation: Any, words: str) -> None:
    assert TypeWords({}).of(annotation) == words


@pytest.mark.parametrize("annotation", [Nested, timedelta, frozenset[str]])
def test_a_type_without_words_is_refused(annotation: type) -> None:
    with pytest.raises(KeyError):
        TypeWords({}).of(annotation)
