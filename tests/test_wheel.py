"""What a wheel of the project holds, and what it says of the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venvs" / "uv" / "bin" / "uv"
# Without `site`, the editable install of the checkout is not on the path.
DP = (
    "import sys; sys.path[:0] = sys.argv.pop(1).split(':')\n"
    "from factories.cli.main import main; main()"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [str(UV), "build", "--wheel", "--out-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installation has it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    return folder


def dp(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `dp` as the wheel has it, beside the packages of the tests' environment."""
    path = f"{installed}:{sysconfig.get_path('purelib')}"
    return subprocess.run(
        [sys.executable, "-S", "-c", DP, path, *arguments],
        cwd=installed,
        env={name: value for name, value in os.environ.items() if name != "DP_TARGET"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_wheel_holds_the_factories_and_no_local_system(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()

    folders = {name.partition("/")[0] for name in names}
    assert folders == {"code_locations", "factories", "data_platform-0.1.0.dist-info"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_command_of_a_local_system_that_a_wheel_lacks_says_so(installed: Path) -> None:
    done = dp(installed, "local", "up", "--anything")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "local: local_snowflake is not part of this installation: install the project from a"
        " checkout, or set DP_TARGET to another target\n"
    )


def test_local_target_of_a_wheel_is_refused_in_a_sentence(installed: Path) -> None:
    done = dp(installed, "sql", "select 1")

    assert done.returncode == 1
    target, said = done.stderr.splitlines()
    assert target == "target: local"
    assert said.startswith("local: local_snowflake is not part of this installation")
