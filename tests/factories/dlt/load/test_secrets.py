"""Secrets stay where they belong: in the environment, and in what is sent to the source."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import dlt
import pytest
from dlt.common.versioned_state import decompress_state

from factories.core.secret_mask import SecretMask
from factories.dlt.load.secrets import source_secrets
from tests.factories.dlt.conftest import Project

pytestmark = pytest.mark.clients

# Whatever may be quoted somewhere: in an address, in JSON, in Python, in SQL.
SECRET = "s3cr&t/* \"q'uo\\te%41ü+="
LOGIN = "client-1d"
TOKEN = "t0ken-of-the-service"


@dataclass
class Service:
    """A service that wants credentials, and looks around while it is asked.

    Attributes:
        wanted: How a request must be authorized.
        seen: What each request brought: its Authorization header, and its parameters.
        leaks: Files that held a secret while a load ran.
        broken: Whether its second page, the last one, is refused.
        url: Its address.
    """

    expected: str = ""
    broken: bool = False
    seen: list[tuple[str | None, dict[str, list[str]]]] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, object]:
        address = urlsplit(handler.path)
        parameters = parse_qs(address.query)
        self.seen.append((handler.headers.get("Authorization"), parameters))
        self.leaks += files_with_a_secret()
        if address.path == "/token":
            length = int(handler.headers["Content-Length"])
            asked = parse_qs(handler.rfile.read(length).decode())
            right = asked["client_secret"] == [SECRET] and asked["client_id"] == [LOGIN]
            return (200, {"access_token": TOKEN}) if right else (401, {})
        if self.expected and handler.headers.get("Authorization") != self.expected:
            return 401, {"error": f"not {handler.headers.get('Authorization')}"}
        page = int(parameters.get("page", ["1"])[0])
        if page == 2 and self.broken:
            return 403, {"error": "no more"}
        rows = [{"id": page, "parts": [{"n": 1}]}]
        return 200, {"data": rows, "next": f"/things?page={page + 1}" if page == 1 else None}


def files_with_a_secret() -> list[str]:
    """The files of the temporary folder that hold a secret in any form."""
    forms = [form.encode() for form in forms_of_secrets()]
    found = []
    # While dlt moves files and folders: `os.walk` goes on where a folder is gone.
    for folder, _, names in os.walk(tempfile.gettempdir()):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and any(form in path.read_bytes() for form in forms):
                    found.append(str(path))
    return found


def forms_of_secrets() -> list[str]:
    plain = [SECRET, TOKEN]
    more = [quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), quote_plus(SECRET, safe="*")]
    return [*plain, *more, json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1]]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service, and a temporary folder of the test's own, which it watches."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = service.answer(self)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - as http.server calls it

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("LOGIN", LOGIN)
    monkeypatch.setenv("SERVICE_URL", service.url)
    yield service
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture
def watched(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Looks around also before and after dlt loads, and when it has failed to extract."""
    for name in ("extract", "load"):
        step = getattr(dlt.Pipeline, name)

        def watching(self: Any, *args: Any, _step: Any = step, **options: Any) -> Any:
            service.leaks += files_with_a_secret()
            try:
                return _step(self, *args, **options)
            finally:
                service.leaks += files_with_a_secret()

        monkeypatch.setattr(dlt.Pipeline, name, watching)
    return service


def things(
    project: Project,
    auth: str,
    *,
    path: str = "things",
    config: str = "{runtime: {log_level: DEBUG}}",
) -> None:
    project.pipeline(f"""
        source:
          rest_api:
            client:
              base_url: ${{SERVICE_URL}}
              auth: {auth}
              paginator: {{type: json_link, next_url_path: next}}
            resources:
              - {{name: things, endpoint: {{path: "{path}", data_selector: data}}}}
        config: {config}
        resources: {{things: {{write_disposition: replace}}}}
    """)


def warehouse_texts(project: Project) -> str:
    """What dlt itself keeps in the warehouse: schemas, and the state, which is compressed."""
    schemas = project.rows("select schema from {d}._dlt_version")
    states = project.rows("select state from {d}._dlt_pipeline_state")
    texts = [str(schema) for (schema,) in schemas]
    texts += [json.dumps(decompress_state(str(state)), default=str) for (state,) in states]
    return "\n".join(texts)


