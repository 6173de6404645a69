"""Mistakes in an `alerts.yaml`, each at its place."""

from __future__ import annotations

import sys

import dagster as dg
import pytest

from factories.alerts.config import Alerts, read_alerts, runtime_problems
from factories.cli.checking.alerts import alerts_problems
from factories.cli.location_report import report_location
from factories.core.yaml.problems import ConfigError, Problem
from factories.definitions import build_definitions
from tests.factories.conftest import YamlProject

SECRET = (
    "the address of a channel is a secret: put it into an environment variable, and write ${NAME}"
    " here"
)
ONE = "routes: {team: {to: '${TEAM_HOOK}'}}"


def read(project: YamlProject, text: str) -> tuple[Alerts | None, list[str]]:
    project.write("alerts.yaml", text)
    problems: list[Problem] = []
    alerts = read_alerts("alerts.yaml", project.root, problems)
    return alerts, [str(problem) for problem in problems]


def test_a_file_with_every_key_is_read(yaml_project: YamlProject) -> None:
    alerts, problems = read(
        yaml_project,
        """
        base_url: ${DAGSTER_URL}
        remind_every: 12h
        watch: platform
        silent_after: 5m
        routes:
          sales:
            to: ["${SALES_SLACK}", "${SALES_MAIL}"]
            owners: ["team:sales", ana@example.com]
            assets: group:sales or key:"shop/*"
            code_locations: [ingestion]
            targets: [prod]
            severity: error
            events: [run_failed, asset_recovered]
            remind_every: 2h
          rest: {to: "${EVERY_SLACK}", fallback: true}
        """,
    )
    assert problems == []
    assert alerts is not None
    assert alerts.variables == {"SALES_SLACK", "SALES_MAIL", "EVERY_SLACK"}
    assert [*alerts.active_routes()] == ["rest"]
    assert alerts.base_url({}) == "http://127.0.0.1:3000"
    assert alerts.base_url({"DAGSTER_URL": "https://d.example.com"}) == "https://d.example.com"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "routes: {team: {to: 'slack://T0K3N/B/C'}}",
            f"1:21: to: {SECRET}",
        ),
        (
            "routes: {team: {to: 'mailto://u:${PASSWORD}@h.com'}}",
            f"1:21: to: {SECRET}",
        ),
        (
            "routes: {team: {to: $TEAM_HOOK}}",
            "1:21: to: a variable is written ${TEAM_HOOK}",
        ),
        (
            "routes: {team: {to: '${TEAM_HOOK:-x}'}}",
            (
                "1:21: to: '${TEAM_HOOK:-x}' is not the name of a variable; did you mean"
                " '${TEAM_HOOK}'?"
            ),
        ),
        (
            f"base_url: dagster.example.com\n{ONE}",
            (
                "1:11: base_url: 'dagster.example.com' is not an address like"
                " https://dagster.example.com"
            ),
        ),
        (f"base_url: $DAGSTER_URL\n{ONE}", "1:11: base_url: a variable is written ${DAGSTER_URL}"),
        (
            "routes: {team: {to: '${A}', events: []}}",
            "1:16: team: asset_recovered follows another event, which the route must have too",
        ),
        (
            "routes: {team: {to: '${A}', severity: critical, events: run_failed}}",
            "1:16: team: none of its events is ever told as critical",
        ),
        (
            "routes: {team: {to: '${A}', events: [run_failed, daemon_silent]}}",
            "1:50: daemon_silent is only told with watch: platform",
        ),
        (
            "watch: platform\nroutes: {team: {to: '${A}', assets: '*'}}",
            (
                "1:8: watch: platform, and no route takes what it adds: it concerns no asset or"
                " owner"
            ),
        ),
        (
            "routes: {team: {to: '${A}, ${B}'}}",
            "1:21: to: write several as a list: [${A}, ${B}]",
        ),
        (
            f"remind_every: 30s\n{ONE}",
            "1:15: remind_every: a reminder comes every five minutes at most",
        ),
        (
            "routes: {Team A: {to: '${A}'}}",
            (
                "1:18: Team A: 'Team A' is not a route's name: lower-case letters, digits, '-' and"
                " '_'"
            ),
        ),
        ("routes: {team: {to: []}}", "1:21: to: must not be empty"),
        ("routes: {team: {owners: 'team:a'}}", "1:10: the key 'to' is missing"),
        ("routes: {}", "1:9: routes: must not be empty"),
        ("remind_every: 1h", "1:1: the key 'routes' is missing"),
        (
            "routes: {team: {to: '${A}', events: [run_faild]}}",
            (
                "1:38: events[0]: 'run_faild' is not one of the allowed values; did you mean"
                " 'run_failed'? (allowed: run_failed, step_failed, attempt_failed, check_failed,"
                " freshness_violated, asset_recovered, evaluation_failed, location_not_loading,"
                " daemon_silent)"
            ),
        ),
        (
            "routes: {team: {to: '${A}', events: asset_recovered}}",
            "1:16: team: asset_recovered follows another event, which the route must have too",
        ),
        (
            "routes: {team: {to: '${A}', severity: eror}}",
            (
                "1:39: severity: 'eror' is not one of the allowed values; did you mean 'error'?"
                " (allowed: warning, error, critical)"
            ),
        ),
        (
            "routes: {team: {to: '${A}', owner: 'team:a'}}",
            (
                "1:29: unknown key 'owner'; did you mean 'owners'? (allowed: to, owners, assets,"
                " code_locations, targets, severity, events, fallback, remind_every)"
            ),
        ),
        (
            "routes: {team: {to: '${A}', owners: sales}}",
            "1:37: owners: 'sales' is neither an email address nor team:NAME",
        ),
        ("routes: {team: {to: '${A}', selection: '*'}}", "1:29: 'selection' is called assets"),
        (
            "routes: {team: {to: '${A}', fallback: true, owners: 'team:a'}}",
            "1:16: team: a fallback takes what is left, whoever owns it: leave out owners",
        ),
        (
            "routes: {team: {to: '${A}', assets: 'grp:x and'}}",
            "1:37: assets: Syntax error at line 1, column 0: mismatched input 'grp'",
        ),
        (
            "routes: {team: {to: '${A}', remind_every: often}}",
            "1:43: remind_every: must be a duration like 30s, 15m, 36h or 7d",
        ),
        (
            f"remind_every: 99999999999999d\n{ONE}",
            "1:15: remind_every: '99999999999999d' is longer than any time can be",
        ),
        (
            f"silent_after: 30s\n{ONE}",
            "1:1: silent_after must be two minutes at least: sensors run every 30 s",
        ),
        (f"silent_after: 5m\n{ONE}", "1:1: silent_after goes with watch: platform"),
        (
            f"watch: plattform\n{ONE}",
            (
                "1:8: watch: 'plattform' is not one of the allowed values; did you mean 'platform'?"
                " (allowed: runs, platform)"
            ),
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(yaml_project: YamlProject, text: str, problem: str) -> None:
    alerts, problems = read(yaml_project, text)
    assert problems == [f"alerts.yaml:{problem}"]
    assert alerts is None
    assert "T0K3N" not in problems[0]


LOCATION = """
    import dagster as dg
    from factories import build_definitions

    @dg.asset(owners=["team:sales"])
    def orders() -> None: ...

    defs = build_definitions(assets=[orders], alerts="alerts.yaml")
"""


def build(project: YamlProject, text: str) -> dg.Definitions:
    project.write("alerts.yaml", text)

    @dg.asset(owners=["team:sales"])
    def orders() -> None: ...

    return build_definitions(assets=[orders], alerts="alerts.yaml")


def test_a_location_has_a_sensor_that_is_on(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = build(yaml_project, ONE).get_repository_def().get_sensor_def("alerts")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30
    assert sensor.description
    assert "alerts.yaml" in sensor.description
    for_prod = "routes: {team: {to: '${TEAM_HOOK}', targets: prod}}"
    sensor = build(yaml_project, for_prod).get_repository_def().get_sensor_def("alerts")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    monkeypatch.setenv("DP_ALERTS", "off")
    sensor = build(yaml_project, ONE).get_repository_def().get_sensor_def("alerts")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED


def test_owners_and_selections_that_concern_nothing_are_refused(
    yaml_project: YamlProject,
) -> None:
    with pytest.raises(ConfigError) as raised:
        build(
            yaml_project,
            """
            routes:
              one: {to: "${A}", owners: ["team:sales", "team:sale"]}
              two: {to: "${A}", assets: "key:order"}
              all: {to: "${A}", assets: "key:order*"}
              far: {to: "${A}", assets: "key:order", code_locations: ml}
            """,
        )
    assert [str(problem) for problem in raised.value.problems] == [
        (
            "alerts.yaml:2:44: no asset of this code location has the owner 'team:sale'; did you"
            " mean 'team:sales'? (allowed: team:sales)"
        ),
        (
            "alerts.yaml:3:29: assets: 'key:order' selects no asset of this code location; did you"
            " mean 'orders'?"
        ),
    ]


def test_a_missing_file_and_a_second_sensor_of_the_name_are_refused(
    yaml_project: YamlProject,
) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: the file does not exist"):
        build_definitions(alerts="none.yaml")
    yaml_project.write("alerts.yaml", ONE)

    @dg.sensor(name="alerts")
    def own() -> None: ...

    with pytest.raises(ConfigError, match="two schedules or sensors are named 'alerts'"):
        build_definitions(alerts="alerts.yaml", sensors=[own])


def test_the_check_names_the_variables_that_the_target_lacks_and_loading_does_not(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_SLACK", "not a url")
    monkeypatch.delenv("TEAM_HOOK", raising=False)
    monkeypatch.syspath_prepend(str(yaml_project.root))
    yaml_project.write("alerting_location.py", LOCATION)
    yaml_project.write(
        "alerts.yaml",
        """
        routes:
          team: {to: ["${TEAM_HOOK}", "${TEAM_SLACK}"]}
          prod: {to: "${PROD_HOOK}", targets: prod}
          alone: {to: "${TEAM_MAIL}"}
        """,
    )
    report = report_location("alerting_location")
    assert [asset.key for asset in report.assets] == ["orders"]
    assert [str(problem) for problem in report.problems] == [
        (
            "alerts.yaml:2:15: ${TEAM_HOOK} is not defined in the environment, and the target local"
            " needs it; did you mean 'TEAM_SLACK'?"
        ),
        "alerts.yaml:2:31: ${TEAM_SLACK} holds no URL that apprise knows",
        (
            "alerts.yaml:4:15: ${TEAM_MAIL} is not defined in the environment, and the target local"
            " needs it; did you mean 'TEAM_SLACK'?"
        ),
    ]
    sys.modules.pop("alerting_location")


def test_an_address_is_not_shown_by_what_is_wrong_with_it(yaml_project: YamlProject) -> None:
    alerts, _ = read(yaml_project, ONE)
    assert alerts is not None
    found = list(runtime_problems(alerts, {"TEAM_HOOK": "slak://T0K3N/B/C"}))
    assert "T0K3N" not in str(found)
    assert len(found) == 1


def test_files_are_read_by_a_location_one_watches_the_platform_and_routes_name_what_exists(
    yaml_project: YamlProject,
) -> None:
    for name in ("a", "b"):
        yaml_project.write(f"code_locations/{name}/alerts.yaml", f"watch: platform\n{ONE}")
    far = "routes: {team: {to: '${TEAM_HOOK}', code_locations: ingestoin}}"
    yaml_project.write("code_locations/c/alerts.yaml", far)
    used = [f"code_locations/{name}/alerts.yaml" for name in ("a", "b")]
    found = alerts_problems(yaml_project.root, ["ingestion", "ml"], used)
    assert [str(problem) for problem in found] == [
        (
            "code_locations/b/alerts.yaml:1:8: code_locations/a/alerts.yaml watches the platform"
            " already: each would tell the same"
        ),
        (
            "code_locations/c/alerts.yaml: no code location reads it:"
            ' build_definitions(alerts="code_locations/c/alerts.yaml")'
        ),
        (
            "code_locations/c/alerts.yaml:1:53: there is no code location 'ingestoin'; did you mean"
            " 'ingestion'? (allowed: ingestion, ml)"
        ),
    ]


def test_of_a_file_that_a_location_which_does_not_load_may_read_the_variables_are_checked(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_HOOK", raising=False)
    yaml_project.write("code_locations/a/alerts.yaml", ONE)
    (problem,) = alerts_problems(yaml_project.root, ["a"], [], all_loaded=False)
    assert (problem.file, problem.variable) == ("code_locations/a/alerts.yaml", "TEAM_HOOK")
