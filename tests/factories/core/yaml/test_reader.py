"""YAML files: values as YAML 1.2 reads them, and the place of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import YamlFile, read_yaml, yaml_paths
from tests.factories.conftest import YamlProject

NESTED = """\
# a comment
top:
  list:
    - one
    - {two: 2}
  "quoted key": x
"""


def in_memory(text: str) -> YamlFile:
    return YamlFile(Path("f.yaml"), "f.yaml", yaml.safe_load(text), text)


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        ([], False, (2, 1)),
        (["top"], False, (3, 3)),
        (["top"], True, (2, 1)),
        (["top", "list", 0], False, (4, 7)),
        (["top", "list", 1, "two"], True, (5, 8)),
        (["top", "list", 1, "two"], False, (5, 13)),
        (["top", "quoted key"], True, (6, 3)),
        (["top", "quoted key"], False, (6, 17)),
    ],
)
def test_position_of_key_and_value(
    path: list[str | int], at_key: bool, place: tuple[int, int]
) -> None:
    assert in_memory(NESTED).position(path, at_key=at_key) == place


def test_what_is_not_written_is_placed_at_the_key_of_its_nearest_parent() -> None:
    file = in_memory(NESTED)
    assert file.position(["top", "list", 7]) == (3, 3)
    assert file.position(["top", "missing", "deeper"]) == (2, 1)
    assert file.position(["missing"]) == (2, 1)
    assert not file.has(["top", "missing"])


def test_position_follows_merge_keys_to_the_anchor() -> None:
    file = in_memory(
        "base: &base\n  k: 1\nother: &other {k: 2, m: 3}\nx:\n  <<: [*base, *other]\n  own: 4\n"
    )
    assert file.position(["x", "k"], at_key=True) == (2, 3)
    assert file.position(["x", "m"], at_key=True) == (3, 22)
    assert file.position(["x", "own"], at_key=True) == (6, 3)


def test_position_inside_an_alias_is_that_of_the_anchor() -> None:
    file = in_memory("base: &base\n  k: 1\nx: *base\n")
    assert file.position(["x", "k"], at_key=True) == (2, 3)


KEYS = st.text("abcdefg", min_size=1, max_size=4)
TREES = st.recursive(
    st.integers(0, 9) | st.text("uvw", max_size=3),
    lambda children: (
        st.dictionaries(KEYS, children, min_size=1, max_size=3)
        | st.lists(children, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def _leaves(node: object) -> list[tuple[list[str | int], object]]:
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    else:
        return [([], node)]
    return [([step, *path], leaf) for step, child in children for path, leaf in _leaves(child)]


@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=4), st.sampled_from([True, False, None]))
def test_every_value_is_found_where_it_is_written(
    data: dict[str, object], flow: bool | None
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, width=40)
    lines = text.splitlines()
    file = in_memory(text)
    for path, leaf in _leaves(data):
        line, column = file.position(path)
        written = lines[line - 1][column - 1 :]
        assert written.startswith((str(leaf), f"'{leaf}'")), (text, path)


def test_every_duplicate_key_is_reported_and_the_rest_of_the_file_is_read(
    yaml_project: YamlProject,
) -> None:
    yaml_project.write("f.yaml", "a: 1\nb: {c: 1, c: 2, c: 3}\nd:\n  - {e: 1, e: 1}\na: 2\n")
    file, problems = yaml_project.read("f.yaml")
    assert sorted(problems) == [
        "f.yaml:2:11: duplicate key 'c': also on line 2",
        "f.yaml:2:17: duplicate key 'c': also on line 2",
        "f.yaml:4:12: duplicate key 'e': also on line 4",
        "f.yaml:5:1: duplicate key 'a': also on line 1",
    ]
    assert file is not None
    assert file.data["d"] == [{"e": 1}]


def test_overriding_a_merged_key_is_not_a_duplicate(yaml_project: YamlProject) -> None:
    yaml_project.write("f.yaml", "b: &b {k: 1, m: 1}\nx:\n  <<: *b\n  k: 2\n")
    file, problems = yaml_project.read("f.yaml")
    assert problems == []
    assert file is not None
    assert file.data["x"] == {"k": 2, "m": 1}


def test_a_key_written_twice_over_a_merged_one_is_a_duplicate(yaml_project: YamlProject) -> None:
    yaml_project.write("f.yaml", "b: &b {k: 1}\nx:\n  <<: *b\n  k: 2\n  k: 3\n")
    _, problems = yaml_project.read("f.yaml")
    assert problems == ["f.yaml:5:3: duplicate key 'k': also on line 4"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("12:30", "12:30"),
        ("2013-01-01", "2013-01-01"),
        ("2013-01-01T06:00", "2013-01-01T06:00"),
        ("1_000", "1_000"),
        ("=", "="),
        ("010", 10),
        ("08", 8),
        ("0o10", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(
    yaml_project: YamlProject, text: str, value: object
) -> None:
    yaml_project.write("f.yaml", f"on: {text}\n")
    file, problems = yaml_project.read("f.yaml")
    assert problems == []
    assert file is not None
    assert file.data == {"on": value}
    assert type(file.data["on"]) is type(value)


def test_a_byte_order_mark_is_not_part_of_the_first_key(yaml_project: YamlProject) -> None:
    (yaml_project.root / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    file, _ = yaml_project.read("f.yaml")
    assert file is not None
    assert file.data == {"a": 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "f.yaml:1:1: the file is empty: it must hold keys and values"),
        (b"# nothing\n", "f.yaml:1:1: the file is empty: it must hold keys and values"),
        (b"- a\n- b\n", "f.yaml:1:1: must be a mapping of keys to values"),
        (
            "ü: 1\na: ä".encode() + "ä".encode("latin-1"),
            "f.yaml:2:5: the byte 0xE4 is not UTF-8 text: save the file as UTF-8",
        ),
        ("a: b".encode("utf-16"), "f.yaml:1:1: the byte 0xFF is not UTF-8 text"),
        (b"a: b\0", "f.yaml:1:5: not valid YAML: control characters are not allowed"),
        (b"a: " + b"9" * 5000, "f.yaml:1:4: not valid YAML: '9999999999999999999999999999999999"),
        (
            b"a:\n  b: 1\n c: 2\n",
            (
                "f.yaml:3:2: not valid YAML: did not find expected key,"
                " while parsing a block mapping that starts on line 1"
            ),
        ),
        (
            b"a:\n\tb: 1\n",
            "f.yaml:2:1: not valid YAML: YAML cannot be indented with tabs: use spaces",
        ),
        (b"a: @b\n", "f.yaml:1:4: not valid YAML: a text that begins with @ needs quotes"),
        (b"a: b: c\n", "f.yaml:1:5: not valid YAML: a text that holds ': ' needs quotes"),
        (
            b"a: {b: ${VAR}}\n",
            "f.yaml:1:9: not valid YAML: a ${VAR} between braces needs quotes",
        ),
        (b"a: &a {b: [*a]}\n", "f.yaml:1:4: not valid YAML: an anchor contains itself"),
        (b"a: *nowhere\n", "f.yaml:1:4: not valid YAML: found undefined alias"),
        (
            b"a: !secret x\n",
            "f.yaml:1:4: not valid YAML: could not determine a constructor for the tag '!secret'",
        ),
        (b"a: !!int x\n", "f.yaml:1:4: not valid YAML: 'x' cannot be read as its tag says, as int"),
        (
            b"a: !!timestamp x\n",
            "f.yaml:1:4: not valid YAML: 'x' cannot be read as its tag says, as timestamp",
        ),
        (b"a: 1\n? [b]\n: 2\n", "f.yaml:2:3: not valid YAML: found unhashable key"),
        (
            b"a: 1\n---\nb: 2\n",
            "f.yaml:2:1: not valid YAML: a second document begins here, a file holds one",
        ),
        (b"a: 1\nb: 'x\x01'\n", "f.yaml:2:6: not valid YAML: control characters are not allowed"),
    ],
)
def test_an_unusable_file_is_one_problem_with_its_place(
    yaml_project: YamlProject, content: bytes, problem: str
) -> None:
    (yaml_project.root / "f.yaml").write_bytes(content)
    file, problems = yaml_project.read("f.yaml")
    assert file is None
    (found,) = problems
    assert found.startswith(problem)


def test_a_missing_file_is_a_problem(yaml_project: YamlProject) -> None:
    assert yaml_project.read("none.yaml") == (
        None,
        ["none.yaml: cannot be read: No such file or directory"],
    )


def test_files_come_by_name_whatever_order_they_were_made_in(tmp_path: Path) -> None:
    for name in ("z.yaml", "a.yml", "m.yaml", "n.txt", "B.yaml"):
        (tmp_path / name).write_text("a: 1")
    (tmp_path / "folder.yaml").mkdir()
    assert [path.name for path in yaml_paths(tmp_path)] == ["B.yaml", "a.yml", "m.yaml", "z.yaml"]


def test_lines_of_keys_are_known_without_a_second_parse(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: 1\nstreams:\n  one:\n  two: {x: 1}\n\n  'three': {}\n")
    problems: list[Problem] = []
    file = read_yaml(path, root=tmp_path, problems=problems, lines_of="streams")
    assert file is not None
    assert file.key_lines == {"one": 3, "two": 4, "three": 6}


def test_a_file_outside_the_project_keeps_its_whole_path(tmp_path: Path) -> None:
    problems: list[Problem] = []
    read_yaml(tmp_path / "f.yaml", root=tmp_path / "elsewhere", problems=problems)
    assert problems[0].file == str(tmp_path / "f.yaml")
