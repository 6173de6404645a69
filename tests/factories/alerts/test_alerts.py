"""What is told of failed runs, how often and to whom, from runs of small jobs to a real webhook."""

from __future__ import annotations

import dataclasses
import itertools
import uuid

import dagster as dg
import pytest
import sqlalchemy as db

# What runs that a daemon launches know of their code location; not public in 1.13.
from dagster._core.remote_origin import (
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from factories.alerts.incidents import Incident
from factories.alerts.occurrences import Occurrence
from factories.core.execution.failures import build_step_failure
from tests.factories.alerts.channels import Webhook
from tests.factories.alerts.conftest import DAY, AlertingLocation, Source, code_location, shop


def test_a_failed_run_is_told_once(location: AlertingLocation, webhook: Webhook) -> None:
    location.define(*shop(Source()))
    location.tick()
    run = location.run("orders")

    assert location.tick() == "1 sent, 1 open"
    assert location.tick() == "0 sent, 1 open"

    assert webhook.titles == ["[local] this code location: orders failed"]
    text = webhook.texts[0]
    assert "owners: team:sales" in text
    assert "LookupError: no such table: shop.orders" in text
    assert f"http://127.0.0.1:3000/runs/{run.run_id}" in text
    assert "DagsterExecutionStepExecutionError" not in text


def test_what_had_failed_before_is_no_news(location: AlertingLocation, webhook: Webhook) -> None:
    location.define(*shop(Source()))
    location.run()
    location.tick()
    location.tick()

    assert webhook.titles == []


def test_a_run_is_one_message_with_what_it_holds_back(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    location.run()
    location.tick()

    assert webhook.titles == ["[local] this code location: 2 failures"]
    assert "orders" in webhook.texts[0]
    assert "stores" in webhook.texts[0]
    assert "Not made because of this: report" in webhook.texts[0]


def test_an_incident_is_told_reminded_and_ended(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source()
    location.define(*shop(source))
    location.tick()
    for number in range(4):
        source.wrong = f"no answer after {number}.5 s, request 7f3a9c{number}e1"
        location.run("orders")
        location.tick()
    location.tick(after=DAY)
    source.wrong = ""
    location.run("orders")
    location.tick()
    source.wrong = "no answer after 9 s, request 00000000"
    location.run("orders")
    location.tick()

    name = "[local] this code location: orders"
    assert webhook.titles == [
        f"{name} failed",
        f"{name} still fails",
        f"{name} works again",
        f"{name} failed",
    ]
    assert "3 more times since the last message" in webhook.texts[1]
    assert [post["type"] for post in webhook.posts] == ["failure", "failure", "success", "failure"]


def test_another_error_is_another_incident(location: AlertingLocation, webhook: Webhook) -> None:
    source = Source()
    location.define(*shop(source))
    location.tick()
    for source.wrong in ("no such table", "access denied"):
        location.run("orders")
        location.tick()

    assert len(webhook.posts) == 2


def test_a_thousand_failures_are_one_message(location: AlertingLocation, webhook: Webhook) -> None:
    location.define(*shop(Source()))
    location.tick()
    for number in range(1_000):
        run = location.instance.add_run(dg.DagsterRun("load", run_id=str(uuid.uuid4())))
        location.instance.report_run_failed(run, f"worker {number} was lost")
    location.tick()
    location.tick()

    assert webhook.titles == ["[local] this code location: job load failed"]
    assert "999 more times" in webhook.texts[0]


def test_a_thousand_different_failures_of_one_step_are_one_message(
    location: AlertingLocation, webhook: Webhook
) -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(f"table_{number}") for number in range(1_000)])
    def load():
        why = {dg.AssetKey(f"table_{n}"): f"{chr(97 + n % 20)} is missing" for n in range(1_000)}
        raise build_step_failure("1000 failed", why)

    location.define(load)
    location.tick()
    location.run()
    location.tick()

    assert webhook.titles == ["[local] this code location: 1000 failures"]
    assert "and 400 more" in webhook.texts[0]
    assert len(webhook.texts[0]) < 2_000


def test_long_errors_leave_room_for_what_else_a_message_says(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source("\n".join(f"a row that is wrong: {n}" for n in range(500)))))
    location.tick()
    run = location.run()
    location.tick()

    text = webhook.texts[0]
    assert len(text) <= 1_900
    for part in ("orders", "stores", "report", f"/runs/{run.run_id}"):
        assert part in text


