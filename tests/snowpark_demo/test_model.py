"""The demo's model takes what the features can hold, and is the same in every training."""

from __future__ import annotations

import numpy as np
import pytest

from factories.core.python_refs.importer import import_module
from tests.snowpark_demo.conftest import FOLDER

PARAMS = {"max_iter": 10, "min_samples_leaf": 100}


@pytest.fixture(scope="module")
def module():
    return import_module("delay.model", FOLDER)


def test_every_feature_but_key_and_date_is_used(module, features_module):
    apart = {"flight_id", "flight_date", module.TARGET}
    assert {*module.CODES, *module.NUMBERS} == set(features_module.FEATURES) - apart


def test_training_twice_gives_the_same_probabilities(module, built):
    first, second = (module.train(built, PARAMS) for _ in range(2))
    probabilities = module.predict(first, built)
    assert probabilities.shape == (len(built),)
    assert probabilities.dtype == np.float64
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert probabilities.std() > 0.02
    np.testing.assert_array_equal(probabilities, module.predict(second, built))


def test_rows_without_a_label_are_not_learned_from(module, built):
    labelled = built[built["is_late"].notna()]
    assert len(labelled) < len(built)
    np.testing.assert_array_equal(
        module.predict(module.train(built, PARAMS), labelled),
        module.predict(module.train(labelled, PARAMS), labelled),
    )


def test_unseen_codes_and_nulls_are_scored(module, built):
    model = module.train(built, PARAMS)
    rows = built.head(2).copy()
    rows.loc[:, "dest"] = ["XXX", None]
    rows[list(module.NUMBERS)] = np.nan
    assert np.isfinite(module.predict(model, rows)).all()
