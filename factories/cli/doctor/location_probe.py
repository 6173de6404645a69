"""`python -m factories.cli.doctor.location_probe MODULE`: what a code location needs, as JSON.

Each code location is asked in its own environment: that has its tools.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg

from factories.cli.doctor.findings import Finding
from factories.cli.doctor.sources import find_sources, look_at_sources
from factories.core.assets.specs import declared_at
from factories.core.project import project_root

TABLE = "dagster/table_name"
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


def probe_location(module_name: str) -> Needs:
    """Load a code location, and look at what it reads from."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        defs: dg.Definitions = importlib.import_module(module_name).defs
        produced = defs.resolve_asset_graph().materializable_asset_keys
        specs = [spec for spec in defs.resolve_all_asset_specs() if spec.key in produced]
    tables = [str(_plain(spec.metadata.get(TABLE, ""))).split(".") for spec in specs]
    root = project_root()
    places = [declared_at(spec.metadata, root) for spec in specs]
    files = {place[0] for place in places if place}
    return Needs(
        sorted({parts[0] for parts in tables if len(parts) == PARTS}),
        look_at_sources(find_sources(root, files)),
    )


def _plain(value: object) -> object:
    return getattr(value, "value", value)


if __name__ == "__main__":
    sys.stdout.write(probe_location(sys.argv[1]).to_json())
