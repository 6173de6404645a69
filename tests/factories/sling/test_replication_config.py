"""What one Sling process is given."""

from __future__ import annotations

from pathlib import Path

from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.sling.connections import Connection
from factories.sling.replication_config import resolve_replication
from factories.sling.replications import Replication


def test_a_resolved_replication_shows_no_secret_in_its_own_text() -> None:
    connection = Connection("shop", "postgres", {"type": "postgres", "password": "s3cret"})
    replication = Replication("shop", Path("shop.yaml"), connection, (), {})
    settings = WarehouseSettings(account="a", user="u", password="h1dden", host="h", port=1)

    resolved = resolve_replication(
        replication, [], None, WarehouseNames("local"), settings, binary="sling", full_refresh=False
    )

    assert "s3cret" in resolved.connections["SHOP"]
    assert "h1dden" in resolved.connections["SNOWFLAKE"]
    assert "s3cret" not in repr(resolved)
    assert "h1dden" not in repr(resolved)
