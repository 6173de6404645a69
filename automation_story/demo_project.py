"""The demo in a folder of its own: every cron ticks each second minute, alerts go to a loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from automation_story.served import ROOT

FOLDERS = ("sling", "dlt_pipelines", "dbt_project", "snowpark", "code_locations")
FILES = ("dagster.yaml", "workspace.yaml")
LEFT_OUT = shutil.ignore_patterns("logs", "__pycache__")
CRON = re.compile(r"(cron_schedule: )(\"[^\"]*\")")
CRONS = 5  # files that have one; more or fewer, and the story would not be about all of them
EVERY_SECOND_MINUTE = '"*/2 * * * *"'
ALERTS = """\
base_url: http://127.0.0.1:3000
{watch}routes:
  story:
    to: ${{STORY_ALERTS}}
"""
ALERTS_VARIABLE = "STORY_ALERTS"


def copy_demo(root: Path, environment: Mapping[str, str]) -> None:
    """Copy the demo, change its crons and alerts, and parse its dbt project.

    Args:
        root: The folder to make.
        environment: That of its processes.

    Raises:
        ValueError: When the demo's crons are not where they were.
    """
    root.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=LEFT_OUT)
    for name in FILES:
        shutil.copyfile(ROOT / name, root / name)
    (root / ".venvs").symlink_to((ROOT / ".venvs").resolve())
    changed = [path for path in _yaml_files(root) if _change_crons(path)]
    if len(changed) != CRONS:
        names = ", ".join(str(path.relative_to(root)) for path in changed)
        raise ValueError(f"{CRONS} files of the demo were to have crons, and these have: {names}")
    for path in root.glob("code_locations/*/alerts.yaml"):
        watch = "watch: platform\n" if "watch: platform" in path.read_text() else ""
        path.write_text(ALERTS.format(watch=watch))
    python = root / ".venvs" / "transformation" / "bin" / "python"
    command = [str(python), "-m", "factories.dbt.prepare", "dbt_project"]
    subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)


def _yaml_files(root: Path) -> list[Path]:
    found = [path for name in FOLDERS for path in (root / name).rglob("*.y*ml")]
    return sorted(path for path in found if "target" not in path.parts)


def _change_crons(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    changed, count = CRON.subn(rf"\1{EVERY_SECOND_MINUTE}", text)
    if count:
        path.write_text(changed, encoding="utf-8")
    return bool(count)
