"""Where `dagster_cloud.yaml` and `dg.toml` say other than `workspace.yaml`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from factories.cli.check import check_project
from factories.cli.checking.deployment_files import agreement_problems
from factories.cli.workspace import read_workspace

ROOT = Path(__file__).parents[4]
NAMES = ("ingestion", "transformation", "ml")
ALLOWED = "(allowed: ingestion, transformation, ml)"
FILES = (
    "dagster_cloud.yaml",
    "dg.toml",
    "workspace.yaml",
    *(f"code_locations/{name}/dg.toml" for name in NAMES),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of this project."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def replace(file: Path, old: str, new: str) -> tuple[int, int]:
    """Replace a text that stands there once; return the line and column where it stood."""
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    before = text[: text.index(old)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in agreement_problems(root, read_workspace(root, []))]


def test_the_files_of_this_project_agree(project: Path) -> None:
    assert problems(project) == []


def test_a_project_needs_neither_file(project: Path) -> None:
    (project / "dagster_cloud.yaml").unlink()
    (project / "dg.toml").unlink()

    assert problems(project) == []


MODULE = "code_locations.ml.definitions"
NO_PROJECT = "dg.toml:5:1: the code location ml of workspace.yaml is no project"


@pytest.mark.parametrize(
    ("old", "new", "column", "message"),
    [
        (
            "{module_name: code_locations.ml.definitions}",
            "{module_name: code_locations.ml.defs}",
            len("{module_name: "),
            f"module_name is code_locations.ml.defs, and {MODULE} in workspace.yaml",
        ),
        (
            "{module_name: code_locations.ml.definitions}",
            "{python_file: code_locations/ml/definitions.py}",
            -len("code_source: "),
            f"module_name is missing: workspace.yaml has {MODULE}",
        ),
        (
            "{module_name: code_locations.ml.definitions}",
            "{modul_name: code_locations.ml.definitions, module_name: " + MODULE + "}",
            1,
            "unknown key 'modul_name'; did you mean 'module_name'?",
        ),
        (
            "/app/.venvs/ml/bin/python",
            "/app/.venvs/host/bin/python",
            0,
            "executable_path is /app/.venvs/host/bin/python, and …/.venvs/ml/bin/python in",
        ),
        (
            "location_name: ml",
            "location_name: mll",
            len("location_name: "),
            f"there is no code location 'mll' in workspace.yaml; did you mean 'ml'? {ALLOWED}",
        ),
        (
            "location_name: ml",
            "location_name: ingestion",
            len("location_name: "),
            "the code location ingestion is named twice: also on line {first}",
        ),
        (
            "location_name: ml",
            "agent_queue: gpu",
            0,
            "a code location needs a location_name",
        ),
        (
            "working_directory: /app",
            "working_dir: /app",
            0,
            "unknown key 'working_dir'; did you mean 'working_directory'?",
        ),
        (
            "defaults:\n",
            "default:\n",
            0,
            "unknown key 'default'; did you mean 'defaults'? (allowed: defaults, locations)",
        ),
    ],
)
def test_what_dagster_cloud_yaml_has_otherwise_is_reported_where_it_stands(
    project: Path, old: str, new: str, column: int, message: str
) -> None:
    file = project / "dagster_cloud.yaml"
    text = file.read_text().split("\n")
    first = text.index("  - location_name: ingestion") + 1
    listed = text.index("locations:") + 1
    line, at = replace(file, old, new)

    found = problems(project)

    place = f"{file.name}:{line}:{at + column}"
    assert found[0].startswith(f"{place}: {message.format(first=first)}")
    if old == "location_name: ml":
        missing = "the code location ml of workspace.yaml is missing"
        assert found[1:] == [f"{file.name}:{listed}:1: {missing}"]
    else:
        assert found[1:] == []


def test_another_attribute_is_reported(project: Path) -> None:
    file = project / "dagster_cloud.yaml"
    text = file.read_text()
    file.write_text(text.replace("attribute: defs", "attribute: other", 1))
    line = text[: text.index("attribute: defs")].count("\n") + 1

    (problem,) = problems(project)

    assert problem == f"{file.name}:{line}:16: attribute is other, and defs in workspace.yaml"


def test_a_location_of_the_image_s_own_python_agrees(project: Path) -> None:
    replace(project / "dagster_cloud.yaml", "executable_path: /app/.venvs/ml/bin/python", "")

    assert problems(project) == []


def test_a_python_of_the_defaults_is_reported_there(project: Path) -> None:
    file = project / "dagster_cloud.yaml"
    replace(file, "executable_path: /app/.venvs/ml/bin/python", "")
    line, _ = replace(file, "  working_directory: /app", "  executable_path: /usr/bin/python3")

    (problem,) = problems(project)

    assert problem == (
        f"{file.name}:{line}:20: executable_path is /usr/bin/python3, and …/.venvs/ml/bin/python"
        " in workspace.yaml"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("locations: {ml: 1}\n", "1:1: must be a list of code locations"),
        ("", "1:1: the file is empty: it must hold keys and values"),
        ("locations: [1]\n", "1:13: a code location needs a location_name"),
        ("locations: [\n", "2:1: not valid YAML"),
    ],
)
def test_a_dagster_cloud_yaml_that_is_none_is_refused(
    project: Path, text: str, expected: str
) -> None:
    (project / "dagster_cloud.yaml").write_text(text)

    assert problems(project)[0].startswith(f"dagster_cloud.yaml:{expected}")


@pytest.mark.parametrize(
    ("old", "new", "problem", "is_project"),
    [
        (
            '"code_locations.ml.definitions"',
            '"code_locations.ml.defs"',
            f"7:31: code_location_target_module is code_locations.ml.defs, and {MODULE} in",
            True,
        ),
        (
            'code_location_target_module = "code_locations.ml.definitions"',
            "",
            f"4:1: code_location_target_module is missing: workspace.yaml has {MODULE}",
            True,
        ),
        (
            'code_location_name = "ml"',
            'code_location_name = "mll"',
            "6:22: there is no code location 'mll' in workspace.yaml; did you mean 'ml'?",
            False,
        ),
        (
            'code_location_name = "ml"',
            'code_location_name = "ingestion"',
            "6:22: the code location ingestion is a project already",
            False,
        ),
        (
            'code_location_name = "ml"',
            "code_location_name = ml",
            "6:22: not valid TOML: Invalid value",
            False,
        ),
    ],
)
def test_what_a_project_of_dg_has_otherwise_is_reported_where_it_stands(
    project: Path, old: str, new: str, problem: str, is_project: bool
) -> None:
    replace(project / "code_locations/ml/dg.toml", old, new)

    found = problems(project)
    assert found[0].startswith(f"code_locations/ml/dg.toml:{problem}")
    assert found[1:] == ([] if is_project else [NO_PROJECT])


def test_a_project_of_dg_has_the_name_of_its_folder_unless_it_has_another(project: Path) -> None:
    replace(project / "code_locations/ml/dg.toml", 'code_location_name = "ml"', "")

    assert problems(project) == []


def test_a_location_that_is_no_project_of_dg_is_reported(project: Path) -> None:
    replace(project / "dg.toml", '    {path = "code_locations/ml"},\n', "")

    assert problems(project) == [NO_PROJECT]


def test_a_project_without_its_file_is_reported_where_it_is_named(project: Path) -> None:
    (project / "code_locations/ml/dg.toml").unlink()

    assert problems(project) == [
        "dg.toml:8:13: there is no dg.toml in code_locations/ml",
        NO_PROJECT,
    ]


def test_projects_that_are_no_folders_are_refused(project: Path) -> None:
    replace(project / "dg.toml", '{path = "code_locations/ml"}', '"code_locations/ml"')

    assert problems(project) == [
        'dg.toml:5:1: projects must be a list of folders, such as [{path = "code_locations/ml"}]',
        NO_PROJECT,
    ]


def test_dg_may_be_configured_in_pyproject_toml(project: Path) -> None:
    for file in ("dg.toml", *(f"code_locations/{name}/dg.toml" for name in NAMES)):
        text = (project / file).read_text()
        text = text.replace("directory_type", "[tool.dg]\ndirectory_type")
        text = text.replace("[workspace]", "[tool.dg.workspace]")
        text = text.replace("[project]", "[tool.dg.project]")
        (project / file).with_name("pyproject.toml").write_text(text)
        (project / file).unlink()
    assert problems(project) == []

    replace(project / "code_locations/ml/pyproject.toml", "ml.definitions", "ml.defs")
    (problem,) = problems(project)
    assert problem.startswith("code_locations/ml/pyproject.toml:8:31: code_location_target_module")


def test_an_environment_of_dg_that_is_another_is_reported(project: Path) -> None:
    for name in ("host", "ml"):
        (project / ".venvs" / name / "bin").mkdir(parents=True)
    link = project / "code_locations" / "ml" / ".venv"
    link.symlink_to("../../.venvs/ml")
    assert problems(project) == []

    link.unlink()
    link.symlink_to("../../.venvs/host")
    assert problems(project) == [
        "code_locations/ml/.venv: is another environment than that of ml in workspace.yaml"
    ]


def test_dp_check_reports_them_beside_the_rest(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(project / "dg.toml", '    {path = "code_locations/ml"},\n', "")
    monkeypatch.setenv("DP_PROJECT_DIR", str(project))

    _, found = check_project()

    assert [str(problem) for problem in found] == [
        NO_PROJECT,
        *(
            f"workspace.yaml: {name} cannot be loaded: its environment is missing, run `make setup`"
            for name in sorted(NAMES)
        ),
    ]
