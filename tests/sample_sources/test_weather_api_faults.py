from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from sample_sources.cli import app
from tests.sample_sources.weather import SECONDS, Service

pytestmark = pytest.mark.xdist_group("weather_api")

JULY = {"since": "2013-07-01", "until": "2013-07-11", "page_size": 100}  # 720 rows, 8 pages


def switch(*faults: str) -> list[str]:
    done = CliRunner().invoke(app, ["fault", "weather_api", *faults, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["faults"]
    assert isinstance(found, list)
    return found


def statuses(service: Service, count: int, **parameters: Any) -> list[int]:
    return [service.get(**parameters).status_code for _ in range(count)]


def listing(service: Service, **parameters: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """All rows, and what went wrong until a client that tries again had them."""
    rows: list[dict[str, Any]] = []
    failures = []
    while True:
        try:
            answer = service.get(**parameters)
            answer.raise_for_status()
            page = answer.json()
        except requests.RequestException as error:
            failures.append(type(error).__name__)
            continue
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows, failures
        parameters["cursor"] = page["next_cursor"]


def test_rate_limit_is_429_with_retry_after(weather: Service) -> None:
    answer = weather.get(fault="rate_limit:retry_after=7")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert weather.get(fault="rate_limit").headers["Retry-After"] == "1"


def test_error_is_500(weather: Service) -> None:
    answer = weather.get(fault="error")
    assert answer.status_code == 500
    assert answer.json() == {"error": "The fault 'error' is switched on."}


def test_cut_ends_the_connection_in_the_middle_of_the_body(weather: Service) -> None:
    whole = weather.get().content
    with requests.get(
        f"{weather.url}/observations", {"fault": "cut"}, timeout=SECONDS, stream=True
    ) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(whole)
        assert answer.raw.read(len(whole) // 2) == whole[: len(whole) // 2]
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            list(answer.iter_content(1_000))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        weather.get(fault="cut")


def test_slow_comes_later_than_the_client_waits(weather: Service) -> None:
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{weather.url}/stations", {"fault": "slow:seconds=20"}, timeout=0.2)
    assert weather.get(fault="slow:seconds=0.01").content == weather.get().content


def test_malformed_is_200_with_a_body_that_is_no_json(weather: Service) -> None:
    answer = weather.get(fault="malformed")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_every_hits_each_nth_request(weather: Service) -> None:
    assert statuses(weather, 7, fault="error:every=3") == [200, 200, 500, 200, 200, 500, 200]


def test_first_hits_the_first_requests_of_each_page(weather: Service) -> None:
    switch("error:first=2")
    assert statuses(weather, 4) == [500, 500, 200, 200]
    assert statuses(weather, 3, page_size=10) == [500, 500, 200]
    assert [weather.get("/stations").status_code for _ in range(3)] == [500, 500, 200]


def test_page_hits_the_same_page_every_time(weather: Service) -> None:
    everything = weather.rows(**JULY)
    switch("malformed:page=5")
    for _ in range(2):
        pages = weather.pages(**JULY)
        assert [row for _ in range(4) for row in next(pages)] == everything[:400]
        with pytest.raises(requests.exceptions.JSONDecodeError):
            next(pages)
    switch("--clear")
    assert weather.rows(**JULY) == everything


def test_limits_apply_together(weather: Service) -> None:
    switch("error:page=2,first=1")
    _, failures = listing(weather, **JULY)
    assert failures == ["HTTPError"]
    assert listing(weather, **JULY)[1] == []
    switch("error:page=2,first=1")  # the counts start again
    assert listing(weather, **JULY)[1] == ["HTTPError"]


def test_a_client_that_tries_again_gets_through_several_faults_at_once(weather: Service) -> None:
    everything = weather.rows(**JULY)
    faults = ["error:every=4", "rate_limit:every=3", "slow:every=2,seconds=0.01", "cut:first=1"]
    assert switch(*faults) == faults
    rows, failures = listing(weather, **JULY)
    assert rows == everything
    assert set(failures) == {"HTTPError", "ChunkedEncodingError"}
    assert weather.get("/health").json()["faults"] == faults
    switch(*faults)
    assert listing(weather, **JULY) == (rows, failures)


def test_a_requests_own_faults_join_the_switched_ones(weather: Service) -> None:
    switch("error:every=2")
    assert statuses(weather, 4, fault=["rate_limit:page=1", "slow:seconds=0"]) == [
        429, 500, 429, 500,
    ]  # fmt: skip


def test_a_wrong_request_is_told_so_and_not_counted(weather: Service) -> None:
    switch("error:every=2")
    assert statuses(weather, 3, page_size=0) == [400, 400, 400]
    assert statuses(weather, 2) == [200, 500]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weather_api", "eror"], "there is rate_limit, error, cut, slow, malformed. Did you mean"),
        (["weather_api", "error:evry=2"], "'evry'; error takes every, first, page."),
        (["weather_api", "error:seconds=2"], "'seconds'; error takes every, first, page."),
        (["weather_api", "slow:seconds=nan"], "must be a number from 0 to 600, not 'nan'."),
        (["weather_api", "error:every=0"], "must be a whole number from 1 to 1,000,000, not '0'."),
        (["weather_api", "error:every"], "must be a whole number from 1 to 1,000,000, not ''."),
        (["weather_api", "error:every=2,every=3"], "has 'every' twice."),
        (["weather_api", "error", "--clear"], "Name faults or give --clear, not both."),
        (["flight_ops", "error"], "flight_ops has no faults to switch on; weather_api has."),
    ],
)
def test_a_wrong_fault_is_refused_and_changes_nothing(
    weather: Service, arguments: list[str], message: str
) -> None:
    switch("cut:page=3")
    done = CliRunner().invoke(app, ["fault", *arguments])
    assert done.exit_code == 1
    assert message in done.stderr
    assert switch() == ["cut:page=3"]


def test_status_and_fault_say_in_words_which_are_on(weather: Service) -> None:
    def say(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments).stdout

    assert say("fault", "weather_api") == "weather_api answers without faults\n"
    said = "weather_api answers with faults: cut:page=3; error:first=1"
    assert said in say("fault", "weather_api", "cut:page=3", "error:first=1")
    assert said in say("status")
