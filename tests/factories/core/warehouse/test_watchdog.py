"""What counts as a warehouse that answers, and what becomes of a block when it no longer does."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from factories.core.warehouse.fail_on_loss import fail_when_warehouse_is_lost
from factories.core.warehouse.liveness import Liveness, ask_whether_it_answers
from factories.core.warehouse.settings import WarehouseSettings
from factories.core.warehouse.watchdog import SIGNAL, interrupt_when_warehouse_is_lost

WAIT_SECONDS = 30
PASSWORD = "s3cret-of-the-warehouse"


@dataclass
class Server:
    """A server on 127.0.0.1; `status` None lets requests wait for ever."""

    status: int | None = 404
    released: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def start(self) -> int:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                owner.asked += 1
                if owner.status is None:
                    owner.released.wait(WAIT_SECONDS)
                    return
                self.send_response(owner.status)
                self.send_header("Location", "http://192.0.2.1/")  # nobody must go there
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self.thread.start()
        return self.http.server_port

    def wait_for_requests(self, number: int) -> None:
        """Wait until so many more have come."""
        until = self.asked + number
        while self.asked < until:
            time.sleep(0.01)

    def stop(self) -> None:
        """Listen no more."""
        self.released.set()
        if self.thread.is_alive():
            self.http.shutdown()
            self.thread.join()
            self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def settings_of(port: int, **changes: object) -> WarehouseSettings:
    known = {"host": "127.0.0.1", "port": port, "protocol": "http", "network_timeout": 1}
    return WarehouseSettings("a", "u", PASSWORD, **{**known, **changes})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Liveness.ANSWERS) for status in (200, 204, 302, 307, 400, 401, 403, 404, 500)),
        *((status, Liveness.SILENT) for status in (502, 503, 504, None)),
    ],
)
def test_any_answer_counts(server: Server, status: int | None, expected: Liveness) -> None:
    server.status = status
    assert ask_whether_it_answers(settings_of(server.start()), 0.2) is expected


def test_nobody_listens() -> None:
    assert ask_whether_it_answers(settings_of(free_port()), 1) is Liveness.GONE
    # Of another machine it may be a restart.
    elsewhere = settings_of(free_port(), host="localhost")
    assert ask_whether_it_answers(elsewhere, 1) is Liveness.SILENT
    unknown = settings_of(1, host="no-such-host.invalid")
    assert ask_whether_it_answers(unknown, 1) is Liveness.SILENT


def test_one_that_speaks_something_else_is_silent() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def greet() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"SSH-2.0-x\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        port = listener.getsockname()[1]
        assert ask_whether_it_answers(settings_of(port), 1) is Liveness.SILENT
        thread.join()


def test_account_is_asked_where_the_drivers_log_in() -> None:
    accounts = {
        "acme-eu": "https://acme-eu.snowflakecomputing.com:443/",
        "xy12345.eu-central-1": "https://xy12345.eu-central-1.snowflakecomputing.com:443/",
        "xy12345.cn-northwest-1.aws": "https://xy12345.cn-northwest-1.aws.snowflakecomputing.cn:443/",
    }
    assert {name: WarehouseSettings(name, "u").url for name in accounts} == accounts


def lost(settings: WarehouseSettings, act: Callable[[], object]) -> str:
    """Run a block that loses the warehouse, and return why it failed."""
    try:
        with fail_when_warehouse_is_lost(settings):
            act()
            time.sleep(WAIT_SECONDS)
    except dg.Failure as failure:
        return str(failure.description)
    pytest.fail("the block was not interrupted")


@pytest.mark.parametrize("status", [None, 503])
def test_block_that_waits_is_interrupted_when_the_server_falls_silent(
    server: Server, status: int | None
) -> None:
    before = signal.getsignal(SIGNAL)
    settings = settings_of(server.start())

    def fall_silent() -> None:
        server.wait_for_requests(1)
        server.status = status

    text = lost(settings, fall_silent)

    assert text.startswith(f"The warehouse at {settings.address} no longer answers: nothing has")
    assert "SNOWFLAKE_NETWORK_TIMEOUT is 1" in text
    assert signal.getsignal(SIGNAL) in {before, signal.SIG_IGN}


def test_block_that_waits_is_interrupted_when_the_process_has_ended(server: Server) -> None:
    settings = settings_of(server.start(), network_timeout=4)
    assert "its process has ended; the next run starts it again" in lost(settings, server.stop)


def test_block_goes_on_while_the_server_answers_and_after_a_pause_of_it(server: Server) -> None:
    with fail_when_warehouse_is_lost(settings_of(server.start())) as watch:
        server.wait_for_requests(2)
        server.status = 503
        server.wait_for_requests(1)
        server.status = 200
        server.wait_for_requests(5)  # longer than it may be silent
        assert watch.lost is None


def test_server_that_never_answered_is_not_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests without a login may not get through a company's network."""
    server.status = 503
    port = server.start()
    url = f"http://127.0.0.1:{port}/"
    monkeypatch.setattr(WarehouseSettings, "url", property(lambda _: url))
    real = WarehouseSettings("acme-eu", "u", network_timeout=1)

    with fail_when_warehouse_is_lost(real) as watch:
        server.wait_for_requests(6)
        assert watch.lost is None
    with pytest.raises(KeyError), fail_when_warehouse_is_lost(real):
        raise KeyError


def test_server_of_an_account_that_has_answered_can_be_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{server.start()}/"
    monkeypatch.setattr(WarehouseSettings, "url", property(lambda _: url))

    def fall_silent() -> None:
        server.wait_for_requests(2)
        server.status = 503

    text = lost(WarehouseSettings("acme-eu", "u", network_timeout=1), fall_silent)

    assert "acme-eu.snowflakecomputing.com:443 no longer answers" in text


@pytest.mark.parametrize(
    "error",
    [ValueError(f"250003: cannot connect as {PASSWORD}"), dg.Failure("2 of 2 streams failed")],
)
def test_error_of_a_client_is_explained_by_the_loss(error: Exception) -> None:
    settings = settings_of(free_port(), network_timeout=60)
    with pytest.raises(dg.Failure) as failure, fail_when_warehouse_is_lost(settings):
        raise error

    first, second = str(failure.value.description).splitlines()
    assert "no longer answers" in first
    assert second in {"250003: cannot connect as ***", "2 of 2 streams failed"}


def test_error_of_a_client_stays_what_it_is_while_the_server_answers(server: Server) -> None:
    settings = settings_of(server.start())
    with pytest.raises(ValueError, match=r"^of its own$"), fail_when_warehouse_is_lost(settings):
        raise ValueError("of its own")


def test_step_in_another_thread_fails_with_the_sentence_too(server: Server) -> None:
    settings = settings_of(server.start(), network_timeout=1)
    caught: list[BaseException] = []

    def work() -> None:
        try:
            with fail_when_warehouse_is_lost(settings) as watch:
                server.stop()
                while watch.lost is None:
                    time.sleep(0.01)
                raise ValueError("timeout of the client")
        except dg.Failure as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(WAIT_SECONDS)

    assert "no longer answers" in str(caught)


def test_no_signal_arrives_after_the_block() -> None:
    for _ in range(20):
        with suppress(dg.Failure), fail_when_warehouse_is_lost(settings_of(free_port())):
            time.sleep(0.149)  # when it is asked for the first time
    time.sleep(0.3)


def test_blocks_one_inside_the_other(server: Server) -> None:
    settings = settings_of(server.start())

    def another() -> None:
        with interrupt_when_warehouse_is_lost(settings):
            pass
        server.stop()

    assert "no longer answers" in lost(settings, another)
