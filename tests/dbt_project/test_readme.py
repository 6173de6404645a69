"""What the dbt project's README shows of running dbt alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import WarehouseUnderTest
from tests.dbt_project.dbt_runs import PROJECT
from tests.dbt_project.test_targets import credentials

pytestmark = pytest.mark.xdist_group("dbt_project")


def test_the_snippet_connects_dbt_to_the_embedded_warehouse(
    warehouse: WarehouseUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"python - <<'EOF'\n(.*?)EOF\n", text, re.DOTALL)
    for name in [name for name in os.environ if name.startswith(("SNOWFLAKE_P", "DBT_ENV_"))]:
        monkeypatch.delenv(name)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        name, value = line.removeprefix("export ").split("=", 1)
        monkeypatch.setenv(name, value)
    given, settings = credentials(), warehouse.settings
    assert (given.host, given.port) == (settings["host"], settings["port"])
    assert (given.user, given.password) == (settings["user"], settings["password"])
    assert (given.protocol, given.account) == (settings["protocol"], settings["account"])
