"""What would hang a reader, or end it, is one problem at its place."""

from __future__ import annotations

import pytest
import yaml

from factories.core.yaml.limits import MAX_BYTES, MAX_DEPTH, load_plain
from tests.factories.conftest import YamlProject


def aliases(value: str, first: str, count: int = 9, times: int = 12) -> str:
    """Anchors whose values hold the one before, several times; `{}` in `value` stands for these."""
    lines = [f"a0: &a0 {first}"]
    for level in range(1, times):
        before = [f"*a{level - 1}"] * count
        lines.append(f"a{level}: &a{level} {value.replace('{}', ', '.join(before))}")
    return "\n".join(lines)


DEEP = "it is nested more than 100 levels deep"
MANY = "the aliases up to here stand for more than 250,000 values"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(aliases("[{}]", "[x]"), f"7:10: {MANY}", id="aliases-in-lists"),
        pytest.param(aliases("{k: [{}]}", "x"), f"7:19: {MANY}", id="aliases-in-mappings"),
        pytest.param(aliases("{<<: [{}]}", "{k: 1}"), f"7:15: {MANY}", id="merges"),
        pytest.param(aliases("[{}]", "[x]", 1, 2000), f"100:12: {DEEP}", id="chain-of-aliases"),
        pytest.param(
            aliases("{<<: {}}", "{k: 1}", 1, 2000), f"100:16: {DEEP}", id="chain-of-merges"
        ),
        pytest.param("a: " + "[" * 100_000, f"1:103: {DEEP}", id="open-brackets"),
        pytest.param("a: &a " + "[" * 2000 + "]" * 2000, f"1:106: {DEEP}", id="brackets"),
        pytest.param("a: " + "{b: " * 1500 + "}" * 1500, f"1:400: {DEEP}", id="braces"),
        pytest.param("a:\n" + "- " * 100_000 + "x", f"2:199: {DEEP}", id="dashes"),
        pytest.param("? " * 3000, f"1:201: {DEEP}", id="keys-of-keys"),
        pytest.param(
            "".join(f"{' ' * level}a:\n" for level in range(1500)), f"101:101: {DEEP}", id="blocks"
        ),
        # What only looks like closing brackets hides nothing.
        pytest.param(
            "a: x]]]]\nb: " + "['it''s ]', " * 150 + "]" * 150, f"2:1192: {DEEP}", id="in-quotes"
        ),
        pytest.param(
            "a: &a {b: [*a]}", "1:4: not valid YAML: an anchor contains itself", id="self"
        ),
    ],
)
def test_a_hostile_file_is_one_problem(yaml_project: YamlProject, text: str, problem: str) -> None:
    yaml_project.write("f.yaml", text)
    assert yaml_project.read("f.yaml") == (None, [f"f.yaml:{problem}"])


def test_a_file_that_is_too_large_is_not_parsed(yaml_project: YamlProject) -> None:
    (yaml_project.root / "f.yaml").write_bytes(b"[" * (MAX_BYTES + 1))
    _, problems = yaml_project.read("f.yaml")
    assert problems == ["f.yaml: is too large: 5,000,001 bytes, at most 5,000,000"]


def test_what_people_write_is_within_the_limits(yaml_project: YamlProject) -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    used = "".join(f"  s{number}: {{<<: *base, n: {number}}}\n" for number in range(5000))
    yaml_project.write("f.yaml", f"deep: {deep}\nbase: &base {{a: 1, b: [1, 2]}}\nused:\n{used}")
    file, problems = yaml_project.read("f.yaml")
    assert problems == []
    assert file is not None
    assert file.data["used"]["s4999"] == {"a": 1, "b": [1, 2], "n": 4999}
    assert file.position(["used", "s4999", "n"]) == (5003, 25)
    assert file.position(["used", "s4999", "a"], at_key=True) == (2, 14)


@pytest.mark.parametrize(
    "content", [b"a: " + b"[" * 100_000, aliases("{<<: [{}]}", "{k: 1}").encode(), b"a: 2024-99-99"]
)
def test_a_file_of_dbt_that_cannot_be_read_is_an_error_of_yaml(content: bytes) -> None:
    with pytest.raises(yaml.YAMLError):
        load_plain(content)
