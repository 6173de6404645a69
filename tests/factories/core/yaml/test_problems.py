"""Problems: one line each, all in one error."""

from __future__ import annotations

import pytest

from factories.core.yaml.problems import ConfigError, Problem, nearest


def test_a_problem_reads_place_message_hint_and_what_is_allowed() -> None:
    problem = Problem("a.yaml", 3, 5, "unknown key 'gruop'", ("group", "tags"), "group")
    assert str(problem) == (
        "a.yaml:3:5: unknown key 'gruop'; did you mean 'group'? (allowed: group, tags)"
    )


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert str(Problem("a.yaml", 0, 0, "cannot be read")) == "a.yaml: cannot be read"


def test_a_long_list_of_what_is_allowed_is_cut() -> None:
    text = str(Problem("a.yaml", 1, 1, "no", tuple(f"v{n}" for n in range(15))))
    assert text.endswith("v11 and 3 more)")
    assert "v12" not in text


def test_one_error_holds_all_problems_sorted_by_place_and_each_once() -> None:
    late = Problem("b.yaml", 1, 1, "late")
    tenth = Problem("a.yaml", 10, 1, "tenth")
    second = Problem("a.yaml", 2, 9, "second")
    error = ConfigError([late, tenth, second, tenth])
    assert error.problems == (second, tenth, late)
    assert str(error) == (
        "3 problems in the configuration:\n"
        "  a.yaml:2:9: second\n  a.yaml:10:1: tenth\n  b.yaml:1:1: late"
    )
    assert str(ConfigError([late])).startswith("1 problem in the configuration:")


def test_problems_that_differ_only_in_their_hint_can_be_sorted() -> None:
    one, two = Problem("a", 1, 1, "m"), Problem("a", 1, 1, "m", nearest="x")
    assert set(ConfigError([one, two]).problems) == {one, two}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("on_corn_no_deps", "on_cron_no_deps"),
        ("ON_CRON_NO_DEPS", "on_cron_no_deps"),
        ("manual", "manual_only"),
        ("zzz", None),
        ("", None),
    ],
)
def test_nearest_allowed_word(word: str, expected: str | None) -> None:
    assert nearest(word, ["on_cron_no_deps", "on_cron_with_deps", "manual_only"]) == expected
