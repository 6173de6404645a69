"""Which changes of a project make a running Dagster read its files again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from factories.cli.serving.source_files import note_loaded, reload_if_changed
from factories.core.process_identity import ProcessIdentity

THIS = ProcessIdentity.of_this()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    (tmp_path / "sling").mkdir()
    (tmp_path / "sling" / "shop.yaml").write_text("source: a\n")
    (tmp_path / "dbt_project" / "target").mkdir(parents=True)
    (tmp_path / ".local").mkdir()
    note_loaded(tmp_path, tmp_path / ".local", THIS)
    return tmp_path


def reloads(project: Path, by: ProcessIdentity = THIS, errors: dict[str, str] | None = None) -> int:
    api = Mock()
    api.load_errors.return_value = errors or {}
    reload_if_changed(api, project, project / ".local", by)
    return int(api.reload.call_count)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: (p / "sling" / "shop.yaml").write_text("source: b\n"),
        lambda p: (p / "sling" / "more.yaml").write_text(""),
        lambda p: (p / "sling" / "shop.yaml").unlink(),
        lambda p: (p / "sling" / "shop.yaml").rename(p / "sling" / "store.yaml"),
    ],
)
def test_a_changed_file_is_read_again_once(project: Path, change: Callable[[Path], None]) -> None:
    change(project)
    assert [reloads(project), reloads(project)] == [1, 0]


def test_what_is_as_it_was_read_is_not_read_again(project: Path) -> None:
    (project / ".local" / "dagster.log").write_text("written meanwhile")
    (project / "dbt_project" / "target" / "manifest.json").write_text("{}")
    assert reloads(project) == 0


def test_a_dagster_of_another_process_or_with_errors_reads_again(project: Path) -> None:
    assert reloads(project, errors={"ingestion": "it cannot be loaded"}) == 1
    other = ProcessIdentity.parse(str(THIS).replace(str(THIS.pid), "1"))
    assert other is not None
    assert reloads(project, by=other) == 1
