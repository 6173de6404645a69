"""`python -m deploy.ci.databases clone|drop|sweep`: a pull request's own databases.

`clone` and `drop` are for the pull request of `DP_TARGET`, such as `pr_12`; `sweep` drops those of
pull requests that are no longer open.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection

from deploy.ci.command import CommandError, run_command, say
from deploy.ci.github import Repository
from deploy.ci.warehouse import Warehouse, open_warehouse
from factories.core.warehouse.names import warehouse_names
from factories.core.warehouse.quoting import sql_identifier
from factories.core.yaml.variables import target

PRODUCTION = ("RAW", "ANALYTICS", "ML")
TARGET = re.compile(r"pr_([1-9][0-9]*)")
PRIVILEGE = re.compile(r"[A-Z]+( [A-Z]+)*")


def main(arguments: list[str]) -> None:
    """Run the statements, one by one."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ci.databases", description=__doc__)
    parser.add_argument("what", choices=["clone", "drop", "sweep"])
    what = parser.parse_args(arguments).what
    if what == "sweep":
        repository = Repository.of_workflow()
        with open_warehouse() as warehouse:
            sweep(warehouse, repository)
        return
    branch = branch_databases(pull_request_of_target())
    with open_warehouse() as warehouse:
        if what == "clone":
            for production, name in branch.items():
                clone(warehouse, production, name)
        else:
            drop(warehouse, branch.values())


def pull_request_of_target() -> int:
    """Return the number of the pull request that `DP_TARGET` names.

    Raises:
        CommandError: When it names anything else, and when `DP_DATABASE_SUFFIX` would give the
            databases other names than those that are swept.
    """
    found = TARGET.fullmatch(target())
    if found is None:
        raise CommandError(
            f"DP_TARGET is {target()!r}, which is no pull request: it must be such as pr_12"
        )
    if os.environ.get("DP_DATABASE_SUFFIX"):
        raise CommandError(
            "DP_DATABASE_SUFFIX is set: a pull request's databases are called by its number alone"
        )
    return int(found[1])


def branch_databases(pull_request: int) -> dict[str, str]:
    """Return the names of a pull request's databases, by those of production's."""
    names = warehouse_names({"DP_TARGET": f"pr_{pull_request}"})
    return {production: names.database(production) for production in PRODUCTION}


def clone(warehouse: Warehouse, production: str, name: str) -> None:
    """Clone a database of production's, unless that was done, and let the same roles use it.

    A clone has the grants on all that is in the database, and none on the database itself.
    Without a time travel of its own it leaves nothing to pay for when it is dropped.

    Raises:
        CommandError: When the warehouse refuses a statement.
    """
    new, old = sql_identifier(name), sql_identifier(production)
    warehouse.change(
        f"create database if not exists {new} clone {old} data_retention_time_in_days = 0"
    )
    for grant in warehouse.ask(f"show grants on database {old}"):
        privilege, role = str(grant["privilege"]), str(grant["grantee_name"])
        # Database roles are cloned with the database; its owner is who cloned it.
        if grant["granted_to"] != "ROLE" or privilege == "OWNERSHIP":
            continue
        if not PRIVILEGE.fullmatch(privilege):
            raise CommandError(f"the database {production} has a grant of {privilege!r}")
        warehouse.change(f"grant {privilege} on database {new} to role {sql_identifier(role)}")


def drop(warehouse: Warehouse, names: Collection[str]) -> None:
    """Drop databases of pull requests.

    Raises:
        CommandError: When the warehouse refuses a statement; the databases after it are not tried.
    """
    for name in names:
        warehouse.change(f"drop database if exists {sql_identifier(name)}")


def sweep(warehouse: Warehouse, repository: Repository) -> None:
    """Drop the databases of pull requests that are no longer open.

    Which ones are open is asked last: one that is opened meanwhile keeps its databases.

    Raises:
        CommandError: When GitHub or the warehouse refuses.
    """
    found = {str(row["name"]): row for row in warehouse.ask("show databases")}
    of_pull_requests = {name: number for name in found if (number := _pull_request_of(name))}
    still_open = repository.open_pull_requests() if of_pull_requests else frozenset()
    orphans = [name for name, number in of_pull_requests.items() if number not in still_open]
    drop(warehouse, sorted(orphans))
    kept = len(of_pull_requests) - len(orphans)
    say(f"{len(orphans)} databases of closed pull requests dropped, {kept} of open ones kept")


def _pull_request_of(name: str) -> int | None:
    """Return the pull request whose database has this name; None for all other databases."""
    number = name.rpartition("_")[2]
    if not number.isdecimal():
        return None
    return int(number) if name in branch_databases(int(number)).values() else None


if __name__ == "__main__":
    run_command(main)
