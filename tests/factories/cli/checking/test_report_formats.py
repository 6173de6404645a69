"""The report for people, machines and GitHub Actions."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from factories.cli.checking.report_formats import as_annotations
from factories.cli.main import build_app
from factories.core.yaml.problems import Problem


def test_an_annotation_has_the_place_and_the_text() -> None:
    problem = Problem("sling/shop.yaml", 5, 19, "unknown key 'mod'", ("mode", "object"), "mode")
    assert list(as_annotations([problem, Problem("sling", 0, 0, "the folder does not exist")])) == [
        (
            "::error file=sling/shop.yaml,line=5,col=19::sling/shop.yaml:5:19: unknown key 'mod';"
            " did you mean 'mode'? (allowed: mode, object)"
        ),
        "::error file=sling::sling: the folder does not exist",
    ]


def test_what_would_end_an_annotation_or_its_properties_is_escaped() -> None:
    problem = Problem("a,b:c%.yaml", 1, 2, "50% of\r\n::warning::all, he said: x")
    assert list(as_annotations([problem])) == [
        (
            "::error file=a%2Cb%3Ac%25.yaml,line=1,col=2::a,b:c%25.yaml:1:2: 50%25 of"
            "%0D%0A::warning::all, he said: x"
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--json", "--format", "github"], "--json is --format json, and not --format github"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_formats_that_contradict_each_other_or_are_none_are_refused(
    arguments: list[str], says: str
) -> None:
    done = CliRunner().invoke(build_app(), ["check", *arguments], terminal_width=200)
    assert done.exit_code == 2
    assert says in done.output
