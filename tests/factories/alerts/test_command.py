"""`dp alerts`: trying a route, muting, and what is open."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from typer.testing import CliRunner

from factories.cli.main import build_app
from tests.factories.alerts.channels import Webhook
from tests.factories.alerts.conftest import NO_LOGS, AlertingLocation


def dp(*arguments: str) -> tuple[int, str]:
    """Call the command; return its status and what it says, as one line."""
    done = CliRunner().invoke(build_app(), [*arguments])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def project(
    location: AlertingLocation,
    monkeypatch: pytest.MonkeyPatch,
) -> AlertingLocation:
    folder = location.root / "code_locations" / "shop"
    folder.mkdir(parents=True)
    (folder / "alerts.yaml").write_text(
        "routes:\n"
        "  team: {to: '${TEAM_HOOK}'}\n"
        "  prod: {to: ['${PROD_HOOK}', '${TEAM_HOOK}'], targets: prod}\n"
    )
    monkeypatch.setenv("COLUMNS", "300")
    return location


def test_a_route_can_be_tried(project: AlertingLocation, webhook: Webhook) -> None:
    status, said = dp("alerts", "test", "team")
    assert (status, webhook.titles) == (0, ["[local] a test of the route team"])
    assert said.endswith("code_locations/shop/alerts.yaml: team/TEAM_HOOK: has taken the message")

    webhook.status = 500
    status, said = dp("alerts", "test", "prod")
    assert status == 1
    assert "prod/PROD_HOOK: ${PROD_HOOK} is not defined" in said
    assert said.endswith("2 channels not reached")
    assert "h00kpass" not in said


def test_an_unknown_route_is_refused(project: AlertingLocation) -> None:
    status, said = dp("alerts", "test", "taem")
    assert status == 1
    assert "there is no route 'taem'; did you mean 'team'? (routes: prod, team)" in said


def test_a_route_and_an_asset_are_muted_for_a_while(
    project: AlertingLocation,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {"why": "no such table"}

    @dg.asset
    def orders() -> None:
        if wrong["why"]:
            raise LookupError(wrong["why"])

    home = project.root / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(json.dumps(NO_LOGS))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    project.define(orders)
    with dg.DagsterInstance.from_config(str(home)) as project.instance:
        _mute_and_look(project, webhook, wrong)


def _mute_and_look(project: AlertingLocation, webhook: Webhook, wrong: dict[str, str]) -> None:
    project.tick()
    project.run()
    status, said = dp("alerts", "mute", "order", "--for", "2h")
    assert status == 1
    assert "'order' is neither a route nor an asset that has ever been run" in said
    assert "did you mean 'orders'?" in said
    assert dp("alerts", "mute", "orders", "--for", "soon")[1].endswith(
        "--for soon: must be a duration like 30s, 15m, 36h or 7d"
    )
    assert "a mute of 90d at most" in dp("alerts", "mute", "orders", "--for", "200w")[1]
    assert dp("alerts", "mute", "orders", "--for", "2h", "--reason", "known")[0] == 0
    project.tick()
    assert webhook.titles == []
    said = dp("alerts", "list")[1]
    assert "orders: LookupError: no such table" in said
    assert "nobody" in said
    assert "known" in said
    assert "not on this target" in said

    project.tick(after=3 * 3_600)  # it has ended, and the incident goes on
    assert webhook.titles == ["[local] this code location: orders failed"]
    wrong["why"] = ""
    dp("alerts", "mute", "team", "--for", "2h")
    project.run()
    assert "team is told again" in dp("alerts", "mute", "team", "--for", "0s")[1]
    project.tick()
    assert webhook.titles[1:] == ["[local] this code location: orders works again"]
    wrong["why"] = "no such table"
    project.run()
    project.tick()
    dp("alerts", "mute", "team", "--for", "5h")
    wrong["why"] = ""
    project.run()
    project.tick()
    assert len(webhook.titles) == 3
    project.tick(after=3 * 3_600)  # who was told that it failed is told that it works
    assert webhook.titles[3:] == ["[local] this code location: orders works again"]
    said = dp("alerts", "list")[1]
    assert "no incident is open" in said
    assert "last evaluated" not in said
    project.now -= 7 * 3_600
    project.tick()
    assert "this code location: the sensor `alerts` was last" in dp("alerts", "list")[1]


def test_a_project_without_alerts_says_so(
    location: AlertingLocation,
) -> None:
    assert "no code location has a code_locations/<location>/alerts.yaml" in dp("alerts", "list")[1]
