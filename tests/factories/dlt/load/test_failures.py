"""What fails at the edges of a load is tried again, spares the others, and leaves nothing open."""

from __future__ import annotations

from typing import Any

import pytest
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.snowflake.snowflake import SnowflakeClient
from requests import Session

from tests.factories.dlt.conftest import Project, materialized
from tests.factories.step_failures import failed_assets

pytestmark = pytest.mark.clients

# How often the function is called, a file tells; the first calls fail.
SHOP = """
    from pathlib import Path
    import dlt

    @dlt.source
    def shop(called, fails):
        with Path(called).open("a") as file:
            file.write("x")
        if len(Path(called).read_text()) <= fails:
            raise ConnectionError("not now")
        return dlt.resource([{"id": 1}], name="a"), dlt.resource([{"id": 1}], name="b")
"""
RETRIED = "defaults: {meta: {dagster: {retries: {max: 2, delay: 0s}}}}\n"


def shop(project: Project, resources: str, *, fails: int = 0, more: str = RETRIED) -> None:
    project.module(SHOP)
    called = project.root / "called"
    project.pipeline(
        f'source: {{python: "shop:shop", args: {{called: "{called}", fails: {fails}}}}}\n'
        f"{more}resources: {{{resources}}}"
    )


def calls(project: Project) -> int:
    return len((project.root / "called").read_text())


def test_source_that_cannot_be_built_is_tried_again_and_built_once_for_each(
    project: Project,
) -> None:
    shop(project, "a: {}, b: {}", fails=2)

    result = project.run()

    assert set(materialized(result)) == {"a", "b"}
    assert calls(project) == 2 + 2


def test_source_that_cannot_be_built_at_all_fails_once_for_all(project: Project) -> None:
    shop(project, "a: {}, b: {}", fails=9)

    result = project.run()

    assert not materialized(result)
    assert calls(project) == 3
    assert "2 of 2 resources failed.\na: ConnectionError: not now\nb: Conn" in project.failure()
    why = "ConnectionError: not now"
    assert failed_assets(result) == {"a": f"a: {why}", "b": f"b: {why}"}


def test_resource_that_the_source_lacks_spares_the_others(project: Project) -> None:
    shop(project, "c: {}, a: {}, b: {}", more="")

    result = project.run()

    assert set(materialized(result)) == {"a", "b"}
    assert "1 of 3 resources failed; the others are loaded" in project.failure()
    assert "c: the source has no resource 'c', but a, b" in project.failure()


def test_error_of_dlt_before_it_loads_is_tried_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialize, errors = SnowflakeClient.initialize_storage, ["connection lost"]

    def once(client: SnowflakeClient, *args: Any, **options: Any) -> None:
        if errors:
            raise DatabaseTransientException(Exception(errors.pop()))
        initialize(client, *args, **options)

    monkeypatch.setattr(SnowflakeClient, "initialize_storage", once)
    shop(project, "a: {}")

    result = project.run()

    assert set(materialized(result)) == {"a"}
    assert "a: DatabaseTransientException: connection lost" in project.messages()


@pytest.mark.parametrize(
    ("section", "key", "kind"),
    [
        ("load", "workers", "a whole number"),
        ("runtime", "request_timeout", "a number"),
        ("runtime", "log_level", "one of CRITICAL, ERROR, WARNING, INFO, DEBUG"),
    ],
)
def test_setting_that_is_wrong_with_a_variables_value_is_reported_without_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, section: str, key: str, kind: str
) -> None:
    monkeypatch.setenv("SETTING", "secret")
    shop(project, "a: {}", more=f'config: {{{section}: {{{key}: "${{SETTING}}"}}}}\n')

    project.run()

    reported = f"shop.yaml: config.{section}.{key}: the value of ${{SETTING}} must be {kind}"
    assert reported in project.failure()
    assert "secret" not in project.log()


def test_setting_that_is_wrong_in_the_environment_fails_this_run_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(project, "a: {}")
    with monkeypatch.context() as patch:
        patch.setenv("RUNTIME__REQUEST_TIMEOUT", "soon")
        project.run()
    assert "Configured value for field `request_timeout`" in project.failure()

    assert project.run().success


def test_files_of_a_load_are_gone_when_the_next_begins(project: Project) -> None:
    project.module("""
        import glob, os, tempfile
        import dlt

        @dlt.source
        def shop():
            @dlt.resource
            def a():
                yield {"id": 1}

            @dlt.resource
            def b():
                pattern = f"{tempfile.gettempdir()}/dp-dlt-{os.getpid()}-*/**/*"
                found = glob.glob(pattern, recursive=True)
                yield {"others": sum("/a." in path for path in found)}

            return a, b
    """)
    project.pipeline('source: {python: "shop:shop"}\nresources: {a: {}, b: {}}')

    project.run()

    assert project.rows("select others from {d}.b") == [(0,)]


def test_session_of_an_api_is_closed(
    project: Project, weather_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Session] = []

    def close(session: Session) -> None:
        closed.append(session)

    monkeypatch.setattr(Session, "close", close)
    project.pipeline(f"""
        source:
          rest_api:
            client: {{base_url: "{weather_url}", paginator: single_page}}
            resources: [{{name: stations, endpoint: {{path: stations, data_selector: data}}}}]
        resources: {{stations: {{}}}}
    """)

    assert project.run().success, project.failure()

    assert any("dlt" in str(session.headers["User-Agent"]) for session in closed)
