"""From an area's YAML to Dagster's assets: keys, tables, dependencies, steps, versions."""

from __future__ import annotations

import errno
import tokenize
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from factories.core.assets.context import LoadContext
from factories.core.meta.keys import parse_key
from factories.core.warehouse.names import WarehouseNames, warehouse_names
from factories.definitions import build_definitions, read_project
from factories.snowpark.config.areas import read_areas
from factories.snowpark.config.relations import find_relation
from tests.factories.conftest import YamlProject
from tests.factories.snowpark.config.test_problems import RIGHT

MORE = """\
  - name: monthly
    function: delay.features:flights
    inputs:
      flights: ml/delay/flights
      rates: {asset: finance/rates, table: FINANCE.PUBLIC.RATES, whole: true}
    output: {table: ML.DELAY.MONTHLY}
    meta: {dagster: {partition: {type: monthly, start: 2013-01-01, column: day}, pool: other}}
"""


@pytest.fixture
def project(yaml_project: YamlProject) -> YamlProject:
    yaml_project.write("snowpark/delay/features.py", "def flights(session, inputs): ...\n")
    yaml_project.write(
        "snowpark/delay/model.py", "def train(data, params): ...\ndef predict(model, rows): ...\n"
    )
    yaml_project.write("snowpark/delay.yaml", RIGHT + MORE)
    return yaml_project


def specs() -> dict[str, dg.AssetSpec]:
    found = build_definitions(snowpark="snowpark").resolve_all_asset_specs()
    return {spec.key.to_user_string(): spec for spec in found}


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("flight_ops/raw/flights", "RAW.FLIGHT_OPS.FLIGHTS"),
        ("flight_ops/stg/flights", "ANALYTICS.STAGING.STG_FLIGHT_OPS__FLIGHTS"),
        ("marts/operations/fct_flights", "ANALYTICS.MARTS.FCT_FLIGHTS"),
        ("intermediate/operations/int_x", "ANALYTICS.INTERMEDIATE.INT_X"),
        ("seeds/airlines", "ANALYTICS.SEEDS.AIRLINES"),
        ("snapshots/planes", "ANALYTICS.SNAPSHOTS.PLANES"),
        ("finance/rates", "None"),
        ("flight_ops/src/flights", "None"),
    ],
)
def test_the_convention_gives_the_table_of_an_asset(key: str, table: str) -> None:
    assert str(find_relation(parse_key(key), WarehouseNames("prod"))) == table


def test_the_suffixes_of_the_target_apply_to_every_table(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DP_TARGET", "dev")
    monkeypatch.setenv("DP_SCHEMA_SUFFIX", "ana")
    load_context, _ = read_project(snowpark="snowpark")
    (area,) = read_areas(
        project.root / "snowpark",
        LoadContext(project.root, warehouse_names(), load_context.conditions),
    )

    (model,) = area.models
    flights = model.features
    assert str(flights.inputs["flights"].relation) == "ANALYTICS.MARTS__ANA.FCT_FLIGHTS"
    assert str(flights.relation) == "ML.DELAY__ANA.FLIGHTS"
    assert str(model.registry) == "ML.DELAY__ANA.MODELS"
    assert str(model.stage) == "ML.DELAY__ANA.MODEL_FILES"


def test_assets_depend_on_what_they_are_made_from(project: YamlProject) -> None:
    deps = {
        key: {dep.asset_key.to_user_string() for dep in spec.deps}
        for key, spec in specs().items()
        if key.startswith("ml/")
    }

    assert deps == {
        "ml/delay/flights": {"marts/operations/fct_flights"},
        "ml/delay/arrival_delay": {"ml/delay/flights"},
        "ml/delay/predictions": {"ml/delay/arrival_delay", "ml/delay/flights"},
        "ml/delay/late": {"ml/delay/predictions"},
        "ml/delay/monthly": {"ml/delay/flights", "finance/rates"},
    }


def test_a_spec_says_what_the_yaml_says(project: YamlProject) -> None:
    spec = specs()["ml/delay/monthly"]

    assert spec.group_name == "delay"
    assert spec.kinds == {"snowpark", "snowflake"}
    assert isinstance(spec.partitions_def, dg.MonthlyPartitionsDefinition)
    assert spec.metadata["dagster/table_name"] == "ML.DELAY.MONTHLY"
    (place,) = spec.metadata["dagster/code_references"].code_references
    assert isinstance(place, dg.LocalFileCodeReference)
    assert place.label == "delay.yaml:24"


def test_tables_share_steps_and_models_and_scores_have_their_own(project: YamlProject) -> None:
    _, assets = read_project(snowpark="snowpark")
    steps = {
        asset.op.name: {key.path[-1] for key in asset.keys}
        for asset in assets
        if isinstance(asset, dg.AssetsDefinition)
    }

    (monthly,) = (name for name in steps if "__monthly__" in name)
    assert monthly.startswith("snowpark_tables__delay__monthly__")
    assert monthly.endswith("__other")
    assert steps == {
        "snowpark_tables__delay": {"flights", "late"},
        monthly: {"monthly"},
        "snowpark__delay__arrival_delay": {"arrival_delay"},
        "snowpark__delay__predictions": {"predictions"},
    }


def test_a_table_made_from_scores_runs_after_them_in_the_job(project: YamlProject) -> None:
    defs = build_definitions(snowpark="snowpark")
    keys = [f"ml/delay/{name}" for name in ("flights", "arrival_delay", "predictions", "late")]
    job = defs.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={parse_key(key) for key in keys}
    )

    assert len(job.graph.node_defs) == 4  # Dagster splits the step of `flights` and `late`


