"""Two assets that would make the same table of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from factories.cli.location_report import AssetReport, LocationReport
from factories.cli.workspace import CodeLocation
from factories.core.yaml.problems import Problem


def table_problems(
    locations: Sequence[CodeLocation], reports: Mapping[str, LocationReport]
) -> Iterator[Problem]:
    """Yield the assets that make a table which one of another key makes, in any location."""
    first: dict[str, tuple[str, AssetReport]] = {}
    for location in locations:
        for asset in reports[location.name].assets:
            if not asset.produced or not asset.table:
                continue
            name, other = first.setdefault(_stored_name(asset.table), (location.name, asset))
            if other.key != asset.key:
                yield asset.problem(
                    f"the table {asset.table} is made by {asset.key} of the location"
                    f" {location.name} here and by {other.key} of {name} at {other.origin}: each"
                    " would overwrite what the other loaded"
                )


def _stored_name(table: str) -> str:
    """Return a table's name as Snowflake stores it, when people write it in small letters."""
    return table.upper() if table == table.lower() else table
