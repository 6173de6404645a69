"""The tables that are loaded."""

from __future__ import annotations

REPLICATION = "sling/flight_ops.yaml"
SCHEMA = "flight_ops"
ROWS = {"airlines": 16, "airports": 1_458, "planes": 3_322, "flights": 336_776}
ASSETS = [f"{SCHEMA}/raw/{table}" for table in ROWS]
STREAMS = [f"ops.{table}" for table in ROWS]
