from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Status:
    """What a sample system is doing now."""

    name: str
    running: bool
    url: str | None = None
    clock: datetime | None = None
    """The sample's time, New York's local time; None if the system does not run."""
    rows: dict[str, int] = field(default_factory=dict)
    """The rows of each table or endpoint; empty if the system does not run."""
    faults: list[str] = field(default_factory=list)
    """The faults that it answers with, as `dp sample fault` takes them."""
