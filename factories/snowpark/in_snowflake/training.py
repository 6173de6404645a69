"""Training one version of a model: in a step or in a procedure, by the same code.

A request goes in and a report comes out, both of plain values that JSON can hold. What is made
is a file in the stage; no table is written here.
"""

from __future__ import annotations

import copy
import io
import platform
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import sklearn  # type: ignore[import-untyped]
from sklearn.base import is_classifier  # type: ignore[import-untyped]

from factories.snowpark.in_snowflake.assessment import (
    compute_calibration,
    compute_calibration_error,
    compute_importance,
    compute_roc,
    profile_features,
)
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import require, sort_rows, tidy
from factories.snowpark.in_snowflake.metrics import find_feature_names, make_predictions, measure
from factories.snowpark.in_snowflake.model_files import dump_model, load_model
from factories.snowpark.in_snowflake.splits import (
    Bounds,
    find_overlaps,
    find_shared_keys,
    find_spans,
    split_rows,
)

ESTIMATOR = ("fit", "predict", "score")

TrainFunction = Callable[[pd.DataFrame, dict[str, Any]], Any]


def train(session: Any, request: Mapping[str, Any], function: TrainFunction) -> dict[str, Any]:
    """Train, measure, compare with the champion, and put the model's file into the stage.

    The file is called after its content: the same model again is the same file, and no file of
    another version is ever replaced.

    Args:
        session: Snowpark's.
        request: `model`, `query` (the features), `keys`, `target`, `split` (by, train_until,
            validate_until), `params`, `metrics`, `stage`, and `champion` (version, file, sha256)
            or None.
        function: The user's: takes the training rows and the parameters, returns an estimator.

    Raises:
        ModelError: When the data do not fit, or the function returns no fitted estimator.
    """
    target = str(request["target"]).lower()
    bounds = Bounds(**{**request["split"], "by": str(request["split"]["by"]).lower()})
    keys = [key.lower() for key in request["keys"]]
    frame = tidy(session.sql(request["query"]).to_pandas())
    require(frame, [target, bounds.by])
    known = sort_rows(frame[frame[target].notna()], keys)
    if known.empty:
        raise ModelError(f"none of the {len(frame)} rows of features has a {target}")
    known[target] = known[target].infer_objects()
    parts = split_rows(known, bounds)
    found = find_spans(parts, bounds.by)

    model = _fit_model(function, parts["train"], request["params"])
    content, sha256 = dump_model(model)
    apart = {target, bounds.by, *keys}
    features = find_feature_names(model, parts["train"], apart)
    # Measured is what will be loaded, not what has been kept in memory.
    model = load_model(content, sha256, request["model"])
    validation = make_predictions(model, parts["validation"], features, target)
    test = make_predictions(model, parts["test"], features, target)
    bins = compute_calibration(validation)
    file = f"{request['model']}/{sha256}.pkl"
    report = {
        "file": file,
        "sha256": sha256,
        "bytes": len(content),
        "features": features,
        "splits": found,
        "overlaps": [*find_overlaps(found), *find_shared_keys(parts, keys)],
        "rows_without_target": len(frame) - len(known),
        "metrics": {
            "validation": measure(validation, request["metrics"]),
            "test": measure(test, request["metrics"]),
        },
        "calibration_error": compute_calibration_error(bins),
        "champion": _measure_champion(session, request, parts["validation"], apart),
        "curves": {"roc": compute_roc(validation), "calibration": bins},
        "importance": compute_importance(model, parts["validation"], features, target),
        "profile": profile_features(parts["train"], features),
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__},
    }
    put_file(session, request["stage"], file, content)
    return report


def _fit_model(function: TrainFunction, rows: pd.DataFrame, params: Mapping[str, Any]) -> Any:
    # What draws numbers without a seed of its own draws the same ones in every training.
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the generator that scikit-learn takes by default
    model = function(rows.copy(), copy.deepcopy(dict(params)))
    if missing := _find_missing(model):
        raise ModelError(
            f"{getattr(function, '__name__', 'the function')} must return a fitted estimator with"
            " fit, predict and score, one of scikit-learn's or one derived from ClassifierMixin or"
            f" RegressorMixin and BaseEstimator: {type(model).__name__} has no {', '.join(missing)}"
        )
    return model


def _find_missing(model: Any) -> list[str]:
    """Return what an object lacks of what is asked of an estimator here."""
    # `fit` and `score` are what the importance of its features is found by.
    missing = [name for name in ESTIMATOR if not callable(getattr(model, name, None))]
    try:
        is_classifier(model)
    except (AttributeError, TypeError):  # newer versions of scikit-learn ask its tags
        missing.append("__sklearn_tags__")
    return missing


def _measure_champion(
    session: Any, request: Mapping[str, Any], validation: pd.DataFrame, apart: set[str]
) -> dict[str, Any] | None:
    """Measure the champion on the candidate's validation rows; tell why when that cannot be."""
    champion = request["champion"]
    if champion is None:
        return None
    version, target = champion["version"], str(request["target"]).lower()
    try:
        content = get_file(session, request["stage"], champion["file"])
        model = load_model(content, champion["sha256"], f"version {version}")
        features = find_feature_names(model, validation, apart)
        found = make_predictions(model, validation, features, target)
        return {"version": version, "metrics": measure(found, request["metrics"])}
    except Exception as error:  # noqa: BLE001 - whatever an old estimator raises on new columns
        return {"version": version, "error": str(error)}


def put_file(session: Any, stage: str, path: str, content: bytes) -> None:
    """Write a file of a stage."""
    session.file.put_stream(
        io.BytesIO(content), f"@{stage}/{path}", auto_compress=False, overwrite=True
    )


def get_file(session: Any, stage: str, path: str) -> bytes:
    """Read a file of a stage."""
    # Not by `get_stream`: that leaves the file in the folder for temporary ones, under the name
    # that it has in the stage, so that two steps at once would write one file.
    with tempfile.TemporaryDirectory() as folder:
        session.file.get(f"@{stage}/{path}", folder)
        return Path(folder, path.rpartition("/")[2]).read_bytes()
