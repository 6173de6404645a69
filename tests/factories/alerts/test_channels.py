"""Channels that are down, mail, secrets, and what outlives a restart."""

from __future__ import annotations

import tempfile

import dagster as dg
import pytest
import sqlalchemy as db

from factories.alerts.sensor import ObservingError
from tests.factories.alerts.channels import Mailbox, Webhook
from tests.factories.alerts.conftest import DAY, NO_LOGS, AlertingLocation, Source, shop


def test_a_channel_that_is_down_is_told_everything_later_the_oldest_first(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source("first")
    location.define(*shop(source))
    location.tick()
    webhook.status = 500
    location.run("orders")
    assert location.tick().startswith("0 sent, 1 open, 1 waiting; team/TEAM_HOOK is down: ")
    source.wrong = "second"
    location.run("stores")
    location.tick()
    source.wrong = ""
    location.run("stores")
    location.tick()
    assert webhook.refused == 2  # it is not asked each time
    webhook.status = 200
    location.tick(after=600)

    assert webhook.titles == [
        "[local] this code location: orders failed",
        "[local] this code location: stores failed; it works again",
    ]
    assert "h00kpass" not in location.state.model_dump_json()


def test_nothing_is_lost_or_told_twice_across_a_restart(
    location: AlertingLocation, webhook: Webhook
) -> None:
    source = Source("before")
    location.define(*shop(source))
    with tempfile.TemporaryDirectory() as folder:
        with dg.DagsterInstance.local_temp(folder, overrides=NO_LOGS) as instance:
            reference = instance.get_ref()
            location.instance = instance
            location.tick()
            location.run("orders")
            location.tick()
            webhook.status = 500
            source.wrong = "during"
            location.run("stores")
            location.tick()
        with dg.DagsterInstance.from_ref(reference) as instance:
            location.instance = instance
            source.wrong = "while nobody looks"
            location.run("stores")
            webhook.status = 200
            location.tick(after=DAY / 2)
            location.tick()

    causes = ["before", "during", "while nobody looks"]
    assert len(webhook.texts) == len(causes)
    for text, cause in zip(webhook.texts, causes, strict=True):
        assert f"LookupError: {cause}" in text


def test_secrets_never_reach_a_channel(
    location: AlertingLocation, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cr3t-of-shop")
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:another-secret@db.example.com/shop")
    text = (
        "cannot reach postgresql://reader:another-secret@db.example.com or https://u:third@h/x:"
        f" s3cr3t-of-shop, Authorization: Bearer abc.def-123, api_key='fourth'; {webhook.url}"
    )
    location.define(*shop(Source(text)))
    location.tick()
    location.run("orders")
    location.tick()

    sent = webhook.texts[0]
    for secret in ("s3cr3t", "another-secret", "third", "abc.def", "fourth", "h00kpass"):
        assert secret not in sent
        assert secret not in location.state.model_dump_json()
    assert "db.example.com" in sent


def test_a_variable_that_is_not_set_is_told_of_and_nothing_is_lost(
    location: AlertingLocation, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_HOOK")
    location.define(*shop(Source()))
    location.tick()
    location.run("orders")
    said = "0 sent, 1 open, 1 waiting; skips team/TEAM_HOOK: ${TEAM_HOOK} is not defined"
    assert location.tick() == said
    monkeypatch.setenv("TEAM_HOOK", webhook.url)
    location.tick(after=600)

    assert webhook.titles == ["[local] this code location: orders failed"]


def test_mail_arrives(
    location: AlertingLocation, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_HOOK", mailbox.url)
    location.define(*shop(Source()))
    location.tick()
    location.run("orders")

    assert location.tick() == "1 sent, 1 open"
    mail = mailbox.mails[0]
    assert mail["Subject"] == "[local] this code location: orders failed"
    text = mail.as_string()
    assert "no such table" in text
    assert "dagster@example.com" in mail["From"]


def test_one_address_that_is_down_does_not_keep_the_other_waiting(
    location: AlertingLocation, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_HOOK", f"json://127.0.0.1:9/?cto=1 {webhook.url}")
    location.define(*shop(Source()))
    location.tick()
    location.run("orders")
    assert location.tick().startswith("1 sent, 1 open, 1 waiting; team/TEAM_HOOK#1 is down: ")
    location.tick(after=600)

    assert len(webhook.posts) == 1


def test_what_cannot_be_observed_hides_nothing_else_and_fails_the_evaluation(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("orders"), check_name="has_rows", passed=True, metadata={}
    )
    location.instance.report_runless_asset_event(evaluation)
    with location.instance.event_log_storage.run_connection("") as connection:
        connection.execute(db.text("UPDATE event_logs SET event = 'x' WHERE run_id = ''"))
    location.run("orders")
    with pytest.raises(ObservingError, match="DagsterEventLogInvalidForRun"):
        location.tick()

    assert webhook.titles == ["[local] this code location: orders failed"]


def test_a_stored_state_that_cannot_be_read_is_begun_anew(
    location: AlertingLocation, webhook: Webhook
) -> None:
    location.define(*shop(Source()))
    location.tick()
    key = "dp/alerts/local/this code location"
    location.instance.daemon_cursor_storage.set_cursor_values({key: '{"location": 7}'})
    location.tick()
    location.run("orders")
    location.tick()

    assert len(webhook.posts) == 1
