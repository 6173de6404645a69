"""Requests that a page in a browser sends here under its own name (DNS rebinding)."""

from __future__ import annotations

import http.client
import json

import pytest

FOREIGN = ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:1"]
FOREIGN += ["localhost:1", "127.0.0.1.evil.example:{port}", "127.0.0.2:{port}", "[::1]:{port}", ""]
FOREIGN += ["evil.example@127.0.0.1:{port}", "0.0.0.0:{port}", "127.0.0.1:{port}, evil.example"]


def ask(port: int, hosts: list[str], method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    for host in hosts:
        connection.putheader("Host", host.replace("{port}", str(port)))
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/local/identity?nonce=1"), ("POST", "/session/v1/login-request"), ("HEAD", "/")],
)
def test_another_host_is_refused(warehouse, host: str, method: str, path: str) -> None:
    status, text = ask(int(warehouse.settings["port"]), [host], method, path)
    assert status == 421
    assert "proof" not in text


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_own_host_is_answered(warehouse, host: str) -> None:
    port = int(warehouse.settings["port"])
    status, text = ask(port, [host], "GET", "/local/identity?nonce=1")
    assert status == 200
    assert json.loads(text)["proof"]
    assert ask(port, [host], "HEAD", "/")[0] == 200


def test_two_hosts_are_none(warehouse) -> None:
    hosts = ["127.0.0.1:{port}", "evil.example"]
    assert ask(int(warehouse.settings["port"]), hosts, "GET", "/local/identity")[0] in {400, 421}
