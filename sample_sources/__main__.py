from __future__ import annotations

from sample_sources.cli import app

app(prog_name="python -m sample_sources")
