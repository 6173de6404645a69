"""`runs_in: snowflake`: the same code in a procedure and in a vectorized function."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from factories.snowpark.handler_archive import (
    build_archive,
    build_packages_clause,
    find_handler_module,
)
from factories.snowpark.in_snowflake.training import put_file
from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import AREA, MODULE, ModelProject

pytestmark = pytest.mark.clients

INSIDE = AREA.replace("runs_in: client", "runs_in: snowflake")
# Shared between the two functions, and imported below the folder's name as at home.
COLUMNS = "def columns(params):\n    return params.get('columns', ['hour', 'rain'])\n"
WITH_IMPORT = MODULE.replace(
    'columns = params.get("columns", ["hour", "rain"])', "columns = common.columns(params)"
).replace("from sklearn", "from snowpark.shared import common\n    from sklearn", 1)
ALL = "select flight_id, probability, model_version from {s}.predictions order by 1"


def test_a_model_trained_inside_is_the_one_trained_in_the_step(models: ModelProject) -> None:
    folder = models.root / "snowpark" / "shared"
    folder.mkdir()
    (folder / "common.py").write_text(COLUMNS)
    models.write(module=WITH_IMPORT)
    assert models.train().success, models.failure()
    models.write(INSIDE, module=WITH_IMPORT)
    assert models.train().success, models.failure()
    inside, at_home = models.versions()
    for part, measured in at_home.metrics.items():
        assert inside.metrics[part] == pytest.approx(measured), part
    assert inside.splits == at_home.splits
    assert models.statuses() == {2: "candidate", 1: "champion"}
    assert "the champion, version 1, has" in str(models.metadata()["decision"])

    models.run("predictions")
    scored = models.rows(ALL)
    frame = flights()
    expected = models.registry.load(at_home).predict_proba(frame[["hour", "rain"]])[:, 1]
    assert np.allclose([float(str(row[1])) for row in scored], expected)
    assert {row[2] for row in scored} == {1}


def test_what_fails_inside_is_reported_and_leaves_everything(models: ModelProject) -> None:
    models.write(INSIDE, module=MODULE.replace("columns = params", "1 / 0; columns = params"))
    assert not models.train().success
    assert "ZeroDivisionError" in models.failure()
    assert models.statuses() == {}

    models.champion()
    models.write(INSIDE, module=MODULE.replace("[:, 1]", ""))
    assert not models.run("predictions").success
    assert "must return one value per row" in models.failure()
    (version,) = models.versions()
    put_file(models.session, f"{models.schema}.MODEL_FILES", version.file, b"cos\nsystem\n.")
    assert not models.run("predictions").success
    assert "is not the one that was registered" in models.failure()
    found = {row[1] for row in models.rows(f"show tables in schema {models.schema}")}
    assert found == {"FEATURES", "MODELS", "MODELS_LOCK"}


def test_data_that_do_not_fit_are_reported_by_a_training_inside_too(models: ModelProject) -> None:
    models.write(INSIDE.replace("target: is_late", "target: is_slow"))
    assert not models.train().success
    assert "the features have no column is_slow; they have flight_id" in models.failure()
    assert "Traceback" not in models.failure()


def test_the_archive_holds_code_alone_and_is_the_same_every_time(tmp_path: Path) -> None:
    folder = tmp_path / "snowpark"
    (folder / "delay" / "__pycache__").mkdir(parents=True)
    for name in ("delay.yaml", "delay/model.py", "delay/__pycache__/x.py", "secret.env"):
        (folder / name).write_text("")
    content = build_archive(folder)
    assert build_archive(folder) == content
    names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    assert {name for name in names if name.startswith("snowpark/")} == {
        "snowpark/__init__.py",
        "snowpark/delay/__init__.py",
        "snowpark/delay/model.py",
    }
    assert "factories/snowpark/in_snowflake/training.py" in names
    assert "factories/__init__.py" in names
    assert "factories/snowpark/models/registry.py" not in names
    assert find_handler_module("delay.model:train", folder) == ("snowpark.delay.model", "train")
    assert find_handler_module("math:sqrt", folder) == ("math", "sqrt")


def test_packages_are_those_of_the_model_unless_yaml_asks_for_others() -> None:
    of_model = build_packages_clause(["numpy"], {"scikit-learn": "1.9.1", "python": "3.11"})
    assert "'scikit-learn==1.9.1', 'numpy'" in of_model
    assert build_packages_clause(()) == "'snowflake-snowpark-python', 'pandas', 'scikit-learn'"
    assert build_packages_clause(("scikit-learn==1.9.*", "xgboost")) == (
        "'snowflake-snowpark-python', 'pandas', 'scikit-learn==1.9.*', 'xgboost'"
    )
    assert build_packages_clause(("Scikit_Learn>=1.9", "it's")) == (
        "'snowflake-snowpark-python', 'pandas', 'Scikit_Learn>=1.9', 'it''s'"
    )
