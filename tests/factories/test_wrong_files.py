"""Whatever a YAML file holds: it is refused at its place, or a code location loads.

`DP_WRONG_FILES=5000` tries as many instead of some hundred.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from factories.core.assets.context import LoadContext
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import ConfigError, Problem
from factories.dbt.diagnostics.misplaced_meta import misplaced_meta
from factories.dbt.diagnostics.orphaned_meta import orphaned_meta
from factories.dbt.diagnostics.parse_errors import parse_problems
from factories.dbt.prepare.packages import lacking
from factories.dbt.project.blocks import DbtBlocks
from factories.dbt.project.manifest import Manifest
from factories.dbt.project.properties import PropertiesFiles
from factories.definitions import build_definitions
from tests.factories.valid_files import PROJECTS
from tests.factories.wrong_files import wrong_files

EXAMPLES = int(os.environ.get("DP_WRONG_FILES", "300"))
FOLDERS = {
    "alerts": {"alerts": "alerts.yaml"},
    "sling": {"sling": "sling"},
    "dlt": {"dlt": "dlt_pipelines"},
    "snowpark": {"snowpark": "snowpark"},
    "automation": {"automation": "shop", "sling": "sling"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with valid files of every tool."""
    folder = tmp_path_factory.mktemp("wrong")
    for files in PROJECTS.values():
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DP_PROJECT_DIR", str(folder))
        patch.setenv("SHOP_URL", "postgresql://reader:s3cret@db.example.com/shop")
        patch.delenv("DP_TARGET", raising=False)
        yield folder


def problems_of(tool: str, root: Path) -> tuple[Problem, ...]:
    """Load what a code server loads; of dbt, read what is read beside dbt itself."""
    if tool == "dbt":
        return tuple(_read_dbt(root))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            build_definitions(**FOLDERS[tool]).get_repository_def()
        except ConfigError as error:
            return error.problems
    return ()


def _read_dbt(root: Path) -> list[Problem]:
    load_context = LoadContext(root, warehouse_names(), AutomationConditions())
    manifest = Manifest("shop", {}, {}, {}, {}, {})
    files = PropertiesFiles(root / "dbt", load_context)
    blocks = DbtBlocks(root / "dbt", files, load_context)
    lacking(root / "dbt", None)
    problems = [*orphaned_meta(manifest, files, blocks)]
    problems += misplaced_meta(root / "dbt", root, manifest, files)
    said = f"Error reading {root}/dbt/models/shop.yml - Runtime Error"
    return [*problems, *load_context.problems, *parse_problems(root / "dbt", said, load_context)]


@pytest.mark.parametrize("tool", FOLDERS)
def test_the_files_are_valid_before_they_are_changed(root: Path, tool: str) -> None:
    assert problems_of(tool, root) == ()


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(wrong_files())
def test_a_wrong_file_is_refused_at_its_place_or_loads(
    root: Path, wrong: tuple[str, str, str]
) -> None:
    tool, name, text = wrong
    path = root / name
    before = path.read_bytes()
    try:
        path.write_bytes(text.encode())
        for problem in problems_of(tool, root):
            assert problem.message
            assert (root / problem.file).exists()
            assert problem.line > 0 or tool == "dbt"
    finally:
        path.write_bytes(before)