def find_changed(project: YamlProject, write: Callable[[], object]) -> set[str]:
    """The names of the assets whose code version is another once something was written."""
    project.write("snowpark/delay.yaml", RIGHT + MORE)
    before = {spec.key: spec.code_version for spec in specs().values()}
    write()
    return {spec.key.path[-1] for spec in specs().values() if before[spec.key] != spec.code_version}


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("mode: merge, keys: [flight_id]", "mode: merge, keys: [flight_no]", {"flights"}),
        ("mode: merge, keys: [flight_id]", "keys: [flight_id]", {"flights"}),
        ("inputs: {flights:", "inputs: {f:", {"flights"}),
        ("whole: true", "whole: false", {"monthly"}),
        ("> 0.5", "> 0.6", {"late"}),
        ("    target:", "    params: {c: 2}\n    target:", {"arrival_delay"}),
        ("2013-09-01", "2013-08-01", {"arrival_delay"}),
        ("brier: minimize", "log_loss: minimize", {"arrival_delay"}),
        ("at_least: 0.6", "at_least: 0.7", {"arrival_delay"}),
        ("    target:", "    packages: [lightgbm]\n    target:", {"arrival_delay"}),
        ("    target:", "    runs_in: client\n    target:", {"arrival_delay"}),
        ("model: arrival_delay", "model: {name: arrival_delay, version: 2}", {"predictions"}),
        ("column: probability", "column: p", {"predictions"}),
        ("column: day", "column: hour", {"monthly"}),
        ("type: monthly", "type: daily", {"monthly"}),
        # What makes no difference to the rows:
        ("    target:", "    description: Late?\n    target:", set()),
        ("    target:", "    warehouse: LARGE\n    target:", set()),
        ("    target:", "    runs_in: snowflake\n    target:", set()),  # the default, written out
        ("pool: other", "pool: another", set()),
        ("start: 2013-01-01", "start: 2012-01-01", set()),
    ],
)
def test_a_version_changes_with_the_settings_that_change_the_rows(
    project: YamlProject, old: str, new: str, names: set[str]
) -> None:
    text = (RIGHT + MORE).replace(old, new, 1)
    assert text != RIGHT + MORE

    assert find_changed(project, lambda: project.write("snowpark/delay.yaml", text)) == names


@pytest.mark.parametrize("name", ["delay/features.py", "delay/shared/rain.py", "other.py"])
def test_a_version_changes_with_any_module_that_its_function_may_import(
    project: YamlProject, name: str
) -> None:
    def write() -> None:
        path = project.root / "snowpark" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write("CHANGED = True\n")

    with_function = {"flights", "arrival_delay", "predictions", "monthly"}
    assert find_changed(project, write) == with_function, "the query of `late` has no code"


@pytest.mark.parametrize(
    "name", ["delay/notes.md", "delay/__pycache__/x.py", "delay/.ipynb_checkpoints/x.py"]
)
def test_a_version_stays_when_no_module_changes(project: YamlProject, name: str) -> None:
    assert find_changed(project, lambda: project.write(f"snowpark/{name}", "text")) == set()


def test_a_function_of_an_installed_package_has_no_code_of_the_folder(
    project: YamlProject,
) -> None:
    text = RIGHT.replace("delay.features:flights", "shutil:copy2")
    project.write("snowpark/delay.yaml", text)
    before = specs()["ml/delay/flights"].code_version
    project.write("snowpark/delay/features.py", "")
    assert specs()["ml/delay/flights"].code_version == before


def test_code_is_read_once_however_many_entries_there_are(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = "  - {name: tN, function: 'delay.features:flights', output: {table: ML.D.TN}}\n"
    more = "".join(entry.replace("tN", f"t{i}").replace("TN", f"T{i}") for i in range(10))
    project.write("snowpark/delay.yaml", RIGHT + more)
    project.write("snowpark/other.yaml", "tables:\n" + more.replace("ML.D", "ML.OTHER"))
    read: Counter[str] = Counter()
    parse, read_bytes = tokenize.open, Path.read_bytes

    def parse_counted(path: Path) -> object:
        read[f"parsed {path.name}"] += 1
        return parse(path)

    def read_counted(path: Path) -> bytes:
        read[path.name] += 1
        return read_bytes(path)

    monkeypatch.setattr(tokenize, "open", parse_counted)
    monkeypatch.setattr(Path, "read_bytes", read_counted)

    assert len(specs()) > 20

    assert read["parsed features.py"] == 1
    assert read["features.py"] == 1


def test_code_that_cannot_be_read_is_reported(
    project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.suffix == ".py":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything

    assert project.problems(snowpark="snowpark") == [
        "snowpark/delay/features.py: cannot be read: Permission denied"
    ]


def test_the_defaults_hold_where_an_entry_says_nothing(project: YamlProject) -> None:
    project.write(
        "snowpark/delay.yaml",
        "defaults: {runs_in: client, warehouse: SMALL, meta: {dagster: {owners: [team:ml]}}}\n"
        + RIGHT.replace("    target: is_late", "    runs_in: snowflake\n    target: is_late"),
    )
    load_context, _ = read_project(snowpark="snowpark")
    assert not load_context.problems
    fresh = LoadContext(project.root, WarehouseNames("local"), load_context.conditions)
    (area,) = read_areas(project.root / "snowpark", fresh)

    assert [entry.runs_in for entry in (*area.models, *area.scores)] == ["snowflake", "client"]
    assert {entry.warehouse for entry in area.tables} == {"SMALL"}
    assert {spec.owners[0] for spec in specs().values() if spec.owners} == {"team:ml"}
