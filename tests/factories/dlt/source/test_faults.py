"""Sources that fail: what a load does with it, and what a person reads."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from sample_sources.weather_api.system import WeatherApi
from tests.factories.dlt.conftest import Project, materialized

pytestmark = pytest.mark.clients

FIELDS = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure")
DECEMBER = "2013-12-10T00:00:00Z"
ALL = "2013-01-01T00:00:00Z"
SHIPPED = Path(__file__).parents[4] / "dlt_pipelines/weather_api.yaml"
WEATHER = """
    source:
      rest_api:
        client:
          base_url: {url}
          paginator: {type: cursor, cursor_path: next_cursor, cursor_param: cursor}
        resource_defaults: {endpoint: {data_selector: data}}
        resources:
          - name: observations
            endpoint:
              path: observations
              params: {page_size: {size}, since: "{incremental.start_value}"}
          - name: stations
            endpoint: {path: stations}
    config: {runtime: {request_timeout: {timeout}, request_max_attempts: {attempts}}}
    resources:
      observations:
        write_disposition: merge
        primary_key: [origin, time_hour]
        incremental: {cursor_path: time_hour, initial_value: "{since}"}
      stations: {write_disposition: replace, primary_key: origin}
"""

Faults = Callable[..., None]  # takes the faults, as the sample's README writes them


def weather(
    project: Project,
    url: str,
    *,
    since: str = DECEMBER,
    size: int = 500,
    attempts: int = 6,
    impatient: bool = False,
) -> None:
    """Write the pipeline; one that is impatient waits for an answer for a second only."""
    values = {"url": url, "since": since, "size": size, "attempts": attempts}
    text = WEATHER
    for name, value in {**values, "timeout": 1 if impatient else 60}.items():
        text = text.replace(f"{{{name}}}", str(value))
    project.pipeline(text, "weather")


@pytest.fixture
def faults(weather_url: str) -> Iterator[Faults]:
    """Switches faults of the sample API on, with counts that begin at zero."""
    assert weather_url

    def switch(*texts: str) -> None:
        WeatherApi().switch_faults(texts)

    yield switch
    WeatherApi().switch_faults([])


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that dlt's client would have waited before each retry."""
    asked: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=asked.append))
    return asked


