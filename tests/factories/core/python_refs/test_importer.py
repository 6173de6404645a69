"""Modules of a project's folder are imported below its name, and hide nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from factories.core.python_refs.importer import FolderNameError, import_module


def test_a_module_of_a_folder_below_is_imported(tmp_path: Path) -> None:
    folder = tmp_path / "dlt_pipelines"
    # No other test's module has this name: `inspect` fails for all of a process in which a folder
    # without `__init__.py` has the name that a file had before.
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "rows.py").write_text("from dlt_pipelines.base import ONE\nTWO = ONE + 1\n")
    (folder / "base.py").write_text("ONE = 1\n")

    assert import_module("below.rows", folder).TWO == 2
    assert import_module("json", folder) is sys.modules["json"]


def test_another_projects_folder_of_the_same_name_is_not_taken(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number) / "dlt_pipelines"
        folder.mkdir(parents=True)
        (folder / "common.py").write_text(f"NUMBER = {number}\n")
        (folder / "shop.py").write_text("from dlt_pipelines.common import NUMBER\n")

        assert number == import_module("shop", folder).NUMBER


def test_a_folder_called_like_an_installed_package_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "dlt"
    folder.mkdir()
    (folder / "shop.py").write_text("")

    with pytest.raises(FolderNameError, match="dlt/ has the name of an installed package"):
        import_module("shop", folder)


def test_a_step_process_imports_from_the_folder_wherever_it_starts(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "dlt_pipelines"
    folder.mkdir(parents=True)
    (folder / "common.py").write_text("ROWS = [1, 2]\n")
    (folder / "calendar.py").write_text("from dlt_pipelines.common import ROWS\n")
    code = textwrap.dedent(f"""
        import calendar
        from pathlib import Path
        from factories.core.python_refs.importer import import_module
        print(import_module("calendar", Path({str(folder)!r})).ROWS, calendar.isleap(2024))
    """)

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.strip() == "[1, 2] True", done.stderr
