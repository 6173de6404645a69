"""Where incidents happen, and what is needed to tell of them."""

from __future__ import annotations

from dataclasses import dataclass

from factories.alerts.catalog import AssetCatalog
from factories.alerts.causes import incident_key
from factories.alerts.secrets import MessageMask


@dataclass(frozen=True)
class Place:
    """Where incidents happen, and what is needed to tell of them.

    Attributes:
        target: Such as `prod`.
        location: The code location's name.
        catalog: Its assets.
        mask: Hides secrets.
    """

    target: str
    location: str
    catalog: AssetCatalog
    mask: MessageMask

    def key(self, *parts: str) -> str:
        """Return the key of an incident here."""
        return incident_key(self.target, self.location, *parts)
