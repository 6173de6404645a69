"""Keys of any type: each score is that of its row, or the rows are not scored."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from factories.snowpark.in_snowflake.errors import ModelError
from factories.snowpark.scores.key_loss import check_keys
from tests.factories.snowpark.model_project import AREA, ModelProject

INSIDE = AREA.replace("runs_in: client", "runs_in: snowflake")
ROUNDED = "1234567890123456789012345678.0123456789"
NUMBERS = "the key k has numbers of more than 15 digits, which a data frame rounds: score with"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2**53 + 1, 2**63 - 1], "NUMBER(38,0)"),
        ([Decimal(10) ** 37 + 1], "NUMBER(38,0)"),  # as objects they are exact
        ([1.25, 9999999999.99], "NUMBER(12,2)"),
        ([0.1, 1e300], "FLOAT"),
        ([np.datetime64("2024-01-01T00:00:00.123456789")], "TIMESTAMP_NTZ(9)"),
        ([dt.time(1, 2, 3, 4)], "TIME(6)"),
    ],
)
def test_keys_that_a_data_frame_holds(values: list[object], kind: str) -> None:
    check_keys(pd.DataFrame({"K": values}), ["k"], {"K": kind})


@pytest.mark.parametrize(
    ("values", "kind", "sentence"),
    [
        ([1.0, 1.2345678901234568e37], "NUMBER(38,0)", NUMBERS),
        ([123456789012345.67], "NUMBER(38,4)", NUMBERS),
        ([-(2.0**53)], "NUMBER(38,0)", NUMBERS),
        ([dt.time(1)], "TIME(9)", r"the key k is TIME\(9\), which a data frame rounds"),
    ],
)
def test_keys_that_a_data_frame_would_change_are_refused(
    values: list[object], kind: str, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        check_keys(pd.DataFrame({"K": values}), ["k"], {"K": kind})


@pytest.mark.clients
def test_scores_of_keys_with_many_digits(models: ModelProject) -> None:
    models.write(AREA)
    models.champion()
    row = f"{ROUNDED}::number(38,10) as flight_id, 1.0 as hour, 2.0 as rain, 1 as is_late"
    models.load()
    models.rows(f"create or replace table {{s}}.features as select {row}")

    assert not models.run("predictions").success
    assert models.sentence().startswith("the key flight_id has numbers of more than 15 digits")

    models.write(INSIDE)
    assert models.run("predictions").success, models.failure()
    assert models.rows("select flight_id::varchar from {s}.predictions") == [(ROUNDED,)]
