from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import requests

from sample_sources import lifecycle
from sample_sources.clock import START
from sample_sources.errors import SampleError
from sample_sources.status import Status
from sample_sources.weather_api import url
from sample_sources.weather_api.address import State, current_url, read_state, write_state
from sample_sources.weather_api.system import WeatherApi
from tests.sample_sources.weather import SECONDS, Service

pytestmark = pytest.mark.xdist_group("weather_api")


def servers(local_dir: Path) -> list[psutil.Process]:
    """The processes that serve a local folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "sample_sources.weather_api.server" in (process.info["cmdline"] or []):
            try:
                if process.environ().get("DP_LOCAL_DIR") == str(local_dir):
                    found.append(process)
            except psutil.Error:  # it has just ended
                continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def state() -> State:
    found = read_state()
    assert found
    return found


@contextmanager
def stranger() -> Iterator[int]:
    """The port of another program, which answers whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"proof": "believe me"}')

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_status_says_what_is_served(weather: Service) -> None:
    assert WeatherApi().status() == Status(
        name="weather_api",
        running=True,
        url=weather.url,
        clock=START,
        rows={"observations": 26_115, "stations": 3},
    )


def test_the_server_listens_on_this_machine_alone_and_its_files_are_this_users_alone(
    weather: Service, weather_dir: Path
) -> None:
    (server,) = servers(weather_dir)
    listening = [each for each in server.net_connections() if each.status == psutil.CONN_LISTEN]
    assert [(each.laddr.ip, each.laddr.port) for each in listening] == [("127.0.0.1", state().port)]
    assert (weather_dir / "weather_api").stat().st_mode & 0o077 == 0
    assert (weather_dir / "weather_api" / "state.json").stat().st_mode & 0o077 == 0


def test_of_two_starters_one_starts_it_and_a_killed_one_is_replaced(
    own_dir: Path, sample: Callable[..., subprocess.Popen[str]]
) -> None:
    starters = [sample("up", "weather_api", "--json") for _ in range(2)]
    said = [json.loads(starter.communicate(timeout=SECONDS)[0]) for starter in starters]
    assert said[0] == said[1] == [{"name": "weather_api", "url": current_url()}]
    (server,) = servers(own_dir)

    server.kill()
    wait_for(lambda: current_url() is None)
    assert WeatherApi().status() == Status(name="weather_api", running=False)
    assert Service(url()).page("/stations")
    assert state().pid != server.pid

    assert WeatherApi().down() is True
    wait_for(lambda: servers(own_dir) == [])
    assert WeatherApi().down() is False


def test_a_stale_state_never_leads_to_another_program(own_dir: Path) -> None:
    (own_dir / "weather_api").mkdir()
    with stranger() as port:
        write_state(State(pid=os.getpid(), port=port, token="a killed server's"))
        assert current_url() is None
        assert WeatherApi().down() is False  # and this process lives on
        write_state(State(pid=os.getpid(), port=port, token="a killed server's"))
        address = url()
        assert not address.endswith(f":{port}")
        assert Service(address).page("/stations")
        # A server that knows another token is none of ours either.
        write_state(replace(state(), token="another"))
        assert current_url() is None
    (own_dir / "weather_api" / "state.json").write_text("{")
    assert current_url() is None


def test_it_ends_when_its_folder_is_deleted_or_another_servers(own_dir: Path) -> None:
    url()
    (first,) = servers(own_dir)
    shutil.rmtree(own_dir / "weather_api")
    url()  # a new server of the same folder
    wait_for(lambda: first not in servers(own_dir))
    (second,) = servers(own_dir)
    shutil.rmtree(own_dir / "weather_api")
    wait_for(lambda: second not in servers(own_dir))


def test_it_ends_after_a_while_without_requests(
    own_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_LOCAL_IDLE_MINUTES", "0.02")
    WeatherApi().up(lambda _: None)
    wait_for(lambda: read_state() is None)
    wait_for(lambda: servers(own_dir) == [])
    log = (own_dir / "weather_api" / "server.log").read_text()
    assert "stopping: no request for 1 seconds" in log


def test_an_environment_without_the_data_starts_it_through_the_host_environment(
    own_dir: Path,
) -> None:
    python = lifecycle.PROJECT_ROOT / ".venvs/ingestion/bin/python"
    program = "from sample_sources.weather_api import url; print(url())"
    done = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert done.stdout.strip() == current_url()


def test_a_key_is_asked_for_when_the_environment_has_one_and_is_told_to_nobody(
    own_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_API_KEY", "k3y-of-the-test")
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "none of its business")
    monkeypatch.setenv("WEATHER_API_FAULTS", "error:page=2")
    address = url()

    def ask(path: str, key: str | None) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return requests.get(f"{address}{path}", headers=headers, timeout=SECONDS)

    for path in ("/observations", "/stations"):
        for wrong in (None, "k3y", "k\u00e9y"):
            answer = ask(path, wrong.encode().decode("latin-1") if wrong else None)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "Authorization: Bearer" in answer.json()["error"]
        assert ask(path, "k3y-of-the-test").status_code == 200

    # The environment's faults hold too.
    cursor = ask("/observations", "k3y-of-the-test").json()["next_cursor"]
    assert ask(f"/observations?cursor={cursor}", "k3y-of-the-test").status_code == 500
    assert WeatherApi().status().faults == ["error:page=2"]

    (server,) = servers(own_dir)
    assert "SNOWFLAKE_PASSWORD" not in server.environ()
    for file in (own_dir / "weather_api").iterdir():
        assert "k3y-of-the-test" not in file.read_text()
        assert state().token not in file.read_text() or file.name == "state.json"


def test_a_wrong_fault_in_the_environment_is_told_at_the_start(
    own_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_API_FAULTS", "eror")
    with pytest.raises(
        SampleError, match=r"WEATHER_API_FAULTS: There is no fault 'eror'; there is"
    ):
        url()
    assert read_state() is None


def test_a_reset_switches_the_faults_off(own_dir: Path) -> None:
    WeatherApi().switch_faults(["error"])
    assert WeatherApi().switched_faults() == ["error"]
    WeatherApi().reset()
    assert WeatherApi().switched_faults() == []
