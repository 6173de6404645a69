"""What one Sling process is given."""

from __future__ import annotations

from pathlib import Path

from factories.core.warehouse.names import WarehouseNames
from factories.core.warehouse.settings import WarehouseSettings
from factories.sling.connections import Connection
from factories.sling.launch import prepare
from factories.sling.replications import Replication


def test_a_launch_shows_no_secret_in_its_own_text() -> None:
    connection = Connection("shop", "postgres", {"type": "postgres", "password": "s3cret"})
    replication = Replication("shop", Path("shop.yaml"), connection, (), {})
    settings = WarehouseSettings(account="a", user="u", password="h1dden", host="h", port=1)

    launch = prepare(
        replication, [], None, WarehouseNames("local"), settings, binary="sling", full_refresh=False
    )

    assert "s3cret" in launch.connections["SHOP"]
    assert "h1dden" in launch.connections["SNOWFLAKE"]
    assert "s3cret" not in repr(launch)
    assert "h1dden" not in repr(launch)
