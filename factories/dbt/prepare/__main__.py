"""`python -m factories.dbt.prepare FOLDER…`: parse dbt projects so that they can be loaded."""

from __future__ import annotations

import sys

from factories.core.env_file import load_env_file
from factories.core.project import project_root
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import ConfigError
from factories.dbt.prepare import PrepareError, prepare


def main() -> None:
    """Prepare the dbt projects that the command line names, relative to the project folder."""
    try:
        load_env_file(project_root())
    except ConfigError as error:
        sys.exit(str(error))
    for name in sys.argv[1:]:
        try:
            made = prepare(project_root() / name, warehouse_names(), install=True)
        except PrepareError as error:
            sys.exit(f"{name}: {error}")
        if made:
            sys.stdout.write(f"parsed {name}\n")


if __name__ == "__main__":
    main()
