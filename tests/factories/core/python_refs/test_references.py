"""Functions named in YAML: found and checked without importing their module."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from factories.core.python_refs.references import (
    FunctionError,
    argument_problems,
    find_function,
    locate_function_error,
)
from factories.core.yaml.reader import YamlFile

DAYS = """
import dlt
raise RuntimeError("this module must not run")

@dlt.resource(name="days", write_disposition="replace")
def days(start: str, end="2014-01-01", *, country: str = "US"):
    yield {}

@dlt.source
def calendars(key: str = dlt.secrets.value, since=dlt.sources.incremental("at")):
    return days
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of modules, in a project."""
    return tmp_path / "dlt_pipelines"


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))


def problems_of(folder: Path, text: str, given: Collection[str] = ()) -> list[str]:
    data: Any = yaml.safe_load(text)
    file = YamlFile(folder / "f.yaml", f"{folder.name}/f.yaml", data, text)
    arguments: Mapping[str, Any] = data.get("args", {})
    try:
        function = find_function(data["call"], folder)
    except FunctionError as error:
        found = [locate_function_error(file, ["call"], error)]
    else:
        found = [
            *argument_problems(
                file, ["call"], function, arguments=arguments, arguments_at=["args"], given=given
            )
        ]
    return [str(problem).removeprefix(f"{folder.name}/f.yaml:") for problem in found]


def test_a_function_is_found_in_the_folder_and_its_module_does_not_run(folder: Path) -> None:
    write(folder, "calendar.py", DAYS)
    function = find_function("calendar:days", folder)
    assert (function.path, function.line) == (folder / "calendar.py", 5)
    assert function.parameters is not None
    assert [(p.name, p.required, p.annotation, p.default) for p in function.parameters] == [
        ("start", True, "str", ""),
        ("end", False, "", "'2014-01-01'"),
        ("country", False, "str", "'US'"),
    ]


def test_what_dlt_injects_is_not_required(folder: Path) -> None:
    write(folder, "days.py", DAYS)
    assert problems_of(folder, "call: days:calendars") == []


def test_a_module_in_a_subfolder_and_a_package_are_found(folder: Path) -> None:
    write(folder, "api/days.py", DAYS)
    write(folder, "pack/__init__.py", "def one(): ...")
    assert find_function("api.days:days", folder).path == folder / "api/days.py"
    assert find_function("pack:one", folder).path == folder / "pack/__init__.py"


def test_an_installed_module_is_found_where_the_folder_has_none(folder: Path) -> None:
    function = find_function("calendar:isleap", folder)
    assert function.path is not None
    assert function.path.name == "calendar.py"
    assert problems_of(folder, "{call: 'calendar:isleap', args: {year: 2013}}") == []


def test_the_parents_of_an_installed_module_are_not_imported(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "loudpackage/__init__.py", "raise RuntimeError('imported')")
    write(tmp_path, "loudpackage/inner.py", "def quiet(a): ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = problems_of(folder, "{call: 'loudpackage.inner:quiet', args: {}}")
    assert found == ["1:35: the argument 'a' of quiet is missing"]
    assert "loudpackage" not in sys.modules


def test_a_module_that_is_not_a_python_file_may_have_any_function(folder: Path) -> None:
    assert find_function("math:sqrt", folder).parameters is None
    assert problems_of(folder, "{call: 'math:sqrt', args: {a: 1}}") == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            "calender:days",
            (
                "1:7: there is no module 'calender', neither as a file in dlt_pipelines/ nor "
                "installed; did you mean 'calendar'? (allowed: api.weather, calendar)"
            ),
        ),
        (
            "calendar:day",
            (
                "1:7: calendar.py has no function 'day'; did you mean 'days'? "
                "(allowed: calendars, days)"
            ),
        ),
        (
            "calendar.days",
            (
                "1:7: 'calendar.days' is not of the form module:function; "
                "did you mean 'calendar:days'?"
            ),
        ),
        ("calendar:", "1:7: 'calendar:' is not of the form module:function"),
        ("../calendar:days", "1:7: '../calendar:days' is not of the form module:function"),
        (
            "os.nothing:x",
            (
                "1:7: there is no module 'os.nothing', neither as a file in dlt_pipelines/ nor "
                "installed (allowed: api.weather, calendar)"
            ),
        ),
    ],
)
def test_what_is_not_found_is_said_with_the_nearest(folder: Path, call: str, expected: str) -> None:
    write(folder, "calendar.py", DAYS)
    write(folder, "api/weather.py", DAYS)
    assert problems_of(folder, f'call: "{call}"') == [expected]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("{start: a}", []),
        ("{start: a, end: b, country: c}", []),
        (
            "{strat: a}",
            [
                (
                    "2:8: days has no parameter 'strat'; did you mean 'start'? "
                    "(allowed: start, end, country)"
                ),
                "2:1: the argument 'start' of days is missing",
            ],
        ),
        ("{}", ["2:1: the argument 'start' of days is missing"]),
    ],
)
def test_arguments_fit_the_parameters(folder: Path, args: str, expected: list[str]) -> None:
    write(folder, "calendar.py", DAYS)
    assert problems_of(folder, f"call: calendar:days\nargs: {args}\n") == expected


@pytest.mark.parametrize(
    ("annotation", "value", "kind"),
    [
        ("int", "2013-01-01", "a whole number"),
        ("int", "true", "a whole number"),
        ("int | None", "[1]", "a whole number or empty"),
        ("str", "5", "text"),
        ("list[str]", "a", "a list"),
        ("int", "5", None),
        ("float", "5", None),
        ("str | None", "null", None),
        ("dict[str, int | None]", "{a: 1}", None),
        ("date", "2013-01-01", None),
        ("int", '"${YEAR}"', None),
    ],
)
def test_values_are_compared_with_annotations(
    folder: Path, annotation: str, value: str, kind: str | None
) -> None:
    write(folder, "made.py", f"def made(first: {annotation}): ...")
    found = problems_of(folder, f"call: made:made\nargs: {{first: {value}}}\n")
    assert [text.partition(", not ")[0] for text in found] == (
        [f"2:15: first: made takes {kind}"] if kind else []
    )


def test_a_missing_argument_is_placed_at_the_function_when_there_are_no_arguments(
    folder: Path,
) -> None:
    write(folder, "calendar.py", DAYS)
    assert problems_of(folder, "call: calendar:days") == [
        "1:7: the argument 'start' of days is missing"
    ]


def test_a_factory_gives_arguments_itself(folder: Path) -> None:
    write(folder, "train.py", "def train(session, features, *, rate=1): ...")
    text = "call: train:train\nargs: {features: x}\n"
    assert problems_of(folder, text, given=("session",)) == []
    text = "call: train:train\nargs: {session: s, features: x, rat: 2}\n"
    assert problems_of(folder, text, given=("session",)) == [
        "2:8: 'session' is given by the factory",
        "2:33: train has no parameter 'rat'; did you mean 'rate'? (allowed: features, rate)",
    ]


@pytest.mark.parametrize(
    "module",
    [
        "from elsewhere import days",
        "import elsewhere as days",
        "days = make(1)",
        "days: object = make(1)",
        "first, days = make(2)",
        "class days: ...",
        "try:\n    from a import days\nexcept ImportError:\n    days = None",
        "with open('x') as days:\n    pass",
        "if True:\n    def days(b): ...\nelse:\n    def days(c): ...",
        "from elsewhere import *",
        "def __getattr__(name): ...",
        "globals()['days'] = 1",
        "def init():\n    global days\n    days = 1",
        "@changed\ndef days(b): ...",
        "@dlt.transformer(data_from=x)\ndef days(item, b): ...",
        "def days(**others): ...",
        "def days(b): ...\ndays = changed(days)",
    ],
)
def test_nothing_is_said_of_what_only_running_tells(folder: Path, module: str) -> None:
    write(folder, "m.py", module)
    assert problems_of(folder, "{call: 'm:days', args: {a: 1}}") == []


@pytest.mark.parametrize(
    "module",
    [
        "def days(b): ...",
        "async def days(b): ...",
        "days = 1\ndef days(b): ...",
        "if True:\n    def days(b): ...",
        "@functools.lru_cache(maxsize=None)\ndef days(b): ...",
        "class days: ...\n@dlt.source(name='x')\ndef days(b): ...",
    ],
)
def test_a_definition_that_holds_is_compared(folder: Path, module: str) -> None:
    write(folder, "m.py", module)
    assert problems_of(folder, "{call: 'm:days', args: {b: 1, c: 1}}") == [
        "1:31: days has no parameter 'c' (allowed: b)"
    ]


def test_a_name_within_a_function_is_not_a_function_of_the_module(folder: Path) -> None:
    write(folder, "m.py", "def outer():\n    def days(): ...\n    other = 1\n")
    assert problems_of(folder, "call: m:days") == [
        "1:7: m.py has no function 'days' (allowed: outer)"
    ]


def test_a_positional_parameter_cannot_be_given(folder: Path) -> None:
    write(folder, "m.py", "def days(a, b=1, /, c=2): ...")
    assert problems_of(folder, "{call: 'm:days', args: {b: 2}}") == [
        "1:25: days has no parameter 'b' (allowed: c)",
        "1:8: days takes 'a' by position only: it cannot be given by name",
    ]


def test_a_syntax_error_is_placed_in_the_python_file(folder: Path) -> None:
    write(folder, "sub/m.py", "import dlt\n\ndef days(:\n    pass\n")
    file = YamlFile(folder / "f.yaml", "dlt_pipelines/f.yaml", {"call": "sub.m:days"}, "")
    with pytest.raises(FunctionError) as raised:
        find_function("sub.m:days", folder)
    found = locate_function_error(file, ["call"], raised.value)
    assert str(found) == "dlt_pipelines/sub/m.py:3:10: not valid Python: invalid syntax"


@pytest.mark.parametrize("content", [b"x = '\xff'\n", b"x = 1\x00\n"])
def test_a_file_that_is_not_text_is_a_problem(folder: Path, content: bytes) -> None:
    write(folder, "m.py", "")
    (folder / "m.py").write_bytes(content)
    with pytest.raises(FunctionError, match=r"not valid Python|cannot be read") as caught:
        find_function("m:days", folder)
    assert caught.value.place is not None