def assert_kept(project: Project, service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    """No secret is in files, events, output, or in dlt's own tables."""
    assert not service.leaks
    assert not files_with_a_secret()
    printed = capfd.readouterr()
    texts = [project.log(), printed.out, printed.err]
    if project.has_table("_dlt_version"):
        texts.append(warehouse_texts(project))
    for text in texts:
        assert not [form for form in forms_of_secrets() if form in text]


BASIC = base64.b64encode(f"{LOGIN}:{SECRET}".encode()).decode()


BEARER = "{type: bearer, token: '${KEY}'}"
OAUTH = (
    "{type: oauth2_client_credentials, access_token_url: '${SERVICE_URL}/token',"
    " client_id: '${LOGIN}', client_secret: '${KEY}'}"
)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (BEARER, f"Bearer {SECRET}"),
        ("{type: http_basic, username: '${LOGIN}', password: '${KEY}'}", f"Basic {BASIC}"),
        (OAUTH, f"Bearer {TOKEN}"),
    ],
)
def test_credentials_of_an_api_are_sent_and_kept_nowhere(
    auth: str, expected: str, project: Project, watched: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.expected = expected
    things(project, auth)

    assert project.run().success, project.failure()

    assert [header for header, _ in watched.seen[-2:]] == [expected, expected]
    assert_kept(project, watched, capfd)


def test_key_in_an_address_is_hidden_in_errors(
    project: Project, watched: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.broken = True
    things(project, "{type: api_key, name: appid, api_key: '${KEY}', location: query}")

    assert not project.run().success

    assert watched.seen[-1][1]["appid"] == [SECRET]
    assert f"403 Client Error: Forbidden for url: {watched.url}/things?page=2" in project.failure()
    assert "appid=***" in project.failure()
    assert_kept(project, watched, capfd)


def test_wrong_login_at_the_token_service_is_reported_and_not_shown(
    project: Project,
    watched: Service,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGIN", "another")
    things(project, OAUTH)

    assert not project.run().success

    assert "401 Client Error" in project.failure()
    assert f"{watched.url}/token" in project.failure()
    assert_kept(project, watched, capfd)


def test_key_in_a_path_is_hidden(
    project: Project, watched: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.expected = "nothing will do"
    things(project, "{type: bearer, token: '${LOGIN}'}", path="bot${KEY}/things")

    assert not project.run().success

    assert f"{watched.url}/bot***/things" in project.failure()
    assert_kept(project, watched, capfd)


def test_python_source_that_raises_with_a_secret(
    project: Project, watched: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    project.module("""
        from dlt.common import logger

        def shop(host, key):
            print("the key is", key)
            logger.warning("key is %r of %s", key, host)
            yield {"id": 1}
            raise ValueError(f"{host} does not take {key!r}") from KeyError(key)
    """)
    project.pipeline("""
        source: {python: "shop:shop", args: {host: "${SERVICE_URL}", key: "${KEY}"}}
        resources: {shop: {}}
    """)

    assert not project.run().success

    assert f"shop: extract: ValueError: {watched.url} does not take " in project.failure()
    assert f"key is '***' of {watched.url}" in project.messages()
    assert_kept(project, watched, capfd)


def test_secret_that_dlt_finds_in_the_environment(
    project: Project,
    watched: Service,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A source's `dlt.secrets.value` is in no YAML."""
    monkeypatch.setenv("SOURCES__SHOP__TOKEN", SECRET)
    project.module("""
        import dlt

        @dlt.resource(section="shop")
        def shop(token=dlt.secrets.value):
            yield {"id": 1}
            raise ValueError(f"the service does not take {token}")
    """)
    project.pipeline('source: {python: "shop:shop"}\nresources: {shop: {}}')

    assert not project.run().success

    assert "ValueError: the service does not take ***" in project.failure()
    assert_kept(project, watched, capfd)


def test_secret_among_dlts_own_settings(
    project: Project,
    watched: Service,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOK", TOKEN)
    project.module("""
        import os

        def shop():
            yield {"id": 1}
            raise ValueError(f"the service does not take {os.environ['HOOK']}")
    """)
    project.pipeline("""
        source: {python: "shop:shop"}
        config: {runtime: {slack_incoming_hook: "${HOOK}"}}
        resources: {shop: {}}
    """)

    assert not project.run().success

    assert "ValueError: the service does not take ***" in project.failure()
    assert_kept(project, watched, capfd)


def test_url_of_a_database_is_hidden(
    project: Project,
    watched: Service,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"postgresql+psycopg2://shop:{quote(SECRET, safe='')}@127.0.0.1:1/shop"
    monkeypatch.setenv("SHOP_URL", url)
    project.pipeline("""
        source: {sql_database: {credentials: "${SHOP_URL}"}}
        resources: {orders: {}}
    """)

    assert not project.run().success

    assert 'at "127.0.0.1", port 1 failed: Connection refused' in project.failure()
    assert_kept(project, watched, capfd)


def find_secrets(config: object, **values: str) -> set[str]:
    return set(source_secrets(config, values))


def test_a_place_says_what_is_public() -> None:
    url = "https://user:passw0rd@host/api?sig=abcdefgh&n=500"
    client = {"base_url": "${URL}", "auth": {"type": "http_basic", "username": "${USER}"}}

    assert find_secrets({"client": client}, URL="https://host/api", USER="sk_live") == {"sk_live"}
    assert find_secrets({"base_url": "${URL}"}, URL=url) == {"passw0rd", "abcdefgh"}
    assert find_secrets({"base_url": "${URL}"}, URL="https://t0ken@host/") == {"t0ken"}
    assert find_secrets({"base_url": "https://${HOST}/v1"}, HOST="host") == set()
    assert find_secrets({"base_url": "https://${KEY}@host/v1"}, KEY="t0ken") == {"t0ken"}
    assert find_secrets({"base_url": "https://host/${KEY}"}, KEY="t0ken") == {"t0ken"}
    assert find_secrets({"base_url": "https://host?k=${KEY}"}, KEY="t0ken") == {"t0ken"}
    assert find_secrets({"base_url": "${URL}"}, URL="https://[host") == {"https://[host"}
    assert find_secrets({"credentials": {"host": "${A}", "password": "${B}"}}, A="a", B="b") == {
        "b"
    }
    s3 = {"aws_access_key_id": "${A}", "aws_secret_access_key": "${B}", "endpoint_url": "${C}"}
    assert find_secrets({"credentials": s3}, A="AKIA", B="key", C="https://s3") == {"AKIA", "key"}
    assert find_secrets({"params": {"table": "${A}"}}, A="a") == {"a"}
    assert find_secrets({"credentials": "${URL}"}, URL=url) == {url}


def test_public_in_one_place_and_secret_in_another_is_secret() -> None:
    config = {"credentials": {"username": "${NAME}", "password": "${NAME}"}}

    assert find_secrets(config, NAME="same") == {"same"}


def test_secret_that_comes_to_light_later_is_hidden_too() -> None:
    mask = SecretMask(["first"])
    mask.add("https://user:se%2Fcond@host")

    assert mask("first se/cond se%2Fcond host") == "*** *** *** host"
