"""`python -m factories.cli.doctor.location_probe MODULE ATTRIBUTE`: what a location needs, as JSON.

Each code location is asked in its own environment: that has its tools.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from factories.cli.doctor.findings import Finding
from factories.cli.doctor.sources import find_sources, look_at_sources
from factories.cli.location_report import report_location
from factories.core.project import project_root

PARTS = 3  # database, schema and name


@dataclass(frozen=True)
class Needs:
    """What a code location needs.

    Attributes:
        databases: Those that it writes.
        findings: Of its sources.
    """

    databases: list[str]
    findings: list[Finding]

    def to_json(self) -> str:
        """Return it as one JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Needs:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(data["databases"], [Finding(**each) for each in data["findings"]])


def probe_location(module_name: str, attribute: str) -> Needs:
    """Load a code location, and look at what it reads from.

    Raises:
        SystemExit: When it does not load, with the last of what is wrong.
    """
    report = report_location(module_name, attribute)
    if not report.loaded:
        sys.exit(str(report.problems[-1]))
    produced = [asset for asset in report.assets if asset.produced]
    tables = [asset.table.split(".") for asset in produced]
    files = {asset.file for asset in produced if asset.file}
    return Needs(
        sorted({parts[0] for parts in tables if len(parts) == PARTS}),
        look_at_sources(find_sources(project_root(), files)),
    )


if __name__ == "__main__":
    sys.stdout.write(probe_location(*sys.argv[1:]).to_json())