def read_api(url: str, since: str) -> set[tuple[Any, ...]]:
    """What the API itself says, all in one go."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        address = f"{url}/observations?page_size=5000&since={since}{cursor}"
        with urllib.request.urlopen(address, timeout=20) as answer:
            page = json.load(answer)
        rows += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    return {
        (
            row["origin"],
            datetime.fromisoformat(row["time_hour"]),
            *(None if row[name] is None else float(row[name]) for name in FIELDS),
        )
        for row in rows
    }


def read_table(project: Project) -> list[tuple[Any, ...]]:
    rows = project.rows(f"select origin, time_hour, {', '.join(FIELDS)} from {{d}}.observations")
    return [
        (
            origin,
            hour.astimezone(UTC),  # type: ignore[attr-defined]
            *(None if value is None else float(str(value)) for value in values),
        )
        for origin, hour, *values in rows
    ]


def assert_exactly(project: Project, expected: set[tuple[Any, ...]]) -> None:
    rows = read_table(project)
    assert len(rows) == len(expected)
    assert set(rows) == expected


@pytest.mark.parametrize(
    "fault", ["rate_limit:every=3", "error:every=2", "cut:first=1", "slow:page=2,first=1,seconds=2"]
)
def test_transient_faults_lose_no_row(
    fault: str, project: Project, weather_url: str, faults: Faults, waits: list[float]
) -> None:
    expected = read_api(weather_url, DECEMBER)
    weather(project, weather_url, impatient=fault.startswith("slow"))
    faults(fault)

    result = project.run()

    assert result.success, project.failure()
    assert waits  # so the fault has hit
    assert_exactly(project, expected)
    assert materialized(result)["observations"]["rows_loaded"] == len(expected)


def test_all_rows_of_the_projects_own_pipeline_with_every_fault_on(
    project: Project,
    weather_url: str,
    faults: Faults,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = read_api(weather_url, ALL)
    monkeypatch.setenv("WEATHER_API_URL", weather_url)
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in (
        ("dataset: weather_api", f"dataset: {project.dataset}"),
        ("delay: 10s", "delay: 0s"),
    ):
        assert old in text
        text = text.replace(old, new)
    project.pipeline(text, "weather_api")
    others = ("slow:page=3,first=1,seconds=1", "rate_limit:every=5", "error:every=3", "cut:first=1")
    faults("malformed:page=3", *others)

    broken = project.run()

    assert not broken.success
    assert set(materialized(broken)) == {"stations"}
    assert not project.has_table("observations")

    faults("malformed:page=3,first=1", *others)  # the pipeline's own retry gets over it
    result = project.run("observations")

    assert result.success, project.failure()
    assert "is not valid JSON: " in project.messages()
    assert len(expected) == 26_115
    assert_exactly(project, expected)
    hit = len(waits)
    assert hit > 6  # more than one fault in most pages

    again = project.full_refresh("dlt__weather_api", "observations")

    assert again.success, project.failure()
    assert len(waits) > hit
    assert materialized(again)["observations"]["rows_loaded"] == len(expected)
    assert_exactly(project, expected)


def test_retry_after_is_waited_for(
    project: Project, weather_url: str, faults: Faults, waits: list[float]
) -> None:
    weather(project, weather_url)
    faults("rate_limit:retry_after=17,first=1")

    assert project.run("stations").success

    assert waits == [17]


def test_client_that_gives_up_says_status_and_address(
    project: Project, weather_url: str, faults: Faults, waits: list[float]
) -> None:
    weather(project, weather_url, attempts=2)
    faults("error")

    result = project.run("stations")

    assert not result.success
    assert len(waits) == 1
    message = project.failure()
    assert f"500 Server Error: Internal Server Error for url: {weather_url}/stations" in message
    assert len(message.splitlines()) == 2
    assert "Traceback" not in project.messages()


def test_malformed_page_fails_with_its_address_and_spares_the_rest(
    project: Project, weather_url: str, faults: Faults
) -> None:
    expected = read_api(weather_url, DECEMBER)
    weather(project, weather_url)
    faults("malformed:page=3")

    result = project.run()

    assert not result.success
    assert set(materialized(result)) == {"stations"}
    message = project.failure()
    assert "1 of 2 resources failed; the others are loaded" in message
    assert f"the page {weather_url}/observations?page_size=500" in message
    assert "cursor=" in message
    assert "is not valid JSON: " in message
    assert "Traceback" not in project.messages()
    assert not project.has_table("observations")

    faults()
    assert project.run("observations").success
    assert_exactly(project, expected)


def test_malformed_page_keeps_what_earlier_loads_had(
    project: Project, weather_url: str, faults: Faults
) -> None:
    earlier = "2013-12-25T00:00:00Z"
    weather(project, weather_url, since=earlier)
    assert project.run("observations").success
    before = sorted(map(str, read_table(project)))
    weather(project, weather_url, since=DECEMBER)
    faults("malformed:page=2")

    result = project.full_refresh("dlt__weather", "observations")

    assert not result.success
    assert sorted(map(str, read_table(project))) == before


class Answers(BaseHTTPRequestHandler):
    """Answers each path as `answers` says: status, content type, body."""

    answers: ClassVar[dict[str, tuple[int, str, str]]]

    def do_GET(self) -> None:
        status, kind, body = self.answers[self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def answering() -> Iterator[Callable[[dict[str, tuple[int, str, str]]], str]]:
    """Starts a server that answers so; returns its address."""
    servers = []

    def start(answers: dict[str, tuple[int, str, str]]) -> str:
        handler = type("Handler", (Answers,), {"answers": answers})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        yield int(bound.getsockname()[1])


def things(
    project: Project, url: str, paginator: str = "{type: single_page}", selector: str = "data"
) -> None:
    """A pipeline that reads /things with one attempt."""
    project.pipeline(f"""
        source:
          rest_api:
            client: {{base_url: "{url}", paginator: {paginator}}}
            resources:
              - {{name: things, endpoint: {{path: things, data_selector: {selector}}}}}
        config: {{runtime: {{request_max_attempts: 1}}}}
        resources: {{things: {{write_disposition: replace}}}}
    """)


Answering = Callable[[dict[str, tuple[int, str, str]]], str]
PAGE = "application/json"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusal_says_status_and_address(
    status: int, project: Project, answering: Answering
) -> None:
    url = answering({"/things": (status, PAGE, '{"error": "no"}')})
    things(project, url)

    project.run()

    assert f"things: extract: HTTPError: {status} Client Error: " in project.failure()
    assert project.failure().rstrip().endswith(f" for url: {url}/things")


def test_service_that_cannot_be_reached_is_named(project: Project, deaf_port: int) -> None:
    url = f"http://127.0.0.1:{deaf_port}"
    things(project, url)
    project.run()

    assert project.failure().splitlines()[1] == (
        f"things: extract: ConnectionError: {url}/things: Failed to establish a new connection:"
        " [Errno 111] Connection refused"
    )

    things(project, "http://nowhere.invalid")
    project.run()

    output = "things: extract: ConnectionError: http://nowhere.invalid/things: Failed to resolve"
    assert output in project.failure()


def test_tls_error_is_named(project: Project, answering: Answering) -> None:
    url = answering({}).replace("http:", "https:")
    things(project, url)

    project.run()

    assert f"things: extract: SSLError: {url}/things: " in project.failure()
    assert "wrong version number" in project.failure().lower().replace("_", " ")
    assert len(project.failure().splitlines()) == 2


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    ("fault", "output"), [("cut", "Connection broken"), ("slow:seconds=2", "Read timed out")]
)
def test_client_that_gives_up_on_a_connection_names_the_address(
    fault: str, output: str, project: Project, weather_url: str, faults: Faults
) -> None:
    weather(project, weather_url, attempts=2, impatient=fault.startswith("slow"))
    faults(fault)

    project.run("stations")

    assert f"{weather_url}/stations: {output}" in project.failure()


def test_page_that_is_html_says_so(project: Project, answering: Answering) -> None:
    url = answering({"/things": (200, "text/html; charset=utf-8", "<html>Log in</html>")})
    things(project, url)

    project.run()

    output = f"the page {url}/things is not valid JSON but text/html: Expecting value: line 1"
    assert output in project.failure()


def test_data_selector_that_matches_nothing_is_warned_of(
    project: Project, answering: Answering
) -> None:
    url = answering({"/things": (200, PAGE, '{"items": [{"id": 1}], "count": 1}')})
    things(project, url)

    assert project.run().success

    assert "things: nothing is at data_selector 'data' in the page" in project.messages()
    assert "the page has items, count" in project.messages()

    things(project, answering({"/things": (200, PAGE, '{"data": []}')}))
    assert project.run().success

    assert "nothing is at" not in project.messages()


def test_cursor_whose_path_is_missing_is_warned_of(project: Project, answering: Answering) -> None:
    page = '{"data": [{"id": 1}], "paging": {"next_cursor": "abc"}}'
    paginator = "{type: cursor, cursor_path: next_cursor}"
    things(project, answering({"/things": (200, PAGE, page)}), paginator)

    assert project.run().success

    assert "nothing is at the paginator's cursor_path 'next_cursor'" in project.messages()
    assert "the page has paging.next_cursor" in project.messages()

    for last in ('{"data": [{"id": 1}]}', '{"data": [{"id": 1}], "next_cursor": null}'):
        things(project, answering({"/things": (200, PAGE, last)}), paginator)
        assert project.run().success
        assert "nothing is at" not in project.messages()
