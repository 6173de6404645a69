"""An area of Snowpark: two feature tables, and a model with its scores."""

from __future__ import annotations

from kill_matrix.projects.project import LATCHES, ORDER_COLUMNS, Project, Work

AREA = """\
features:
  - name: overwritten
    function: functions:rows
    inputs: {rows: seeds/rows}
    output: {table: ML.AREA.OVERWRITTEN, mode: overwrite, keys: [id]}
  - name: merged
    function: functions:rows
    inputs: {rows: seeds/rows}
    output: {table: ML.AREA.MERGED, mode: merge, keys: [id]}
  - name: features
    function: functions:rows
    inputs: {rows: seeds/rows}
    output: {table: ML.AREA.FEATURES, mode: merge, keys: [id]}
models:
  - name: lateness
    features: features
    target: is_late
    function: functions:train
    split: {by: changed_at, train_until: "2024-03-01", validate_until: "2024-04-01"}
    metrics: {roc_auc: maximize}
    # What is trained again is no better, and is not promoted.
    promote: {metric: roc_auc, better_than_champion_by: 0.9}
scores:
  - name: predictions
    model: lateness
    function: functions:predict
    output: {table: ML.AREA.PREDICTIONS, mode: merge, keys: [id], column: probability}
"""
FUNCTIONS = '''\
"""Functions that wait where they are told to, which is where they are killed."""

import time
from pathlib import Path

from sklearn.linear_model import LogisticRegression

GATE = Path({folder!r})


def wait():
    (GATE / "begun").touch()
    while (GATE / "hold").exists():
        time.sleep(0.05)


def rows(session, inputs):
    wait()
    return inputs["rows"]


def train(training_data, params):
    wait()
    return LogisticRegression().fit(training_data[["version", "amount"]], training_data["is_late"])


def predict(model, features):
    wait()
    return model.predict_proba(features[["version", "amount"]])[:, 1]
'''
INSERT = """
    insert into {table}
    select i + {above}, {version}, dateadd('day', mod(i, 120), '2024-01-01'::date),
        (mod(i, 97) * 1.25)::float, mod(i * 7919, 97) > 48
    from (select row_number() over (order by null) as i from table(generator(rowcount => {rows})))
"""
NEW = {"above": 2000, "version": 2, "rows": 1000}
PROJECT = Project(
    tool="Snowpark",
    environment="ml",
    definitions='snowpark="snowpark"',
    files={"snowpark/area.yaml": AREA, "snowpark/functions.py": FUNCTIONS},
    works=[
        Work(
            f"features, {mode}",
            f"ml/area/{name}",
            f"ML.AREA.{name.upper()}",
            (*ORDER_COLUMNS, "is_late"),
        )
        for mode, name in (("overwrite", "overwritten"), ("merge", "merged"))
    ]
    + [
        Work(
            "training",
            "ml/area/lateness",
            "ML.AREA.MODELS",
            ("model", "version", "status", "sha256"),
            each_run_adds=True,
        ),
        Work("scoring", "ml/area/predictions", "ML.AREA.PREDICTIONS", ("id", "probability")),
    ],
    warehouse=[
        *LATCHES,
        "create schema if not exists ANALYTICS.SEEDS",
        """
        create or replace table ANALYTICS.SEEDS.ROWS
        (id integer, version integer, changed_at date, amount float, is_late boolean)
        """,
        INSERT.format(table="ANALYTICS.SEEDS.ROWS", above=0, version=1, rows=2000),
    ],
    warehouse_changes=[
        INSERT.format(table="ANALYTICS.SEEDS.ROWS", **NEW),
        "update ANALYTICS.SEEDS.ROWS set version = 2 where id <= 2000 and mod(id, 7) = 0",
        # Like those that the model was trained on: others would fail the check of their drift.
        INSERT.format(table="ML.AREA.FEATURES", **{**NEW, "version": 1}),
    ],
)
