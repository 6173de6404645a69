"""The sections of the reference on what is made with Snowpark."""

from __future__ import annotations

from factories.cli.reference.section import Section
from factories.snowpark.config.schema import (
    AreaFile,
    Defaults,
    FeatureItem,
    InputOptions,
    ModelItem,
    ModelVersion,
    Output,
    Promote,
    ScoreItem,
    ScoreOutput,
    Split,
    TableItem,
)
from factories.snowpark.in_snowflake.metric_names import METRICS

META = "mapping with the key `dagster`: [`meta.dagster`](#metadagster)"

SNOWPARK_SECTIONS = (
    Section(
        "Areas",
        AreaFile,
        "Every file in `snowpark/` is one. It makes an asset `ml/<area>/<name>` for each entry, and"
        " an entry's name is given once in the file.",
        """\
defaults: {meta: {dagster: {automation_condition: on_upstream_change}}}
features:
  - name: flight_features
    function: delay.features:flight_features
    inputs: {flights: marts/operations/fct_flights}
    output: {table: ML.DELAY.FLIGHT_FEATURES, mode: merge, keys: [flight_id]}
models:
  - name: arrival_delay
    features: flight_features
    target: is_late
    function: delay.model:train
    split: {by: flight_date, train_until: 2013-09-01, validate_until: 2013-11-01}
    metrics: {roc_auc: maximize, brier: minimize}
    promote: {metric: roc_auc, at_least: 0.6}
scores:
  - name: late_arrivals
    model: arrival_delay
    function: delay.model:predict
    output: {table: ML.DELAY.LATE_ARRIVALS, keys: [flight_id], column: probability}
tables:
  - name: daily_risk
    sql: select flight_date, avg(probability) as risk from {scores} group by 1
    inputs: {scores: ml/delay/late_arrivals}
    output: {table: ML.DELAY.DAILY_RISK}
""",
        types={
            "defaults": "the keys of [the defaults](#defaults-of-an-area)",
            "features": "list of [features](#features)",
            "models": "list of [models](#a-model)",
            "scores": "list of [scores](#scores)",
            "tables": "list of [tables](#a-table)",
        },
    ),
    Section("Defaults of an area", Defaults, level=3, types={"meta": META}),
    Section(
        "Features",
        FeatureItem,
        "The function describes rows and reads none: Snowflake makes them when the factory writes"
        " the table. With a partition, which needs its `column`, a run sees of each input that has"
        " this column the rows with start ≤ `column` < end.",
        level=3,
        types={"meta": META},
    ),
    Section(
        "An input",
        InputOptions,
        "An asset key alone stands for its table: that of another entry, or by convention:"
        " `<system>/raw/<table>` is RAW.SYSTEM.TABLE, `<system>/stg/<table>` is"
        " ANALYTICS.STAGING.STG_SYSTEM__TABLE, and `marts/<area>/<model>`,"
        " `intermediate/<area>/<model>`, `seeds/<name>` and `snapshots/<name>` lie in the schema of"
        " their first part. The target's suffixes are added.",
        "{asset: finance/rates, table: FINANCE.PUBLIC.RATES}\n",
        level=3,
    ),
    Section(
        "`output`",
        Output,
        "`overwrite` replaces all rows; with a partition, those of the run's partitions, in one"
        " transaction. `append` adds rows; a partitioned table cannot have it. `merge` replaces the"
        " rows that have the new ones' keys, and adds the others. A column that the table lacks is"
        " added; that the rows lack one of the table's is an error.",
        "{table: ML.DELAY.FEATURES, mode: merge, keys: [flight_id]}\n",
        level=3,
    ),
    Section(
        "A model",
        ModelItem,
        f"A metric is one of {', '.join(f'`{name}`' for name in METRICS)}. To make an older version"
        " the champion again, launch the asset with the run config `promote_version`.",
        level=3,
        types={"meta": META},
    ),
    Section(
        "`split`",
        Split,
        example="{by: flight_date, train_until: 2013-09-01, validate_until: 2013-11-01}\n",
        level=3,
    ),
    Section(
        "`promote`",
        Promote,
        example="{metric: roc_auc, better_than_champion_by: 0.01, at_least: 0.6}\n",
        level=3,
    ),
    Section(
        "Scores",
        ScoreItem,
        level=3,
        types={"meta": META},
    ),
    Section(
        "A version of a model", ModelVersion, example="{name: arrival_delay, version: 3}\n", level=3
    ),
    Section(
        "`output` of scores",
        ScoreOutput,
        example="{table: ML.DELAY.LATE_ARRIVALS, keys: [flight_id], column: probability}\n",
        level=3,
    ),
    Section(
        "A table",
        TableItem,
        "Give `function` or `sql`. What stands for an input may be a query: give it an alias where"
        " its columns need one, `from {flights} f`.",
        level=3,
        types={"meta": META},
    ),
)
