"""Names in YAML may be words that SQL reserves: of areas, tables, columns and keys."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from snowflake.connector.cursor import SnowflakeCursor

from tests.factories.snowpark.flights import flights
from tests.factories.snowpark.model_project import ModelProject, forget_modules

pytestmark = pytest.mark.clients

MODULE = """
    from sklearn.linear_model import LogisticRegression

    def features(session, inputs):
        return inputs["group"]

    def train(training_data, params):
        return LogisticRegression().fit(training_data[["row", "select"]], training_data["where"])

    def predict(model, features):
        return model.predict_proba(features[["row", "select"]])[:, 1]
"""
AREA = """
    defaults: {runs_in: RUNS_IN}
    features:
      - name: features
        function: reserved:features
        inputs: {group: seeds/values}
        output: {table: ML.ORDER.TABLE, mode: MODE, keys: [group]}
        meta: {dagster: {PARTITION}}
    models:
      - name: when
        features: features
        target: where
        function: reserved:train
        split: {by: start, train_until: "2013-03-01", validate_until: "2013-03-20"}
        metrics: {roc_auc: maximize}
        promote: {metric: roc_auc}
    scores:
      - name: scores
        model: when
        function: reserved:predict
        output: {table: ML.ORDER.UNION, keys: [group, start], column: from}
        meta:
          dagster:
            PARTITION
            checks: {rows: {min: 6, max: 6}, columns: {not_null: [from], unique: [group]}}
    tables:
      - name: likely
        sql: |
          select "GROUP", "FROM" from {union} where "FROM" > 0  -- all
        inputs: {union: ml/order/scores}
        output: {table: ML.ORDER.LIKE, mode: append, keys: [group]}
"""
PARTITION = 'partition: {type: daily, start: "2013-01-01", end: "2013-05-01", column: start}'
ALL_DAYS = {
    "dagster/asset_partition_range_start": "2013-01-01",
    "dagster/asset_partition_range_end": "2013-04-30",
}
COLUMNS = {
    "flight_id": "GROUP",
    "flight_date": "START",
    "hour": "ROW",
    "rain": "SELECT",
    "is_late": "WHERE",
    "carrier": "ORDER",
    "noise": "TABLE",
}
TEXT = re.compile(r"\$\$.*?\$\$|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
BARE = re.compile(r"\bML\.|\.(?:ORDER|TABLE|UNION|LIKE|MODELS|MODEL_FILES)\b")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are sent, without the texts in them."""
    found: list[str] = []
    execute = SnowflakeCursor.execute

    def noted(cursor: SnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        found.append(TEXT.sub("''", command))
        return execute(cursor, command, *args, **kwargs)

    monkeypatch.setattr(SnowflakeCursor, "execute", noted)
    return found


@pytest.fixture
def reserved(models: ModelProject) -> Iterator[ModelProject]:
    """The area `order`, whose features are a hundred days of six flights each."""
    made = replace(models, area="order")
    for path in (models.root / "snowpark").iterdir():
        path.unlink()
    (models.root / "snowpark" / "reserved.py").write_text(textwrap.dedent(MODULE))
    forget_modules()
    models.session.sql("create schema if not exists ANALYTICS.SEEDS").collect()
    models.session.write_pandas(
        flights().rename(columns=COLUMNS),
        "VALUES",
        database="ANALYTICS",
        schema="SEEDS",
        auto_create_table=True,
        overwrite=True,
    )
    yield made
    made.rows('drop table ANALYTICS.SEEDS."VALUES"')
    made.rows('drop schema if exists ML."ORDER"')


@pytest.mark.parametrize(("runs_in", "mode"), [("client", "merge"), ("snowflake", "overwrite")])
def test_areas_tables_and_columns_may_be_called_like_words_of_sql(
    reserved: ModelProject, asked: list[str], runs_in: str, mode: str
) -> None:
    text = AREA.replace("PARTITION", PARTITION).replace("RUNS_IN", runs_in).replace("MODE", mode)
    (reserved.root / "snowpark" / "order.yaml").write_text(textwrap.dedent(text))

    for _ in range(2):  # the second time, the table is there
        assert reserved.run("features", tags=ALL_DAYS).success, reserved.failure()
    assert reserved.rows('select count(*), count("GROUP") from "ML"."ORDER"."TABLE"') == [
        (600, 600)
    ]

    assert reserved.run("when").success, reserved.failure()
    assert str(reserved.metadata()["file"]).startswith("@ML.ORDER.MODEL_FILES/when/")
    assert reserved.metadata()["registry"] == "ML.ORDER.MODELS"

    for _ in range(2):
        assert reserved.run("scores", partition_key="2013-01-02").success, reserved.failure()
    assert set(reserved.checks().values()) == {True}
    assert reserved.metadata()["dagster/table_name"] == "ML.ORDER.UNION"
    assert reserved.metadata()["rows_scored"] == 6

    assert reserved.run("likely").success, reserved.failure()
    assert reserved.metadata()["dagster/row_count"] == 6
    assert [sql for sql in asked if BARE.search(sql)] == []
