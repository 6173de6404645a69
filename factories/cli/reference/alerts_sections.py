"""The sections of alerts."""

from __future__ import annotations

from typing import get_args

from factories.alerts.models import AlertsFile, Event, Route
from factories.cli.reference.section import Section

EVENTS = ", ".join(f"`{event}`" for event in get_args(Event))

ALERTS_SECTIONS = (
    Section(
        "Alerts",
        AlertsFile,
        "`code_locations/<location>/alerts.yaml`, given by `build_definitions(alerts=…)`.",
        """\
routes:
  sales: {to: "${SALES_SLACK}", owners: "team:sales", severity: error}
  platform: {to: ["${PLATFORM_SLACK}", "${PAGER}"], fallback: true, targets: [prod]}
""",
        types={"routes": "mapping of names to [routes](#a-route)"},
    ),
    Section(
        "A route",
        Route,
        "An alert takes every route whose conditions all hold.",
        level=3,
        types={
            "to": "`${NAME}`, or list of them",
            "events": f"one, or list, of {EVENTS}",
        },
    ),
)
