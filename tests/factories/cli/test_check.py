"""`dp check`: every code location in its own process, and the graph that they make together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from factories.cli.check import check_project
from factories.cli.location_report import AssetReport, LocationReport, report_location
from factories.cli.repository_facts import RepositoryFacts
from factories.cli.workspace import CodeLocation, read_workspace
from factories.core.yaml.problems import Problem
from tests.factories.conftest import YamlProject

DP = str(Path(sys.prefix) / "bin" / "dp")


class Workspace:
    """A project whose workspace names modules of the project's own."""

    def __init__(self, project: YamlProject, environ: Mapping[str, str]) -> None:
        self.project = project
        self.environ = {**environ, "DP_PROJECT_DIR": str(project.root)}

    def locations(self, **modules: str) -> None:
        """Write each module, and a workspace that names them all."""
        lines = ["load_from:"]
        for name, text in modules.items():
            self.project.write(f"{name}_defs.py", text)
            lines += [
                "  - python_module:",
                f"      module_name: {name}_defs",
                f"      location_name: {name}",
                f"      executable_path: {sys.executable}",
            ]
        self.project.write("workspace.yaml", "\n".join(lines) + "\n")
        self.project.write("dagster.yaml", "concurrency: {pools: {default_limit: 1}}\n")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.project.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def check(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(DP, "check", *options)


@pytest.fixture
def workspace(yaml_project: YamlProject) -> Workspace:
    return Workspace(yaml_project, os.environ)


SLING_LOCATION = """
from factories.definitions import build_definitions
defs = build_definitions(sling="sling")
"""


def dagster_location(key: str, *deps: str) -> str:
    """A location of one asset, with its place in `<first part>.yaml:7`."""
    return textwrap.dedent(f"""
        import dagster as dg
        place = dg.LocalFileCodeReference(file_path=__file__, line_number=7)
        references = dg.CodeReferencesMetadataValue(code_references=[place])
        spec = dg.AssetSpec(
            dg.AssetKey({key.split("/")!r}),
            deps={[dep.split("/") for dep in deps]!r},
            metadata={{"dagster/code_references": references}},
        )
        @dg.multi_asset(specs=[spec])
        def load(): ...
        defs = dg.Definitions(assets=[load])
    """)


# --- the command ---


def test_a_good_project_exits_0(workspace: Workspace) -> None:
    workspace.project.replication("public.orders:\npublic.items:")
    workspace.locations(ingestion=SLING_LOCATION)
    done = workspace.check()
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "2 assets, no problems\n",
        "target: local\n",
    )


def test_all_problems_of_all_files_and_locations_at_once(workspace: Workspace) -> None:
    project = workspace.project
    project.write("sling/connections.yaml", "connections:\n  shop: {type: postgers, url: x}\n")
    project.write("sling/broken.yaml", "source: shop\ntarget: [SNOWFLAKE\nstreams: {}\n")
    project.replication(
        """
        public.orders: {mode: incremantal}
        public.orders: {mode: incremental, primary_key: [id]}
        public.items:
          meta: {dagster: {partition: {type: daily, start: 2013-13-01}, owners: [ana]}}
        """
    )
    workspace.locations(ingestion=SLING_LOCATION, ml="import nowhere_to_be_found\n")
    done = workspace.check()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == textwrap.dedent("""\
        target: local
        6 problems in the configuration:
          ml_defs.py:1:1: ml_defs cannot be loaded: ModuleNotFoundError: No module named 'nowhere_to_be_found'
          sling/broken.yaml:3:8: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence that starts on line 2
          sling/connections.yaml:2:16: 'postgers' is not a connection type of Sling; did you mean 'postgres'? (allowed: athena, azure, b2, bigquery, bigtable, clickhouse, d1, databricks, db2, dropbox, duckdb, ducklake and 26 more)
          sling/shop.yaml:6:3: duplicate key 'public.orders': also on line 5
          sling/shop.yaml:8:54: start: '2013-13-01' is not a date like 2013-01-01 or 2013-01-01T06:00
          sling/shop.yaml:8:76: owners[0]: 'ana' is neither an email address nor team:NAME
    """)  # noqa: E501 - the output as it is


def test_json_holds_the_same_problems(workspace: Workspace) -> None:
    workspace.project.replication("public.orders: {mod: truncate}")
    workspace.locations(ingestion=SLING_LOCATION)
    done = workspace.check("--json")
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["allowed"][:2] == ["object", "mode"]
    assert {key: problem[key] for key in ("file", "line", "column", "message", "nearest")} == {
        "file": "sling/shop.yaml",
        "line": 5,
        "column": 19,
        "message": "unknown key 'mod'",
        "nearest": "mode",
    }


