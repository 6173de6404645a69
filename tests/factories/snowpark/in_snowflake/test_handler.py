"""What is done with pandas and scikit-learn alone: splits, metrics, and what is told of a model."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score

from factories.snowpark import in_snowflake
from factories.snowpark.in_snowflake.assessment import (
    compute_calibration,
    compute_calibration_error,
    compute_importance,
    compute_roc,
    profile_features,
)
from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.in_snowflake.frames import sort_rows, tidy
from factories.snowpark.in_snowflake.metric_names import METRICS, is_better
from factories.snowpark.in_snowflake.metrics import (
    Predictions,
    find_feature_names,
    make_predictions,
    measure,
)
from factories.snowpark.in_snowflake.model_files import dump_model, load_model
from factories.snowpark.in_snowflake.scoring import predict_values
from factories.snowpark.in_snowflake.splits import (
    Bounds,
    find_overlaps,
    find_shared_keys,
    find_spans,
    split_rows,
)
from factories.snowpark.in_snowflake.training import _fit_model as fitted
from tests.factories.snowpark.flights import SPLIT, flights, train

BOUNDS = Bounds(**SPLIT)
FEATURES = ["hour", "rain"]


def test_each_row_is_in_the_part_that_its_date_says_bounds_first() -> None:
    days = ["2013-02-28", "2013-03-01", "2013-03-19", "2013-03-20"]
    frame = pd.DataFrame({"flight_date": [date.fromisoformat(day) for day in days]})
    parts = split_rows(frame, BOUNDS)
    assert {name: [str(d) for d in part["flight_date"]] for name, part in parts.items()} == {
        "train": ["2013-02-28"],
        "validation": ["2013-03-01", "2013-03-19"],
        "test": ["2013-03-20"],
    }


def test_parts_are_disjoint_in_time_and_hold_all_rows() -> None:
    frame = flights()
    parts = split_rows(frame, BOUNDS)
    found = find_spans(parts, "flight_date")
    assert sum(span["rows"] for span in found.values()) == len(frame)
    assert find_overlaps(found) == []


def test_overlapping_parts_are_reported() -> None:
    parts = split_rows(flights(), BOUNDS)
    parts["validation"] = pd.concat([parts["validation"], parts["train"].head(3)])
    (reported,) = find_overlaps(find_spans(parts, "flight_date"))
    assert reported.startswith("validation begins at 2013-01-")
    assert "train ends at 2013-02-28" in reported


def test_keys_in_two_parts_are_reported() -> None:
    parts = split_rows(flights(), BOUNDS)
    assert find_shared_keys(parts, ["flight_id"]) == []
    parts["test"] = pd.concat([parts["test"], parts["train"].head(3), parts["validation"].head(1)])
    assert find_shared_keys(parts, ["flight_id"]) == [
        "3 values of the keys (flight_id) are in train and test",
        "1 values of the keys (flight_id) are in validation and test",
    ]
    assert find_shared_keys(parts, []) == []
    nothing = {name: part.assign(flight_id=None) for name, part in parts.items()}
    assert find_shared_keys(nothing, ["flight_id"]) == []


def test_moments_of_a_zone_are_split_by_their_instant() -> None:
    at = [datetime(2013, 3, day, 12, tzinfo=UTC) for day in (1, 25)] + [
        datetime(2013, 2, 28, 23, 59, tzinfo=UTC)
    ]
    frame = pd.DataFrame({"flight_date": pd.to_datetime(at).tz_convert("America/New_York")})
    assert [len(part) for part in split_rows(frame, BOUNDS).values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (flights().query("hour < 0"), "no rows for train"),
        (flights().assign(flight_date=None), "600 rows have no flight_date"),
        (flights().assign(flight_date="late"), "holds no dates"),
        # Whether it is in January or in February is a guess.
        (flights().assign(flight_date="01/02/2013"), "holds no dates"),
        (flights().assign(flight_date=20130301), "holds numbers, not dates"),
        (flights().drop(columns="flight_date"), "no column flight_date"),
    ],
)
def test_rows_that_cannot_be_split_are_reported(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        split_rows(frame, BOUNDS)


def test_rows_look_the_same_in_whatever_order_they_come() -> None:
    frame = flights()
    shuffled = frame.sample(frac=1, random_state=2)
    for keys in (["FLIGHT_ID"], []):
        pd.testing.assert_frame_equal(sort_rows(frame, keys), sort_rows(shuffled, keys))


def test_exact_numbers_become_floats_and_columns_lower_case() -> None:
    frame = tidy(pd.DataFrame({"PRICE": [Decimal("1.5"), None], '"Name"': ["a", None]}))
    assert list(frame.columns) == ["price", "name"]
    assert frame["price"].dtype == "float64"


def test_columns_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(ModelError, match="several columns of the features are called id in lower"):
        tidy(pd.DataFrame({"ID": [1], '"Id"': [2], "V": [3]}))


def test_moments_of_several_offsets_are_split_by_their_instant() -> None:
    at = ["2013-02-28 23:59+00:00", "2013-03-01 00:59+01:00", "2013-03-01 12:00-05:00"]
    frame = pd.DataFrame({"flight_date": [*map(datetime.fromisoformat, at), date(2013, 3, 25)]})
    assert [len(part) for part in split_rows(frame, BOUNDS).values()] == [2, 1, 1]


def test_every_metric_can_be_measured_and_has_its_better_direction() -> None:
    frame = flights()
    parts = split_rows(frame, BOUNDS)
    found = make_predictions(train(parts["train"], {}), parts["validation"], FEATURES, "is_late")
    numbers = {**frame, "delay": frame["hour"] * 2.0 + frame["rain"]}
    rows = pd.DataFrame(numbers)
    regression = HistGradientBoostingRegressor(max_iter=5).fit(rows[FEATURES], rows["delay"])
    values = make_predictions(regression, rows, FEATURES, "delay")
    of_values = {name for name, (_, needs) in METRICS.items() if needs == "value"}
    assert set(measure(found, METRICS.keys() - of_values)) | set(measure(values, of_values)) == set(
        METRICS
    )
    chance = DummyClassifier().fit(parts["train"][FEATURES], parts["train"]["is_late"])
    by_chance = make_predictions(chance, parts["validation"], FEATURES, "is_late")
    for name in ("roc_auc", "average_precision", "brier", "log_loss", "balanced_accuracy"):
        good, bad = measure(found, [name])[name], measure(by_chance, [name])[name]
        assert is_better(good, bad, METRICS[name][0], 0.0), name


def test_a_classifier_of_texts_is_measured_by_its_second_class() -> None:
    frame = flights().assign(is_late=lambda f: np.where(f["is_late"], "yes", "no"))
    model = LogisticRegression().fit(frame[FEATURES], frame["is_late"])
    measured = measure(make_predictions(model, frame, FEATURES, "is_late"), ["roc_auc", "f1"])
    assert measured["roc_auc"] > 0.8
    assert measured["f1"] > 0.6


def test_a_classifier_without_probabilities_is_measured_by_its_second_class_too() -> None:
    frame = flights()
    estimator = RidgeClassifier().fit(frame[["hour", "rain"]], frame["is_late"])
    found = make_predictions(estimator, frame, ["hour", "rain"], "is_late")
    assert found.probability is None
    labels = estimator.predict(frame[["hour", "rain"]])
    assert measure(found, ["f1"]) == {"f1": f1_score(frame["is_late"], labels)}


def test_metrics_that_cannot_be_computed_are_reported() -> None:
    frame = flights()
    model = train(frame, {})
    one_class = make_predictions(model, frame[frame["is_late"]], FEATURES, "is_late")
    with pytest.raises(ModelError, match="rows of both classes"):
        measure(one_class, ["roc_auc"])
    values = make_predictions(
        HistGradientBoostingRegressor(max_iter=2).fit(frame[FEATURES], frame["rain"]),
        frame, FEATURES, "rain",
    )  # fmt: skip
    with pytest.raises(ModelError, match="roc_auc needs the probabilities"):
        measure(values, ["roc_auc"])
    with pytest.raises(ModelError, match=r"f1 cannot be measured of this estimator: .*continuous"):
        measure(values, ["f1"])
    with pytest.raises(ModelError, match="is not fitted"):
        make_predictions(LogisticRegression(), frame, FEATURES, "is_late")
    with pytest.raises(ModelError, match=r"not seen: \['late'\]"):
        make_predictions(model, frame.assign(is_late="late"), FEATURES, "is_late")
    with pytest.raises(ModelError, match="r2 is nan"):
        measure(Predictions(np.array([1.0]), np.array([1.0]), None), ["r2"])
    with pytest.raises(ModelError, match="no column rain"):
        make_predictions(model, frame.drop(columns="rain"), FEATURES, "is_late")


def test_better_means_by_at_least_the_margin() -> None:
    assert is_better(0.71, 0.70, "maximize", 0.0)
    assert not is_better(0.70, 0.70, "maximize", 0.0)
    assert not is_better(0.71, 0.70, "maximize", 0.05)
    assert is_better(0.10, 0.20, "minimize", 0.1)
    assert not is_better(0.20, 0.10, "minimize", 0.0)


class Guess:
    """It has what is asked of an estimator, but says not what it is."""

    def fit(self, _rows: pd.DataFrame, _target: pd.Series) -> Guess:
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), fill_value=True)

    def score(self, _rows: pd.DataFrame, _target: pd.Series) -> float:
        return 0.5


class GuessedClass(ClassifierMixin, BaseEstimator, Guess):
    pass


class NoScore(BaseEstimator):
    fit, predict = Guess.fit, Guess.predict


@pytest.mark.parametrize(
    ("returned", "lacks"),
    [
        (None, "NoneType has no fit, predict, score, __sklearn_tags__"),
        ([], "list has no fit, predict, score, __sklearn_tags__"),
        (NoScore(), "NoScore has no score"),
        (Guess(), "Guess has no __sklearn_tags__"),
        (GuessedClass, "type has no __sklearn_tags__"),
    ],
)
def test_what_is_not_an_estimator_is_reported_by_what_it_lacks(
    returned: object, lacks: str
) -> None:
    def guess(_rows: pd.DataFrame, _params: dict[str, object]) -> object:
        return returned

    with pytest.raises(ModelError) as raised:
        fitted(guess, flights(), {})
    reported = str(raised.value)
    assert reported.startswith("guess must return a fitted estimator with fit, predict and score")
    assert reported.endswith(lacks)


def test_an_estimator_of_ones_own_is_measured_as_those_of_scikit_learn_are() -> None:
    frame = flights()
    estimator = fitted(lambda _rows, _params: GuessedClass(), frame, {})
    found = make_predictions(estimator, frame, FEATURES, "is_late")
    assert measure(found, ["accuracy"])["accuracy"] == pytest.approx(frame["is_late"].mean())
    assert set(compute_importance(estimator, frame, FEATURES, "is_late")) == set(FEATURES)


def test_features_are_those_that_the_model_was_fitted_with() -> None:
    frame = flights()
    apart = {"is_late", "flight_id", "flight_date", "carrier"}
    assert find_feature_names(train(frame, {}), frame, apart) == FEATURES
    without_names = LogisticRegression().fit(frame[FEATURES].to_numpy(), frame["is_late"])
    assert find_feature_names(without_names, frame, apart) == ["hour", "rain", "noise"]


def test_what_a_report_says_of_a_model() -> None:
    parts = split_rows(flights(), BOUNDS)
    model = train(parts["train"], {"columns": ["hour", "rain", "noise"]})
    features = ["hour", "rain", "noise"]
    found = make_predictions(model, parts["validation"], features, "is_late")
    points = compute_roc(found)
    assert points[0] == [0.0, 0.0]
    assert points[-1] == [1.0, 1.0]
    bins = compute_calibration(found)
    assert sum(size for _, _, size in bins) == len(parts["validation"])
    error = compute_calibration_error(bins)
    assert error is not None
    assert error < 0.2
    order = list(compute_importance(model, parts["validation"], features, "is_late"))
    assert order[0] == "hour"
    assert order[-1] == "noise"


def test_profile_has_the_shares_of_all_rows() -> None:
    frame = flights().assign(rain=lambda f: f["rain"].where(f.index % 4 > 0))
    frame.loc[1, "rain"] = np.inf
    found = profile_features(frame, ["rain", "carrier", "is_late", "flight_date"])
    assert set(found) == {"rain", "carrier", "is_late"}
    for distribution in found.values():
        assert sum(distribution["shares"]) == pytest.approx(1.0)
    assert found["rain"]["shares"][-1] == 0.25
    assert np.isfinite(found["rain"]["edges"]).all()
    assert sorted(found["carrier"]["values"]) == ["AA", "DL", "UA"]
    assert sorted(found["is_late"]["values"]) == ["false", "true"]


def test_booleans_with_nulls_have_the_profile_of_booleans() -> None:
    frame = pd.DataFrame({"flag": [True, False, None, True]})
    assert profile_features(frame, ["flag"])["flag"] == {
        "values": ["true", "false"],
        "shares": [0.5, 0.25, 0.0, 0.25],
    }


def test_a_model_is_read_from_its_own_bytes_only() -> None:
    model = train(flights(), {})
    content, sha256 = dump_model(model)
    assert (load_model(content, sha256, "it").coef_ == model.coef_).all()
    with pytest.raises(ModelError, match="not the one that was registered"):
        load_model(content + b"x", sha256, "it")
    with pytest.raises(ModelError, match="cannot be kept as a file"):
        dump_model(lambda: 1)


def test_predictions_stay_floats() -> None:
    rows = pd.DataFrame({"a": [1, 2]})
    assert predict_values(lambda _m, f: [0, 1], None, rows).dtype == "float64"
    assert predict_values(lambda _m, f: f["a"] > 1, None, rows).tolist() == [0.0, 1.0]
    assert predict_values(lambda _m, f: f["a"] / 4, None, rows).tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([1.0], "one value per row: 2 rows"),
        ([[0.1, 0.9], [0.2, 0.8]], "one value per row"),
        (["a", "b"], "must return numbers"),
        ([1.0, float("nan")], "no finite number for 1 of 2 rows"),
    ],
)
def test_what_is_not_a_prediction_is_reported(returned: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        predict_values(lambda _m, _f: returned, None, pd.DataFrame({"a": [1, 2]}))


def test_handler_needs_nothing_of_the_project_but_itself() -> None:
    """It runs inside Snowflake, where there is no Dagster."""
    for path in Path(in_snowflake.__file__ or "").parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("factories"):
                assert str(node.module).startswith("factories.snowpark.in_snowflake"), path.name
    code = (
        "import sys;from factories.snowpark.in_snowflake import scoring, training;"
        "print([m for m in sys.modules if m in ('dagster', 'pydantic', 'snowflake.snowpark')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