def test_many_runs_at_once_are_one_message(location: AlertingLocation, webhook: Webhook) -> None:
    source = Source()
    location.define(*shop(source))
    location.tick()
    for source.wrong in ("a lock", "no space", "a timeout", "no route"):
        location.run("orders")
    location.tick()

    assert webhook.titles == ["[local] this code location: 4 failures"]
    assert "and 1 more" in webhook.texts[0]


def test_owners_have_their_routes_and_the_fallback_takes_the_rest(
    location: AlertingLocation, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALES_HOOK", f"{webhook.url}/sales")
    monkeypatch.setenv("EVERY_HOOK", f"{webhook.url}/rest")
    location.write("""
        base_url: https://dagster.example.com/
        routes:
          sales: {to: "${SALES_HOOK}", owners: "team:sales"}
          rest: {to: "${EVERY_HOOK}", fallback: true}
    """)
    location.define(*shop(Source()))
    location.tick()
    location.run()
    location.tick()

    assert webhook.titles_at("/hook/sales") == ["[local] this code location: orders failed"]
    assert webhook.titles_at("/hook/rest") == ["[local] this code location: stores failed"]
    assert "https://dagster.example.com/runs/" in webhook.texts[0]


def test_runs_of_other_code_locations_are_left_to_them(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.origin = code_location("shop")
    location.tick()
    for name in ("shop", "other"):
        repository = RemoteRepositoryOrigin(code_location(name), "__repository__")
        run = dg.DagsterRun(
            "load", str(uuid.uuid4()), remote_job_origin=RemoteJobOrigin(repository, "load")
        )
        location.instance.report_run_failed(location.instance.add_run(run), f"{name} was lost")
    location.tick()

    assert webhook.titles == ["[local] shop: job load failed"]
    assert "shop was lost" in webhook.texts[0]


def test_a_run_whose_events_cannot_be_read_is_told_and_hides_no_other(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    run = location.run("orders")
    with location.instance.event_log_storage.run_connection(run.run_id) as connection:
        later_version = db.text("UPDATE event_logs SET event = 'x' WHERE run_id = :run")
        connection.execute(later_version, {"run": run.run_id})
    location.run("stores")
    location.tick()

    assert webhook.titles == [
        "[local] this code location: a run of assets failed",
        "[local] this code location: stores failed",
    ]
    assert "the events of the run cannot be read" in webhook.texts[0]


def test_after_a_break_as_many_runs_are_read_as_there_is_time_for(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    for number in range(50):
        run = location.instance.add_run(dg.DagsterRun(f"job_{number}", run_id=str(uuid.uuid4())))
        location.instance.report_run_failed(run, "the worker was lost")
    location.now += 31
    said: list[str] = []
    while len(said) < 9 and (not said or "reads on" in said[-1]):
        seconds = itertools.count(location.now)
        said.append(location.tick(after=0, clock=seconds.__next__))

    assert [text.split(";")[0].split(", ")[1] for text in said] == ["20 open", "40 open", "50 open"]
    location.tick()
    assert all("failures" in title for title in webhook.titles)
    assert all(each.told for each in location.state.incidents.values())


def test_the_text_of_an_error_calls_nobody_in_a_chat(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source("mail to @everyone, ana@here.example.com")))
    location.tick()
    location.run("orders")
    location.tick()

    assert "mail to @\u200beveryone" in webhook.texts[0]


def test_a_route_for_another_target_sends_nothing(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.write("routes: {team: {to: '${TEAM_HOOK}', targets: prod}}")
    location.define(*shop(Source()))
    location.run()

    assert location.tick() == "no route of alerts.yaml is for the target local"
    assert webhook.posts == []


def test_the_fields_of_an_occurrence_are_those_of_an_incident() -> None:
    assert {field.name for field in dataclasses.fields(Occurrence)} - {"at", "times", "also"} <= {
        *Incident.model_fields
    }
