"""`dp check`: every YAML file, and what the code locations make together, in one report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from factories.cli.checking.alerts import alerts_problems
from factories.cli.checking.deployment_files import agreement_problems
from factories.cli.checking.generated_files import outdated_files
from factories.cli.checking.joined_graph import find_producers, joined_graph_problems
from factories.cli.checking.partitions import partition_problems
from factories.cli.checking.pools import pool_problems
from factories.cli.checking.tables import table_problems
from factories.cli.checking.variables import missing_variables, name_each_variable_once
from factories.cli.workspace import read_workspace, report_locations
from factories.core.project import project_root
from factories.core.yaml.problems import Problem


def check_project() -> tuple[int, list[Problem]]:
    """Validate the project; a location that does not load hides no problem of the others.

    Returns:
        How many assets the code locations produce, and every problem, sorted by place.
    """
    root = project_root()
    problems: list[Problem] = []
    locations = read_workspace(root, problems)
    problems += agreement_problems(root, locations)
    with ThreadPoolExecutor(1) as beside:
        outdated = beside.submit(lambda: list(outdated_files(root)))
        reports = report_locations(root, locations)
    problems += outdated.result()
    for report in reports.values():
        problems += report.problems
    problems += joined_graph_problems(locations, reports)
    problems += partition_problems(find_producers(locations, reports), reports)
    problems += table_problems(locations, reports)
    problems += pool_problems(root, reports)
    problems += missing_variables(reports)
    if locations:  # else the workspace cannot be read, and no name is known
        problems += alerts_problems(
            root,
            [location.name for location in locations],
            {report.alerts for report in reports.values()},
            all_loaded=all(report.loaded for report in reports.values()),
        )
    produced = sum(asset.produced for report in reports.values() for asset in report.assets)
    return produced, name_each_variable_once(problems)
