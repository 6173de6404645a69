"""`python -m deploy.ci.slim_dbt --state FOLDER`: build the dbt models that a pull request changes.

With them what follows from them, in the databases of the pull request; what they read and is not
changed is production's. The folder holds production's manifest: `dbt_state fetch` puts it there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.ci.command import CommandError, run_command, say
from deploy.ci.databases import pull_request_of_target
from deploy.ci.dbt_state import MANIFEST, PROJECT, check_manifest
from deploy.ci.warehouse import uses_workload_identity
from factories.core.execution.subprocesses import Program
from factories.core.project import project_root
from factories.core.warehouse.settings import (
    WarehouseSettings,
    WarehouseSettingsError,
    warehouse_settings,
)
from factories.dbt.environment import dbt_environment
from factories.dbt.program import dbt_program


def main(arguments: list[str]) -> None:
    """Check what is needed, and build."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.slim_dbt", description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    state = parser.parse_args(arguments).state.resolve()
    pull_request_of_target()
    # Without one dbt would fail late, or build all there is.
    check_manifest(state / MANIFEST, str(state))
    try:
        settings = warehouse_settings()
    except WarehouseSettingsError as error:
        raise CommandError(str(error)) from None
    if uses_workload_identity(settings):
        raise CommandError(
            "dbt-snowflake 1.11 does not log in by WORKLOAD_IDENTITY: dbt needs a key pair"
        )
    with tempfile.TemporaryDirectory(prefix="dbt-") as folder:
        build(slim_command("build", project_root() / PROJECT, state, Path(folder)), settings)


def slim_command(what: str, project: Path, state: Path, made: Path) -> list[str]:
    """Return the command of dbt for what differs from a state, and what follows from that.

    `--favor-state`: else a model that an earlier push changed, and this one no longer does, would
    be read as that push has built it.

    Args:
        what: `build`, or another command that selects.
        project: The dbt project.
        state: The folder of production's manifest.
        made: What dbt writes goes here: the project's own manifest stays as it is.
    """
    places = {"--project-dir": project, "--profiles-dir": project, "--state": state}
    return [
        *dbt_program(),
        what,
        *("--select", "state:modified+", "--defer", "--favor-state"),
        *(str(part) for option in places.items() for part in option),
        *("--target-path", str(made), "--log-path", str(made)),
    ]


def build(command: Sequence[str], settings: WarehouseSettings) -> None:
    """Run dbt, and print what it says.

    Raises:
        CommandError: When anything fails.
    """
    with Program(command, dbt_environment(settings), folder=project_root()) as program:
        for line in program.lines():
            say(line.text)
        status = program.wait()
    if status != 0:
        raise CommandError(f"dbt ended with {status}")


if __name__ == "__main__":
    run_command(main)
