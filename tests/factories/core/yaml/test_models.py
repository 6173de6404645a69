"""Strict models: what pydantic finds, told as a reader of YAML would say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field, StrictBool, StrictInt, StrictStr

from factories.core.yaml.models import Duration, Names, SourceMap, StrictModel, validate
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile


class Leaf(StrictModel):
    color: Literal["red", "green"] = "red"
    size: StrictInt | None = Field(None, ge=0)
    schema_: StrictBool | None = Field(None, alias="schema")


class Twig(StrictModel):
    elsewhere: ClassVar[Mapping[str, str]] = {"title": "belongs to the tree"}
    size: StrictInt | None = None
    names: Names = ()
    leaf: Leaf | None = None


class Branch(StrictModel):
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] | None = None
    label: StrictStr | StrictInt | None = None
    names: Names = ()
    wait: Duration | None = None
    ratio: StrictInt | float = 1
    twig: Literal["none"] | Twig = Field("none", examples=[{"size": 3, "names": ["a", "b"]}])


class Tree(StrictModel):
    branch: Branch
    title: StrictStr = ""


def problems_of(text: str, model: type[StrictModel] = Tree) -> list[str]:
    file = YamlFile(Path("f.yaml"), "f.yaml", yaml.safe_load(text), text)
    found: list[Problem] = []
    assert validate(model, file.data, SourceMap(file, []), found) is None
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "brunch: {}",
            "f.yaml:1:1: unknown key 'brunch'; did you mean 'branch'? (allowed: branch, title)",
        ),
        (
            "branch: {leef: {}}",
            (
                "f.yaml:1:10: unknown key 'leef'; did you mean 'leaf'?"
                " (allowed: leaf, leaves, by_name, label, names, wait, ratio, twig)"
            ),
        ),
        (
            "branch:\n  leaf:\n    colour: red",
            (
                "f.yaml:3:5: unknown key 'colour'; did you mean 'color'?"
                " (allowed: color, size, schema)"
            ),
        ),
        (
            "branch:\n  leaves:\n    - color: red\n    - siez: 1",
            ("f.yaml:4:7: unknown key 'siez'; did you mean 'size'? (allowed: color, size, schema)"),
        ),
        (
            "branch: {twig: {siez: 1}}",
            "f.yaml:1:17: unknown key 'siez'; did you mean 'size'? (allowed: size, names, leaf)",
        ),
        ("branch: {twig: {color: red}}", "f.yaml:1:17: 'color' belongs below leaf"),
        ("branch: {color: red}", "f.yaml:1:10: 'color' belongs below leaf"),
        ("branch: {twig: {title: x}}", "f.yaml:1:17: 'title' belongs to the tree"),
        (
            "branch:\n  by_name:\n    any: {xyz: 1}",
            "f.yaml:3:11: unknown key 'xyz' (allowed: color, size, schema)",
        ),
    ],
)
def test_unknown_key_at_any_depth_lists_what_its_own_place_takes(text: str, problem: str) -> None:
    assert problem in problems_of(text)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("leaf: 3", "f.yaml:1:16: leaf: must be a mapping, not 3"),
        ("leaf: {size: big}", "f.yaml:1:23: size: must be a whole number, not 'big'"),
        ("leaf: {size: -1}", "f.yaml:1:23: size: must be greater than or equal to 0, not -1"),
        ("leaf: {size: true}", "f.yaml:1:23: size: must be a whole number, not true"),
        ("leaf: {schema: 'yes'}", "f.yaml:1:25: schema: must be true or false, not 'yes'"),
        ("leaves: {}", "f.yaml:1:18: leaves: must be a list, not {}"),
        ("label: [1]", "f.yaml:1:17: label: must be text or a whole number, not [1]"),
        ("names: 5", "f.yaml:1:17: names: must be text or a list, not 5"),
        (
            "names: 'a, b_1'",
            "f.yaml:1:17: names: 'a, b_1' looks like several: write [a, b_1]",
        ),
        ("ratio: 1d", "f.yaml:1:17: ratio: must be a number, not '1d'"),
        (
            "twig: 3",
            "f.yaml:1:16: twig: must be text or a mapping such as {size: 3, names: [a, b]}, not 3",
        ),
        ("names: [a, 5]", "f.yaml:1:21: names[1]: must be text, not 5: put it in quotes"),
        ("names: [a, true]", "f.yaml:1:21: names[1]: must be text, not true: put it in quotes"),
        ("wait: 5", "f.yaml:1:16: wait: must be a duration like 30s, 15m, 36h or 7d"),
        ("wait: 5 parsecs", "f.yaml:1:16: wait: must be a duration like 30s, 15m, 36h or 7d"),
        (
            "leaf: {color: Gren}",
            (
                "f.yaml:1:24: color: 'Gren' is not one of the allowed values;"
                " did you mean 'green'? (allowed: red, green)"
            ),
        ),
    ],
)
def test_wrong_value_is_reported_in_yamls_own_words(value: str, problem: str) -> None:
    assert problems_of(f"branch: {{{value}}}") == [problem]


def test_missing_key_is_placed_at_what_lacks_it() -> None:
    class Outer(StrictModel):
        inner: Tree

    assert problems_of("# comment\ntitle: x") == ["f.yaml:2:1: the key 'branch' is missing"]
    assert problems_of("\ninner: {title: x}", Outer) == ["f.yaml:2:1: the key 'branch' is missing"]


def test_missing_key_that_is_misspelt_is_reported_once() -> None:
    assert problems_of("brunch: {}\ntitle: x") == [
        "f.yaml:1:1: unknown key 'brunch'; did you mean 'branch'? (allowed: branch, title)"
    ]
    assert len(problems_of("other: {}\ntitle: x")) == 2


def test_missing_key_that_stands_too_deep_is_reported_there() -> None:
    class Outer(StrictModel):
        first: dict[str, Any]
        second: StrictInt

    assert problems_of("first:\n  second: 1", Outer) == [
        "f.yaml:2:3: 'second' stands below 'first', but belongs beside it"
    ]


def test_all_mistakes_are_reported_together() -> None:
    assert len(problems_of("branch: {leaf: 1, names: 2, x: 3}\ntitle: 4\ny: 5")) == 5


def test_valid_values_make_the_model() -> None:
    text = "branch: {leaf: {size: 1, schema: true}, names: one, wait: 1.5h, label: 3}"
    found: list[Problem] = []
    file = YamlFile(Path("f.yaml"), "f.yaml", yaml.safe_load(text), text)
    tree = validate(Tree, file.data, SourceMap(file, []), found)
    assert tree is not None
    assert tree.branch.names == ("one",)
    assert tree.branch.wait is not None
    assert tree.branch.wait.total_seconds() == 5400
    with pytest.raises(ValueError, match="frozen"):
        tree.title = "new"  # type: ignore[misc]  # that it cannot be set is the point


INHERITED = """\
defaults:
  leaf: {color: blue, size: 1}
  names: [a]
own:
  leaf: {size: big}
"""


def test_a_mistake_is_placed_where_it_was_written() -> None:
    data: dict[str, Any] = yaml.safe_load(INHERITED)
    file = YamlFile(Path("f.yaml"), "f.yaml", data, INHERITED)
    merged = {"leaf": {**data["defaults"]["leaf"], **data["own"]["leaf"]}, "nmaes": 1}
    found: list[Problem] = []
    validate(Branch, merged, SourceMap(file, ["own"], ["defaults"]), found)
    places = {problem.message.split(":")[0]: (problem.line, problem.column) for problem in found}
    assert places == {"color": (2, 17), "size": (5, 16), "unknown key 'nmaes'": (4, 1)}
