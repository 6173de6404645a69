"""`dp doctor` as a whole: all that is looked at, in one report."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

from rich.console import Console

from factories.cli.doctor.doctor import print_findings
from factories.cli.doctor.findings import begin, findings_of, note, ok, problem
from tests.conftest import WarehouseUnderTest
from tests.factories.conftest import YamlProject

DP = str(Path(sys.prefix) / "bin" / "dp")
LOCATIONS = {
    "shop": ("shop_defs", sys.executable),
    "broken": ("no_such_module", sys.executable),
    "gone": ("shop_defs", ".venvs/gone/bin/python"),
}
ENTRY = """
  - python_module:
      location_name: {name}
      module_name: {module}
      attribute: platform
      executable_path: {python}
"""
DEFS = """
from factories import build_definitions

platform = build_definitions(sling="sling")
"""


def test_one_report_of_everything(yaml_project: YamlProject, warehouse: WarehouseUnderTest) -> None:
    assert warehouse
    entries = [
        ENTRY.format(name=name, module=module, python=python)
        for name, (module, python) in LOCATIONS.items()
    ]
    yaml_project.write("workspace.yaml", "load_from:" + "".join(entries))
    yaml_project.write("shop_defs.py", DEFS)
    yaml_project.replication("public.orders:")

    done = subprocess.run(
        [DP, "doctor", "--json", "--free-gib", "1e9"],
        cwd=yaml_project.root,
        env={**os.environ, "SHOP_URL": "postgres://reader:s3cret@127.0.0.1:1/shop"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    problems = [each for each in said["findings"] if each["state"] == "problem"]
    assert said["problems"] == len(problems)
    assert {(each["area"], each["what"]) for each in problems} == {
        ("disk", "local data"),
        ("disk", "temporary files"),
        ("environments", "gone"),
        ("sources", "shop of sling"),
        ("sources", "broken"),
        ("sources", "gone"),
    }
    assert all(each["fix"] for each in problems)
    fine = {(each["area"], each["what"]) for each in said["findings"] if each["state"] == "ok"}
    assert {("warehouse", "login"), ("warehouse", "database RAW")} <= fine
    assert {("clock", "the warehouse's"), ("environments", "dagster")} <= fine
    assert "s3cret" not in done.stdout + done.stderr


def test_a_table_has_each_finding_and_the_fix_of_each_problem() -> None:
    console = Console(record=True, width=80, file=io.StringIO())

    print_findings(
        [
            ok("settings", "DP_TARGET", "prod"),
            problem("settings", "SNOWFLAKE_USER", "not [set]", "set it"),
            note("disk", "local data", "3 GiB"),
        ],
        console,
    )

    lines = [line.split() for line in console.export_text().splitlines()]
    assert lines == [
        ["what", "found"],
        ["settings"],
        ["ok", "DP_TARGET", "prod"],
        ["problem", "SNOWFLAKE_USER", "not", "[set]"],
        ["→", "set", "it"],
        ["disk"],
        ["note", "local", "data", "3", "GiB"],
        ["1", "problem"],
    ]


def test_a_look_that_does_not_end_or_fails_spares_the_others() -> None:
    for_ever = Event()
    now = time.monotonic()

    (late,) = findings_of(begin(lambda: for_ever.wait() and []), "clock", now)
    (failed,) = findings_of(begin(lambda: [ok("disk", "x", str(1 // 0))]), "disk", now + 60)

    for_ever.set()
    assert (late.state, late.area, late.said) == ("problem", "clock", "has not ended in time")
    assert (
        failed.said == "cannot be looked at: ZeroDivisionError: integer division or modulo by zero"
    )
