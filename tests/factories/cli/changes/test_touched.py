"""Which code locations a change touches: of this project, by commits in a clone of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from factories.cli.changes.git_changes import GitError, read_changes
from factories.cli.changes.touched import (
    LocationInputs,
    Touched,
    find_touched,
    judge_changes,
    read_inputs,
)
from factories.cli.changes.two_builds import make_plan
from factories.cli.workspace import CodeLocation, read_workspace

ROOT = Path(__file__).parents[4]
ALL = ["ingestion", "transformation", "ml"]
MANIFEST = Path("dbt_project", "target", "dagster")


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


class Clone:
    """A clone of this project, whose locations have been loaded once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(root))
        self._take_what_is_not_committed()
        (root / ".venvs").symlink_to(ROOT / ".venvs")
        (root / ".git" / "info" / "exclude").write_text(".venvs\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--allow-empty", "--message", "As it is here")
        git(root, "branch", "base")
        shutil.copytree(ROOT / MANIFEST, root / MANIFEST)
        locations = read_workspace(root, [])
        self.made_of: Mapping[CodeLocation, LocationInputs] = {
            location: read_inputs(root, location) for location in locations
        }

    def _take_what_is_not_committed(self) -> None:
        for change in read_changes(ROOT, "HEAD"):
            target = self.root / change.file
            if change.what == "deleted":
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / change.file, target, follow_symlinks=False)

    def commit(self) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", "A change")

    def touched(self) -> Touched:
        return judge_changes(self.root, "base", read_changes(self.root, "base"), self.made_of)

    def keep_location(self, name: str) -> None:
        """Leave one location in the workspace: loading each of them takes seconds."""
        path = self.root / "workspace.yaml"
        workspace = yaml.safe_load(path.read_text())
        entries = workspace["load_from"]
        kept = [one for one in entries if one["python_module"]["location_name"] == name]
        path.write_text(yaml.safe_dump({"load_from": kept}))
        self.commit()

    def names(self) -> list[str]:
        return [location.name for location in self.touched().locations]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone") / "project")


@pytest.fixture
def clone(loaded: Clone) -> Iterator[Clone]:
    yield loaded
    git(loaded.root, "reset", "--quiet", "--hard", "base")
    git(loaded.root, "clean", "--quiet", "-fd")


pytestmark = [pytest.mark.programs, pytest.mark.xdist_group("touched")]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("snowpark/delay.yaml", ["ml"]),
        ("snowpark/delay/features.py", ["ml"]),
        ("factories/snowpark/step.py", ["ml"]),
        ("factories/dbt/execution/run.py", ["transformation"]),
        ("factories/sling/run.py", ["ingestion"]),
        ("factories/core/meta/dagster_meta.py", ALL),
        ("factories/preload.py", ALL),
        ("dbt_project/models/marts/common/dim_date.sql", ["transformation"]),
        ("sling/flight_ops.yaml", ["ingestion"]),
        ("code_locations/ml/alerts.yaml", ["ml"]),
        ("code_locations/ml/defs/delay_report.py", ["ml"]),
        ("constraints/ml.txt", ["ml"]),
        ("constraints/test.txt", []),
        ("deploy/image/project.sh", ALL),
        (".dockerignore", ALL),
        ("deploy/helm/ml.yaml", ["ml"]),
        ("deploy/helm/dagster.yaml", []),
        ("deploy/compose.yaml", []),
        ("docs/guides/dbt.md", []),
        ("README.md", []),
        ("tests/test_docs.py", []),
        ("local_snowflake/cli.py", []),
        ("benchmarks/measure.py", []),
    ],
)
def test_a_changed_file_touches_what_is_made_of_it(
    clone: Clone, file: str, expected: list[str]
) -> None:
    with (clone.root / file).open("a") as text:
        text.write("\n# a change\n")
    clone.commit()
    assert clone.names() == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SNOWFLAKE_WAREHOUSE=LOADING", "SNOWFLAKE_WAREHOUSE=LARGE", ["ingestion"]),
        ("working_directory: /app", "working_directory: /srv", ALL),
        ("# What Dagster+ deploys", "# What is deployed", []),
    ],
)
def test_a_change_of_what_dagster_plus_deploys_touches_whose_entry_differs(
    clone: Clone, old: str, new: str, expected: list[str]
) -> None:
    path = clone.root / "dagster_cloud.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    clone.commit()
    assert clone.names() == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("sling/flight_ops.yaml", ["ingestion"]),
        ("dbt_project/models/marts/common/dim_date.sql", ["transformation"]),
        ("factories/snowpark/step.py", ["ml"]),
        ("docs/guides/dbt.md", []),
    ],
)
def test_a_deleted_file_touches_where_it_was_read(
    clone: Clone, file: str, expected: list[str]
) -> None:
    made_of = clone.made_of
    (clone.root / file).unlink()
    clone.commit()
    # As it is loaded without the file: nobody opens it any more.
    without = {
        location: LocationInputs(
            inputs.modules - {file}, inputs.files - {file}, inputs.folders, inputs.error
        )
        for location, inputs in made_of.items()
    }
    found = judge_changes(clone.root, "base", read_changes(clone.root, "base"), without)
    assert [location.name for location in found.locations] == expected


