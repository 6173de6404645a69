"""Requests that a page in a browser sends to the weather API under its own name (DNS rebinding)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sample_sources.weather_api import url


@pytest.mark.parametrize("path", ["/observations?page_size=1", "/stations", "/health?nonce=1"])
def test_only_its_own_host_is_answered(weather_dir: Path, path: str) -> None:
    assert weather_dir
    address = url()
    port = urlsplit(address).port

    def ask(host: str) -> requests.Response:
        return requests.get(f"{address}{path}", headers={"Host": host}, timeout=30)

    for own in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert ask(own).status_code == 200
    foreign = ["evil.example", f"evil.example:{port}", "127.0.0.1", "localhost:1", f"[::1]:{port}"]
    for host in foreign:
        answer = ask(host)
        assert answer.status_code == 421
        assert set(answer.json()) == {"error"}
