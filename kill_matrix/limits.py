"""How long things may take; smaller than usual, so that a case takes seconds."""

from __future__ import annotations

NETWORK_TIMEOUT = 20  # SNOWFLAKE_NETWORK_TIMEOUT and SNOWFLAKE_LOGIN_TIMEOUT
FREE_SLOTS_SECONDS = 20  # free_slots_after_run_end_seconds in dagster.yaml
LIMIT_SECONDS = 180  # for one command
SECONDS_LEFT = 20  # within which everything must have ended after a command
