"""Pools that assets and ops take, and that nothing limits."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from factories.cli.location_report import LocationReport
from factories.cli.looking.instance import InstanceUnreadableError, opened_instance
from factories.cli.serving.dagster_process import instance_folder
from factories.core.project import MARKER
from factories.core.yaml.problems import Problem
from factories.core.yaml.reader import read_yaml

SETTINGS = "dagster.yaml"


def pool_problems(root: Path, reports: Mapping[str, LocationReport]) -> Iterator[Problem]:
    """Yield the pools without a limit: of `dagster.yaml`, or one that the instance keeps."""
    if not any(report.needs.pools for report in reports.values()):
        return
    problems: list[Problem] = []
    if not _has_default_limit(root, problems):
        try:
            problems += unlimited_pools(reports, _limited_pools(instance_folder(root)))
        except InstanceUnreadableError as error:
            problems.append(Problem(SETTINGS, 0, 0, str(error)))
    yield from problems


def unlimited_pools(
    reports: Mapping[str, LocationReport], limited: Collection[str]
) -> Iterator[Problem]:
    """Yield each pool once that is not among those with a limit of their own."""
    seen = set(limited)
    for report in reports.values():
        assets = {asset.key: asset for asset in report.assets}
        for pool, key in report.needs.pools.items():
            if pool in seen:
                continue
            seen.add(pool)
            message = (
                f"the pool {pool} has no limit: set concurrency.pools.default_limit in {SETTINGS},"
                f" or `dagster instance concurrency set {pool} 1`"
            )
            if (asset := assets.get(key)) and asset.file:
                yield asset.problem(message)
            else:
                yield Problem(report.file or MARKER, 0, 0, message)


def _has_default_limit(root: Path, problems: list[Problem]) -> bool:
    """Tell whether Dagster's settings limit every pool; what cannot be read is a problem alone."""
    # Below `.local` lies a copy of the project's, of when `dp` last started a Dagster.
    path = Path(os.environ.get("DAGSTER_HOME") or root) / SETTINGS
    if not path.is_file():
        return False
    file = read_yaml(path, root=root, problems=problems)
    if file is None:
        return True
    concurrency: Any = file.data.get("concurrency")
    if not isinstance(concurrency, dict):
        return False
    pools = concurrency.get("pools")
    limit = pools.get("default_limit") if isinstance(pools, dict) else None
    return limit is not None or concurrency.get("default_op_concurrency_limit") is not None


def _limited_pools(home: Path) -> set[str]:
    """Return the pools that have a limit of their own in the instance, where there is one.

    Raises:
        InstanceUnreadableError: When it cannot be opened.
    """
    with opened_instance(home) as instance:
        if instance is None:
            return set()
        return {limit.name for limit in instance.event_log_storage.get_pool_limits()}