def test_a_key_of_two_locations_and_a_dep_of_none(workspace: Workspace) -> None:
    workspace.project.replication(
        "public.orders:\npublic.items: {meta: {dagster: {deps: [shop/raw/ordres]}}}"
    )
    workspace.locations(
        ingestion=SLING_LOCATION,
        shop=dagster_location("shop/raw/orders", "shop/raw/itms"),
    )
    done = workspace.check()
    assert done.returncode == 1
    assert done.stderr == textwrap.dedent("""\
        target: local
        3 problems in the configuration:
          shop_defs.py:7:1: shop/raw/orders depends on shop/raw/itms, which nothing produces; did you mean 'shop/raw/items'?
          shop_defs.py:7:1: the asset key shop/raw/orders is produced by the location shop here and by ingestion at sling/shop.yaml:5
          sling/shop.yaml:6:1: shop/raw/items depends on shop/raw/ordres, which nothing produces; did you mean 'shop/raw/orders'?
    """)  # noqa: E501 - the output as it is


WRONG_TOGETHER = """
import dagster as dg
from factories.core.warehouse.names import warehouse_names
from factories.location_defaults import default_resources
table = {"dagster/table_name": "RAW.SHOP.ORDERS"}
specs = [dg.AssetSpec(key, deps=["orders"], metadata=table) for key in ("one", "two")]

@dg.multi_asset(specs=specs, pool="crm", required_resource_keys={"snowpark"})
def load(): ...

@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def days(): ...

@dg.asset(deps=[days], partitions_def=dg.StaticPartitionsDefinition(["eu"]))
def regions(): ...

resources = default_resources(warehouse_names())
defs = dg.Definitions(assets=[load, days, regions], resources=resources)
"""


def test_a_location_that_does_not_load_hides_no_problem_of_the_others(
    workspace: Workspace,
) -> None:
    project = workspace.project
    workspace.environ = {**workspace.environ, "DP_TARGET": "pr_12"}
    needed = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_AUTHENTICATOR")
    for name in (*needed, "SHOP_URL"):
        workspace.environ.pop(name, None)
    workspace.environ["SNOWFLAKE_USER"] = "service"
    project.replication("public.orders:\npublic.items:")
    project.write("code_locations/ml/alerts.yaml", "routes: {a: {to: '${SHOP_URL}'}}")
    project.write("docs/reference/yaml.md", "# YAML reference\n\nOf yesterday.\n")
    workspace.locations(ingestion=SLING_LOCATION, ml=WRONG_TOGETHER)
    project.write("dagster.yaml", "telemetry: {enabled: false}\n")
    done = workspace.check("--format", "github")
    assert (done.returncode, done.stderr) == (
        1,
        "target: pr_12, whose databases end with __PR_12\n",
    )
    told = [line.split("::", 2)[2].partition(": Upstream")[0] for line in done.stdout.splitlines()]
    assert told == [
        (
            "code_locations/ml/alerts.yaml:1:18: ${SHOP_URL} is not defined in the environment, and"
            " the target pr_12 needs it; also needed at sling/connections.yaml:2"
        ),
        (
            "docs/reference/yaml.md:3:1: is not what the models of the YAML say: run `dp docs`, and"
            " commit it"
        ),
        (
            "ml_defs.py: the pool crm has no limit: set concurrency.pools.default_limit in"
            " dagster.yaml, or `dagster instance concurrency set crm 1`"
        ),
        (
            "workspace.yaml: SNOWFLAKE_ACCOUNT is not defined in the environment, and the target"
            " pr_12 needs it for ml"
        ),
        (
            "workspace.yaml: SNOWFLAKE_PRIVATE_KEY_PATH (or SNOWFLAKE_AUTHENTICATOR) is not defined"
            " in the environment, and the target pr_12 needs it for ml"
        ),
        (
            "workspace.yaml: the partitions of regions do not fit those of days, which it depends"
            " on (workspace.yaml)"
        ),
        (
            "workspace.yaml: the table RAW.SHOP.ORDERS is made by two of the location ml here and"
            " by one of ml at workspace.yaml: each would overwrite what the other loaded"
        ),
    ]


