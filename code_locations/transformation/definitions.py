"""The transformation code location: everything that dbt builds in ANALYTICS."""

from __future__ import annotations

from factories import build_definitions

defs = build_definitions(
    dbt="dbt_project",
    automation="code_locations/transformation",
    alerts="code_locations/transformation/alerts.yaml",
    defs="code_locations/transformation/defs",
)
