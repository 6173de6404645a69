"""The machine learning code location: everything that Snowpark makes in ML."""

from __future__ import annotations

from factories import build_definitions

defs = build_definitions(
    snowpark="snowpark",
    automation="code_locations/ml",
    alerts="code_locations/ml/alerts.yaml",
    defs="code_locations/ml/defs",
)