def test_a_workspace_that_is_missing_or_wrong(yaml_project: YamlProject) -> None:
    assert [str(problem) for problem in check_project()[1]] == [
        "workspace.yaml: cannot be read: No such file or directory"
    ]
    yaml_project.write(
        "workspace.yaml",
        """
        load_from:
          - python_module: {module_name: m, location_name: a, executable_path: .venvs/a/bin/python}
          - python_module: {module_name: m, location_name: b}
        """,
    )
    assert [str(problem) for problem in check_project()[1]] == [
        "workspace.yaml:3:5: the key 'executable_path' is missing"
    ]


def test_a_missing_environment_says_how_to_make_it(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "workspace.yaml",
        """
        load_from:
          - python_module: {module_name: m, location_name: a, executable_path: .venvs/a/bin/python}
        """,
    )
    assert [str(problem) for problem in check_project()[1]] == [
        "workspace.yaml: a cannot be loaded: its environment is missing, run `make setup`"
    ]


# --- what Dagster shows ---


def test_dagsters_own_command_shows_the_report_and_no_traceback(workspace: Workspace) -> None:
    workspace.project.replication("public.orders: {mod: truncate}")
    workspace.locations(ingestion=SLING_LOCATION)
    dagster = str(Path(sys.prefix) / "bin" / "dagster")
    done = workspace.run(dagster, "definitions", "validate", "-m", "ingestion_defs")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "sling/shop.yaml:5:19: unknown key 'mod'; did you mean 'mode'?" in output
    assert "Traceback" not in output
    assert "Stack Trace" not in output


# --- one location's report ---


def test_a_report_survives_json() -> None:
    report = LocationReport(
        [AssetReport("a/b", "sling/a.yaml", 3, True, ["c"], mappings={"c": "{}"})],
        [Problem("a.yaml", 1, 2, "no", ("x", "y"), "x"), Problem("b.yaml", 0, 0, "none")],
        needs=RepositoryFacts({"pool": "a/b"}, {"TOKEN": ["crm"]}, uses_warehouse=True),
    )
    assert LocationReport.from_json(report.to_json()) == report


def load(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> LocationReport:
    project.write(f"{name}.py", text)
    monkeypatch.syspath_prepend(str(project.root))
    return report_location(name)


def test_a_location_reports_its_assets_with_their_places(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml_project.replication("public.orders: {meta: {dagster: {deps: [erp/raw/customers]}}}")
    report = load(yaml_project, monkeypatch, "good_location", SLING_LOCATION)
    assert report.problems == []
    assert sorted(report.assets, key=lambda asset: asset.key) == [
        AssetReport(
            "shop/raw/orders",
            "sling/shop.yaml",
            5,
            True,
            ["shop/src/orders", "erp/raw/customers"],
            group="shop",
            kinds=["sling", "snowflake"],
            table="RAW.SHOP.ORDERS",
        ),
        AssetReport("shop/src/orders", "", 0, False, [], group="shop", kinds=["postgres"]),
    ]
    assert report.file == "good_location.py"
    assert report.needs == RepositoryFacts({"sling_shop": "shop/raw/orders"}, uses_warehouse=True)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "raises",
            "def f():\n    raise KeyError('x')\nf()\n",
            "raises.py:2:1: raises cannot be loaded: KeyError: 'x'",
        ),
        ("syntax", "a = 1\nb = = 2\n", "syntax.py:2:1: syntax cannot be loaded: SyntaxError:"),
        ("leaves", "raise SystemExit(3)", "leaves.py:1:1: leaves cannot be loaded: SystemExit: 3"),
        ("no_defs", "x = 1\n", "workspace.yaml: no_defs cannot be loaded: AttributeError:"),
    ],
)  # fmt: skip
def test_a_module_that_does_not_load_is_placed_at_its_own_line(
    yaml_project: YamlProject,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    expected: str,
) -> None:
    (problem,) = load(yaml_project, monkeypatch, name, text).problems
    assert str(problem).startswith(expected)


def test_what_a_module_prints_does_not_mix_with_its_report(
    yaml_project: YamlProject,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    yaml_project.replication("public.orders:")
    text = "print('hello')\n" + SLING_LOCATION
    assert load(yaml_project, monkeypatch, "talkative", text).problems == []
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_relative_interpreters_are_the_projects_own(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text(
        "load_from:\n  - python_module: {module_name: m, location_name: l,"
        " executable_path: .venvs/x/bin/python}\n"
    )
    problems: list[Problem] = []
    assert read_workspace(tmp_path, problems) == [
        CodeLocation("l", "m", tmp_path / ".venvs/x/bin/python")
    ]
    assert problems == []
