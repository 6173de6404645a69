"""The manifest: when it is made, by whom, and what is said when it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import dagster as dg
import pytest

from factories.core.assets.context import LoadContext
from factories.core.warehouse.names import WarehouseNames
from factories.dbt.diagnostics.parse_errors import parse_problems
from factories.dbt.prepare import PrepareError, prepare, stale, target_folder
from factories.dbt.prepare.fingerprint import Fingerprint, fingerprint
from factories.dbt.project_reader import WATCHING
from factories.definitions import read_project
from tests.factories.dbt.written_project import WrittenProject

pytestmark = pytest.mark.xdist_group("dbt_prepare")  # they share what dbt has parsed

LOCAL = WarehouseNames("local")
DEMO = Path(__file__).parents[4] / "dbt_project"
TOOLS = "packages: [{local: ../tools}]\n"
FILES = {
    "dbt_project.yml": """
        name: small
        version: "1.0"
        profile: small
        models: {small: {+tags: ["{{ env_var('TAG_OF_ALL', 'none') }}"]}}
    """,
    "models/marts/first.sql": "select 1 as id\n",
    "models/marts/second.sql": "select * from {{ ref('first') }}\n",
    "models/_models.yml": "models: [{name: first}]\n",
    "seeds/codes.csv": "a\n1\n",
}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> WrittenProject:
    """A small project that dbt has parsed; its tests leave it as it is."""
    project = WrittenProject(tmp_path_factory.mktemp("small"))
    project.write(FILES)
    with project.environ():
        prepare(project.folder, LOCAL)
    return project


@pytest.fixture
def project(parsed: WrittenProject, tmp_path: Path) -> WrittenProject:
    """A copy of it, parsed like it."""
    shutil.copytree(parsed.root, tmp_path, dirs_exist_ok=True)
    return WrittenProject(tmp_path)


# --- what a manifest depends on ---


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml",
        "profiles.yml",
        "packages.yml",
        "package-lock.yml",
        ".dbtignore",
        "models/marts/first.sql",
        "models/marts/new.sql",
        "models/marts/new.py",
        "models/_models.yml",
        "models/target/new.sql",  # only dbt's own `target` is none of the project's
        "docs/overview.md",
        "seeds/codes.csv",
        "macros/new.sql",
        "tests/fixtures/rows.json",
    ],
)
def test_every_file_of_the_project_makes_it_stale(project: WrittenProject, name: str) -> None:
    assert stale(project.folder, LOCAL) is None
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.is_file() else "") + "\n")
    assert stale(project.folder, LOCAL) == "is older than the project's files"


def test_a_file_that_is_gone_or_moved_makes_it_stale(project: WrittenProject) -> None:
    first = project.folder / "models/marts/first.sql"
    first.rename(first.with_name("renamed.sql"))
    assert stale(project.folder, LOCAL) == "is older than the project's files"


@pytest.mark.parametrize(
    "name",
    ["target/manifest.json", "target/run/x.sql", "logs/dbt.log", "dbt_packages/x/models/x.sql"],
)
def test_what_dbt_writes_itself_does_not(project: WrittenProject, name: str) -> None:
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("other")
    (project.folder / "models/marts/first.sql").touch()  # its content is the same
    assert stale(project.folder, LOCAL) is None


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (WarehouseNames("prod"), "was made for the target 'local', not for 'prod'"),
        (
            WarehouseNames("local", schema_suffix="__ANA"),
            "was made for other names of databases and schemas",
        ),
    ],
)
def test_other_names_make_it_stale(
    project: WrittenProject, names: WarehouseNames, why: str
) -> None:
    assert stale(project.folder, names) == why


def test_another_version_of_dbt_makes_it_stale(
    project: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = f"{version('dbt-core')} with dbt-snowflake {version('dbt-snowflake')}"
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0")
    why = f"was made by dbt {was}, not by 99.0 with dbt-snowflake 99.0"
    assert stale(project.folder, LOCAL) == why


def test_a_variable_that_the_project_names_makes_it_stale(
    project: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG_OF_NONE", "nightly")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "of the connection")
    assert stale(project.folder, LOCAL) is None
    monkeypatch.setenv("TAG_OF_ALL", "nightly")
    assert stale(project.folder, LOCAL) == "was made with another value of TAG_OF_ALL"


def of_the_demo(folder: Path) -> Fingerprint:
    """What a manifest depends on, with the profiles of this repository."""
    shutil.copyfile(DEMO / "profiles.yml", folder / "profiles.yml")
    return fingerprint(folder, LOCAL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("USER", "service"),
        ("LOGNAME", "service"),
        ("DBT_THREADS", "16"),
        ("DP_TARGET", "local"),
        ("DP_SCHEMA_SUFFIX", "ana"),
        ("DP_DATABASE_SUFFIX", "x"),
        ("SNOWFLAKE_ROLE", "R"),
    ],
)
def test_who_makes_it_and_how_it_connects_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """`make setup` by one user and the service by another, say."""
    monkeypatch.delenv("DP_TARGET", raising=False)
    made = of_the_demo(tmp_path)
    monkeypatch.setenv(name, value)
    assert made.difference(of_the_demo(tmp_path)) is None


def test_a_variable_that_decides_where_models_lie_makes_it_stale(
    project: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = (
        "p: {outputs: {t: {database: \"{{ env_var('DB') }}\", role: \"{{ env_var('R') }}\"}}}\n"
    )
    (project.folder / "profiles.yml").write_text(profile)
    made = fingerprint(project.folder, LOCAL)
    monkeypatch.setenv("R", "reader")
    assert made.difference(fingerprint(project.folder, LOCAL)) is None
    monkeypatch.setenv("DB", "OTHER")
    why = "was made with another value of DB"
    assert made.difference(fingerprint(project.folder, LOCAL)) == why


def test_a_changed_file_of_a_package_on_this_machine_makes_it_stale(
    project: WrittenProject,
) -> None:
    project.write({"packages.yml": TOOLS, "../tools/models/calendar.sql": "select 1 as day\n"})
    made = fingerprint(project.folder, LOCAL)
    project.write({"../tools/models/calendar.sql": "select 2 as day\n"})
    why = "is older than the project's files"
    assert made.difference(fingerprint(project.folder, LOCAL)) == why


def test_the_mark_shows_no_value_of_a_variable(
    project: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG_OF_ALL", "a-secret-word")
    assert "a-secret-word" not in str(fingerprint(project.folder, LOCAL))


# --- making it ---


def test_two_processes_make_it_once(project: WrittenProject) -> None:
    (project.folder / "models/marts/first.sql").write_text("select 2 as id\n")
    command = [sys.executable, "-m", "factories.dbt.prepare", "dbt_project"]
    with project.environ():
        environment = dict(os.environ)

    def run(_: int) -> str:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=400, check=True
        )
        return done.stdout

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(run, range(2))) == ["", "parsed dbt_project\n"]
    assert stale(project.folder, LOCAL) is None
    assert {path.name for path in target_folder(project.folder).iterdir()} == {
        "manifest.json", "manifest.fingerprint", "partial_parse.msgpack", "prepare.lock",
    }  # fmt: skip


def test_packages_are_installed_by_the_command_and_not_while_loading(
    project: WrittenProject,
) -> None:
    project.write(
        {
            "dbt_project.yml": FILES["dbt_project.yml"].rstrip()
            + "\n        packages-install-path: libs\n",
            "packages.yml": TOOLS,
            "../tools/dbt_project.yml": "name: tools\nversion: '1.0'\nprofile: tools\n",
            "../tools/models/calendar.sql": "select 1 as day\n",
        }
    )
    lacking = [
        "dbt_project/packages.yml: its packages are not installed: `make setup` installs them"
    ]
    assert project.problems() == lacking
    with project.environ():
        assert prepare(project.folder, LOCAL, install=True)
    load_context, _ = project.read()
    assert load_context.problems == []
    assert str(load_context.produced[dg.AssetKey(["tools", "calendar"])]) == (
        "dbt_project/libs/tools/models/calendar.sql:1"
    )
    # A file that is only newer, as after a checkout, has named the same.
    after = (project.folder / "libs").stat().st_mtime + 10
    os.utime(project.folder / "packages.yml", (after, after))
    assert project.problems() == []
    project.write({"packages.yml": TOOLS + "# another version, say\n"})
    os.utime(project.folder / "packages.yml", (after, after))
    assert project.problems() == lacking
    shutil.rmtree(project.folder / "libs")
    with project.environ():
        assert prepare(project.folder, LOCAL, install=True)
    assert (project.folder / "libs/tools/dbt_project.yml").is_file()


def test_a_project_that_does_not_parse_leaves_the_manifest_that_was(
    project: WrittenProject,
) -> None:
    project.write({"models/marts/second.sql": "select * from {{ ref('frist') }}\n"})
    before = (target_folder(project.folder) / "manifest.json").read_bytes()
    assert project.problems() == [
        (
            "dbt_project/models/marts/second.sql:1:23: there is no model, seed or snapshot 'frist';"
            " did you mean 'first'?"
        )
    ]
    assert (target_folder(project.folder) / "manifest.json").read_bytes() == before
    assert not list(target_folder(project.folder).glob("tmp*"))


def test_the_command_reports_dbts_error_without_a_traceback(project: WrittenProject) -> None:
    (project.folder / "profiles.yml").write_text(
        "small: {target: t, outputs: {t: {type: snowflake, user: \"{{ env_var('NO_SUCH') }}\"}}}\n"
    )
    command = [sys.executable, "-m", "factories.dbt.prepare", "dbt_project"]
    with project.environ():
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, timeout=400, check=False
        )
    assert done.returncode == 1
    assert "Env var required but not provided: 'NO_SUCH'" in done.stderr
    assert "Traceback" not in done.stderr


# --- loading with what is there ---


def test_without_a_manifest_one_sentence_names_the_command(project: WrittenProject) -> None:
    shutil.rmtree(project.folder / "target")
    assert project.problems(DP_PREPARE_DBT="") == [
        (
            "dbt_project: its manifest is missing: `python -m"
            " factories.dbt.prepare dbt_project` makes"
            " it, as `make setup` does"
        )
    ]


def test_outside_of_development_a_stale_manifest_is_a_problem(project: WrittenProject) -> None:
    assert project.problems(DP_PREPARE_DBT="") == []
    project.write({"models/marts/first.sql": "select 2 as id\n"})
    assert project.problems(DP_PREPARE_DBT="") == [
        (
            "dbt_project: its manifest is older than the project's files: `python -m"
            " factories.dbt.prepare dbt_project` makes it, as `make setup` does"
        )
    ]


def test_a_broken_manifest_is_a_problem(project: WrittenProject) -> None:
    (target_folder(project.folder) / "manifest.json").write_text("{")
    assert project.problems(DP_PREPARE_DBT="") == [
        (
            "dbt_project: its manifest is not as dbt wrote it: `python -m factories.dbt.prepare"
            " dbt_project` makes it, as `make setup` does"
        )
    ]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("manifest.json", "{", "is not as dbt wrote it"),
        ("manifest.json", None, "is missing"),
        ("manifest.fingerprint", "{", "was not made by this project"),
        ("manifest.fingerprint", None, "was not made by this project"),
    ],
)
def test_what_is_broken_or_gone_has_to_be_made_again(
    project: WrittenProject, name: str, text: str | None, why: str
) -> None:
    path = target_folder(project.folder) / name
    path.unlink() if text is None else path.write_text(text)
    assert stale(project.folder, LOCAL) == why


def test_the_command_makes_a_broken_manifest_again(project: WrittenProject) -> None:
    (target_folder(project.folder) / "manifest.json").write_text("{")
    with project.environ():
        assert prepare(project.folder, LOCAL)
    assert project.problems(DP_PREPARE_DBT="") == []


@pytest.mark.parametrize("variable", WATCHING)
def test_while_developing_a_stale_manifest_is_made_again(
    project: WrittenProject, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(
        "factories.dbt.project_reader.prepare", lambda folder, _: made.append(folder)
    )
    for watching in WATCHING:
        monkeypatch.delenv(watching, raising=False)
    with monkeypatch.context() as patch:
        patch.setenv("DP_PROJECT_DIR", str(project.root))
        read_project(dbt=project.dbt)
        assert made == []
        patch.setenv(variable, "1")
        read_project(dbt=project.dbt)
    assert made == [project.folder]


def test_an_environment_without_dbt_is_a_problem(
    project: WrittenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert project.problems(DP_PREPARE_DBT="") == [
        (
            "dbt_project: this environment has no dbt: a location that reads a dbt project needs"
            " one that has"
        )
    ]


def test_what_a_person_runs_with_dbt_leaves_the_manifest_alone(project: WrittenProject) -> None:
    """For another target, for example: its manifest names other tables."""
    (project.folder / "target" / "manifest.json").write_text("{}")
    assert project.problems(DP_PREPARE_DBT="") == []


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    (tmp_path / "dbt_project").mkdir()
    assert WrittenProject(tmp_path).problems() == [
        "dbt_project: there is no dbt_project.yml in this folder"
    ]


def test_a_misspelt_folder_is_reported_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match=r"^there is no dbt_project\.yml in this folder$"):
        prepare(tmp_path / "dbt_projct", LOCAL)
    assert not (tmp_path / "dbt_projct").exists()


# --- dbt's words, as dbt 1.11 writes them ---

ERRORS = {
    "jinja": (
        """
        04:22:23  Encountered an error:
        Compilation Error in model bad (models/marts/first.sql)
          Unexpected end of template. Jinja was looking for the following tags: 'endif'.
            line 2
              {% if x %}
        """,
        (
            "dbt_project/models/marts/first.sql:2:1: dbt cannot parse it:"
            " Compilation Error in model"
            " bad (models/marts/first.sql) Unexpected end of template. Jinja was"
            " looking for the following"
            " tags: 'endif'. line 2 {% if x %}"
        ),
    ),
    "schema": (
        """
        04:22:40  Encountered an error:
        Parsing Error
          The schema file at models/_models.yml is invalid because a list element for 'models' does
          not have a name attribute.
        """,
        (
            "dbt_project/models/_models.yml: dbt cannot parse it: Parsing Error The schema file at"
            " models/_models.yml is invalid because a list element for 'models'"
            " does not have a name"
            " attribute."
        ),
    ),
    "nameless": (
        """
        04:23:15  Encountered an error:
        Compilation Error
          unexpected EOF, expected }}
        """,
        "dbt_project: dbt cannot parse it: Compilation Error unexpected EOF, expected }}",
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_dbts_error_is_one_problem_at_its_file(parsed: WrittenProject, kind: str) -> None:
    text, expected = ERRORS[kind]
    load_context = LoadContext(parsed.root, LOCAL, conditions=None)
    assert [str(p) for p in parse_problems(parsed.folder, text, load_context)] == [expected]


def test_yaml_that_is_none_has_its_line_and_column(project: WrittenProject) -> None:
    project.write({"models/_models.yml": "models:\n  - name: x\n   bad: [\n"})
    assert project.problems() == [
        (
            "dbt_project/models/_models.yml:3:4: not valid YAML: did not find"
            " expected '-' indicator,"
            " while parsing a block collection that starts on line 2"
        )
    ]
