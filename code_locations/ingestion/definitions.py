"""The ingestion code location: everything that lands in RAW."""

from __future__ import annotations

from factories import build_definitions

defs = build_definitions(
    sling="sling",
    dlt="dlt_pipelines",
    automation="code_locations/ingestion",
    alerts="code_locations/ingestion/alerts.yaml",
    defs="code_locations/ingestion/defs",
)