def test_a_renamed_file_touches_both_places(clone: Clone) -> None:
    (clone.root / "snowpark" / "delay.yaml").rename(clone.root / "docs" / "delay.yaml")
    clone.commit()
    (ml,) = clone.touched().locations
    assert ml.reasons == [
        "snowpark/delay.yaml was renamed to docs/delay.yaml: the location reads it"
    ]


def test_what_environments_hold_is_told_from_settings_of_tools(clone: Clone) -> None:
    project = clone.root / "pyproject.toml"
    text = project.read_text()
    project.write_text(text.replace("line-length = 100", "line-length = 99"))
    assert clone.names() == []
    project.write_text(text.replace('"croniter>=6"', '"croniter>=7"'))
    assert clone.names() == ALL


def test_an_entry_of_the_workspace_touches_its_location(clone: Clone) -> None:
    workspace = clone.root / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace(".venvs/ml/", ".venvs/test/"))
    assert clone.names() == ["ml"]


def test_what_is_not_committed_counts(clone: Clone) -> None:
    (clone.root / "sling" / "flight_ops.yaml").write_text("streams: {}\n")
    assert clone.names() == ["ingestion"]


def test_only_what_the_branch_has_changed_counts(clone: Clone) -> None:
    git(clone.root, "checkout", "--quiet", "-b", "topic")
    (clone.root / "snowpark" / "delay.yaml").write_text("features: {}\n")
    clone.commit()
    git(clone.root, "checkout", "--quiet", "-b", "later", "base")
    (clone.root / "sling" / "flight_ops.yaml").write_text("streams: {}\n")
    clone.commit()
    git(clone.root, "checkout", "--quiet", "topic")
    changes = read_changes(clone.root, "later")
    assert [change.file for change in changes] == ["snowpark/delay.yaml"]


def test_the_whole_way_with_a_location_that_does_not_load(clone: Clone) -> None:
    clone.keep_location("ml")
    (clone.root / "snowpark" / "delay.yaml").write_text("nonsense: true\n")
    found = find_touched(clone.root, "base")
    (ml,) = found.locations
    assert ml.reasons[0] == "snowpark/delay.yaml was changed: the location reads it"
    assert "delay.yaml:1:1" in ml.reasons[1]
    matrix = json.loads(found.to_json())["matrix"]
    assert matrix == {"include": [{"location": "ml", "module": "code_locations.ml.definitions"}]}


def test_the_plan_of_a_change_in_yaml(clone: Clone) -> None:
    clone.keep_location("ingestion")
    replication = clone.root / "sling" / "flight_ops.yaml"
    text = replication.read_text()
    assert "ops.airlines:" in text
    replication.write_text(
        text.replace("  ops.airlines:\n", "  ops.airlines:\n    mode: truncate\n")
    )
    plan = make_plan(clone.root, "HEAD")
    assert plan.errors == {}
    (airlines,) = plan.differences
    assert airlines.subject == "flight_ops/raw/airlines"
    assert airlines.text.startswith("its code has changed; runs at the next tick: on_cron_no_deps(")
    assert [run.key for run in plan.runs] == ["flight_ops/raw/airlines"]
    worktrees = subprocess.run(
        ["git", "worktree", "list"], cwd=clone.root, check=True, capture_output=True, text=True
    )
    assert worktrees.stdout.count("\n") == 1, "the checkout of the base is gone"


def test_an_unknown_base_is_one_sentence(clone: Clone) -> None:
    with pytest.raises(GitError, match="git merge-base: fatal: Not a valid object name nonsense"):
        find_touched(clone.root, "nonsense")
