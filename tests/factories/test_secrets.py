"""No secret is left behind: by runs of each tool that succeed, and by runs that fail.

Every variable that may be secret holds a canary. Where a tool's own library or a server repeats it
in an error, that is what the masks are for.
"""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from factories.core.env_file import ENV_FILE, load_env_file
from factories.core.warehouse.names import warehouse_names
from factories.core.yaml.problems import format_problems
from factories.dbt.prepare import prepare
from factories.definitions import read_project
from factories.location_defaults import default_resources
from tests.conftest import WarehouseUnderTest
from tests.factories.alerts.conftest import AlertingLocation
from tests.factories.conftest import Source
from tests.factories.dbt.conftest import PROFILE
from tests.factories.dbt.forked_dbt import forked_dbt
from tests.factories.secret_watch import SecretWatch

pytestmark = [pytest.mark.clients]

TOKEN = "the warehouse's token"
SECRET = (
    *("SHOP_URL", "SHUT_URL", "MALFORMED_PASSWORD", "PARTS_PASSWORD"),  # of Sling
    *("API_URL", "API_TOKEN", "API_HEADER", "API_KEY", "DATABASE_URL", "CODE_TOKEN"),  # of dlt
    *("DBT_ENV_SECRET_PASSCODE", "VENDOR_TOKEN"),  # of dbt's profile, and of a macro
    "FEATURE_TOKEN",  # of a function of Snowpark
    *("SHUT_ALERTS", "OPEN_ALERTS"),
    # What no tool is to take here, and may still write with all else that it finds.
    *("SNOWFLAKE_PASSWORD", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "AWS_SECRET_ACCESS_KEY"),
)
FOLDERS = {"sling": "sling", "dlt": "dlt_pipelines", "dbt": "dbt", "snowpark": "snowpark"}
# Good ones and bad ones of each tool; what is bad says what it knows, as far as it can.
FILES = {
    "sling/connections.yaml": """
        connections:
          shop: "${SHOP_URL}"
          shut: {type: postgres, url: "${SHUT_URL}"}
          malformed: {type: postgres, url: "postgres://reader:${MALFORMED_PASSWORD}%zz@127.0.0.1:1/d"}
          parts: {type: postgres, host: 127.0.0.1, port: 1, user: a, password: "${PARTS_PASSWORD}"}
    """,
    "sling/good.yaml": """
        source: shop
        target: SNOWFLAKE
        defaults: {object: "secrets.{stream_table}", mode: full-refresh}
        streams: {secrets.good_orders: }
    """,
    **{
        f"sling/bad_{source}.yaml": f"""
            source: {source}
            target: SNOWFLAKE
            defaults: {{object: "secrets.{{stream_table}}", mode: full-refresh}}
            streams: {{secrets.bad_{source}: }}
        """
        for source in ("shop", "shut", "malformed", "parts")
    },
    **{
        f"dlt_pipelines/{name}_api.yaml": f"""
            pipeline: {name}_api
            dataset: secrets
            source:
              rest_api:
                client:
                  base_url: ${{API_URL}}
                  auth: {{type: bearer, token: "${{API_TOKEN}}"}}
                  headers: {{X-Key: "${{API_HEADER}}"}}
                resources:
                  - name: {name}_items
                    endpoint: {{path: {name}, params: {{key: "${{API_KEY}}"}}, data_selector: data}}
            resources: {{{name}_items: }}
        """
        for name in ("good", "bad")
    },
    "dlt_pipelines/database.yaml": """
        pipeline: database
        dataset: secrets
        source: {sql_database: {credentials: "${DATABASE_URL}", schema: shop}}
        resources: {bad_table: }
    """,
    "dlt_pipelines/code.py": """
        import dlt

        @dlt.source
        def code(token, fails):
            print("printed", token)
            rows = [{"id": 1}]
            def read():
                yield rows
                if fails:
                    raise PermissionError(f"{token} is not allowed")
            return dlt.resource(read, name="bad_code" if fails else "good_code")
    """,
    **{
        f"dlt_pipelines/{name}_code.yaml": f"""
            pipeline: {name}_code
            dataset: secrets
            source: {{python: "code:code", args: {{token: "${{CODE_TOKEN}}", fails: {fails}}}}}
            resources: {{{name}_code: }}
        """
        for name, fails in (("good", "false"), ("bad", "true"))
    },
    "dbt/dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        flags: {send_anonymous_usage_stats: false}
        on-run-start: >
          {% if execute %}{{ log('started with ' ~ env_var('VENDOR_TOKEN'), info=True) }}{% endif %}
    """,
    "dbt/profiles.yml": PROFILE.replace("{s}", "SECRETS")
    + "      passcode: \"{{ env_var('DBT_ENV_SECRET_PASSCODE') }}\"\n",
    "dbt/models/good_model.sql": "select 1 as id",
    # dbt keeps what `env_var` gives while it parses: not so while it executes.
    "dbt/models/bad_model.sql": """
        {% if execute %}
        {{ exceptions.raise_compiler_error(env_var('VENDOR_TOKEN') ~ ' is not allowed') }}
        {% endif %}
        select 1 as id
    """,
    "snowpark/area.yaml": """
        features:
          - name: good_features
            function: functions:good
            inputs: {}
            output: {table: ML.SECRETS.GOOD, mode: overwrite}
          - name: bad_features
            function: functions:bad
            inputs: {}
            output: {table: ML.SECRETS.BAD, mode: overwrite}
    """,
    "snowpark/functions.py": """
        import os

        def good(session, inputs):
            print("printed", os.environ["FEATURE_TOKEN"], session.connection._password)
            return session.sql("select column1 as id from values (1), (2)")

        def bad(session, inputs):
            raise PermissionError(os.environ["FEATURE_TOKEN"] + " is not allowed")
    """,
    "alerts.yaml": """
        routes:
          shut: {to: "${SHUT_ALERTS}"}
          open: {to: "${OPEN_ALERTS}"}
    """,
}


@dataclass
class Api:
    """A server whose items need a login, and which repeats the one that it refuses."""

    port: int
    posted: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/good"):
                self._answer(200, json.dumps({"data": [{"id": 1}]}))
            else:
                self._answer(403, f"refused: {self.path} {dict(self.headers)}")

        def do_POST(self) -> None:
            made.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(200, "{}")

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        made = Api(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


def canaries() -> dict[str, str]:
    return {name: f"canary{os.urandom(6).hex()}{name.lower()}" for name in SECRET}


def variables(canary: dict[str, str], shop_url: str, api: Api) -> dict[str, str]:
    """Each variable's value, with its canary in it."""
    server = f"127.0.0.1:{api.port}"
    return {
        **canary,
        "SHOP_URL": shop_url.replace("postgres:@", f"postgres:{canary['SHOP_URL']}@"),
        "SHUT_URL": f"postgres://reader:{canary['SHUT_URL']}@127.0.0.1:1/shop",
        "API_URL": f"http://reader:{canary['API_URL']}@{server}/",
        "DATABASE_URL": f"postgresql://reader:{canary['DATABASE_URL']}@127.0.0.1:1/shop",
        "SHUT_ALERTS": f"json://reader:{canary['SHUT_ALERTS']}@127.0.0.1:1/{canary['SHUT_ALERTS']}",
        "OPEN_ALERTS": f"json://reader:{canary['OPEN_ALERTS']}@{server}/",
    }


@dataclass
class Canaries:
    """A project of all tools that has run, and what was found.

    Attributes:
        root: The project folder.
        watch: What was found, and where.
        instance: Dagster's, on disk.
        api: What the sources and the alerts talk to.
        assets: Of all tools.
    """

    root: Path
    watch: SecretWatch
    instance: dg.DagsterInstance
    api: Api
    assets: list[Any]

    def run(self, kind: str) -> dict[str, str]:
        """Materialize the assets of a kind; return the error of each step that failed."""
        keys = [
            key
            for asset in self.assets
            if isinstance(asset, dg.AssetsDefinition)
            for key in asset.keys
            if key.path[-1].startswith(kind)
        ]
        result = dg.materialize(
            self.assets,
            selection=keys,
            instance=self.instance,
            resources=self.resources(),
            raise_on_error=False,
        )
        for event in self.instance.all_logs(result.run_id):
            self.watch.read_text(f"an event of {kind}", f"{event.user_message} {event!r}")
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        for snapshot in (
            self.instance.get_job_snapshot(str(run.job_snapshot_id)),
            self.instance.get_execution_plan_snapshot(str(run.execution_plan_snapshot_id)),
        ):
            self.watch.read_text("a snapshot", dg.serialize_value(snapshot))
        return {
            event.step_key: event.step_failure_data.error_display_string
            for event in result.all_events
            if event.is_step_failure
        }

    def resources(self) -> dict[str, Any]:
        folder = self.root / "dbt"
        return default_resources(warehouse_names(), sling="sling", dbt_folders=[folder])

    def alerting(self) -> AlertingLocation:
        """The same assets, with alerts of what fails from now on."""
        location = AlertingLocation(self.root, self.instance, time.time())
        location.write(FILES["alerts.yaml"])
        location.define(*self.assets, resources=self.resources())
        location.tick(0.0)
        return location


@pytest.fixture(scope="module")
def project(
    api: Api, postgres: str, warehouse: WarehouseUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Canaries]:
    root = tmp_path_factory.mktemp("secrets")
    canary = canaries()
    Source(postgres, "secrets").execute(
        "create schema {s}", "create table {s}.good_orders as select 1 as id"
    )
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
    lines = [f"{name}={value}\n" for name, value in variables(canary, postgres, api).items()]
    (root / ENV_FILE).write_text("".join(lines))
    home = root / "dagster"
    home.mkdir()
    environment: dict[str, str] = {}
    load_env_file(root, environment)
    with pytest.MonkeyPatch.context() as patch, forked_dbt():
        patch.setenv("DP_PROJECT_DIR", str(root))
        patch.setenv("DP_PREPARE_DBT", "1")
        for name, value in environment.items():
            patch.setenv(name, value)
        watch = SecretWatch({**canary, TOKEN: str(warehouse.settings["password"])})
        with watch.watching(), dg.DagsterInstance.from_config(str(home)) as instance:
            prepare(root / "dbt", warehouse_names())
            load_context, assets = read_project(**FOLDERS)
            assert not load_context.problems, format_problems(load_context.problems)
            yield Canaries(root, watch, instance, api, assets)


def test_no_secret_is_left_behind(
    project: Canaries, warehouse: WarehouseUnderTest, capfd: pytest.CaptureFixture[str]
) -> None:
    assert project.run("good") == {}
    alerting = project.alerting()
    failed = project.run("bad")
    alerting.tick()

    assert {*failed} == {
        "dbt__shop",
        *("dlt__bad_api", "dlt__bad_code", "dlt__database"),
        *(f"sling__bad_{source}" for source in ("malformed", "parts", "shop", "shut")),
        "snowpark_tables__area",
    }
    watch = project.watch
    watch.read_text("what this process printed", "".join(capfd.readouterr()))
    watch.read_text("errors", json.dumps(failed))
    watch.read_text("alerts", json.dumps(project.api.posted))
    assert len(project.api.posted) > 0
    watch.read_folder(project.root, passing_over=frozenset({ENV_FILE}))
    watch.read_folder(Path(tempfile.gettempdir()))
    watch.read_folder(Path(os.environ["DP_LOCAL_DIR"]), passing_over=frozenset({"server.json"}))
    assert watch.found == {}
    watch.read_folder(project.root)
    assert [*watch.found] == [str(project.root / ENV_FILE)]
