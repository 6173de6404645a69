"""The story's project: two code locations of plain assets that write down what they do."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from automation_story.served import PYTHON, ROOT

COMMON = """
    import os
    from pathlib import Path

    import dagster as dg

    from factories import automation_condition, build_definitions

    FOLDER = Path(os.environ["STORY"])
    BY_CRON = {"cron_schedule": "*/2 * * * *", "retry": {"max": 3, "delay": "10s"}}

    def work(name):
        (FOLDER / f"{name}.pid").write_text(str(os.getpid()))
        if (FOLDER / f"{name}.fails").exists():
            raise RuntimeError(f"{name} fails")
        while (FOLDER / f"{name}.waits").exists():
            __import__("time").sleep(0.05)
        with (FOLDER / "log").open("a") as log:
            log.write(f"{name}\\n")
"""
LOADING = """
    @dg.asset(automation_condition=automation_condition("on_cron_no_deps", **BY_CRON))
    def orders():
        work("orders")

    defs = build_definitions(assets=[orders])
"""
MARTS = """
    @dg.asset(
        deps=["orders"],
        automation_condition=automation_condition("on_upstream_change", retry=BY_CRON["retry"]),
    )
    def revenue():
        work("revenue")

    @dg.asset(
        deps=[revenue],
        automation_condition=automation_condition("on_cron_with_deps", **BY_CRON),
    )
    def report():
        work("report")

    defs = build_definitions(assets=[revenue, report])
"""
LOCATION = """
  - python_module:
      module_name: {name}
      attribute: defs
      location_name: {name}
      executable_path: {python}
      working_directory: .
"""


def write_project(folder: Path) -> Path:
    """Write the project below a folder, and return where it is."""
    root = folder / "project"
    root.mkdir(parents=True)
    for name, text in (("loading", LOADING), ("marts", MARTS)):
        (root / f"{name}.py").write_text(textwrap.dedent(COMMON) + textwrap.dedent(text))
    locations = [LOCATION.format(name=name, python=PYTHON) for name in ("loading", "marts")]
    (root / "workspace.yaml").write_text("load_from:" + "".join(locations))
    shutil.copyfile(ROOT / "dagster.yaml", root / "dagster.yaml")
    return root
