"""Every mistake in an area's YAML is told: where, what, what is allowed, what was meant."""

from __future__ import annotations

import pytest

from tests.factories.conftest import YamlProject

PROBLEM_AT = "snowpark/delay.yaml:"
NO_PACKAGE = "is not a package that Snowflake can take, like numpy, numpy==2.3.* or numpy>=2.1,<3"
RIGHT = """\
features:
  - name: flights
    function: delay.features:flights
    inputs: {flights: marts/operations/fct_flights}
    output: {table: ML.DELAY.FLIGHTS, mode: merge, keys: [flight_id]}
models:
  - name: arrival_delay
    features: flights
    target: is_late
    function: delay.model:train
    split: {by: flight_date, train_until: "2013-09-01", validate_until: "2013-11-01"}
    metrics: {roc_auc: maximize, brier: minimize}
    promote: {metric: roc_auc, at_least: 0.6}
scores:
  - name: predictions
    model: arrival_delay
    function: delay.model:predict
    output: {table: ML.DELAY.PREDICTIONS, keys: [flight_id], column: probability}
tables:
  - name: late
    sql: select * from {predictions} where probability > 0.5
    inputs: {predictions: ml/delay/predictions}
    output: {table: ML.DELAY.LATE}
"""


@pytest.fixture
def project(yaml_project: YamlProject) -> YamlProject:
    functions = {
        "features": "def flights(session, inputs): ...\ndef alone(session): ...\n",
        "model": "def train(data, params): ...\ndef predict(model, features, *, cut): ...\n",
    }
    functions["model"] = functions["model"].replace(", *, cut", "")
    functions["model"] += "def strict(model, features, *, cut): ...\n"
    for name, text in functions.items():
        yaml_project.write(f"snowpark/delay/{name}.py", text)
    return yaml_project


def problems(project: YamlProject, text: str = RIGHT) -> list[str]:
    project.write("snowpark/delay.yaml", text)
    return project.problems(snowpark="snowpark")


def problem(project: YamlProject, old: str, new: str) -> str:
    """The only problem once a text of the right file is another."""
    assert RIGHT.count(old) == 1, old
    (found,) = problems(project, RIGHT.replace(old, new))
    assert found.startswith(PROBLEM_AT), found
    return found.removeprefix(PROBLEM_AT)


def test_what_is_right_has_no_problem(project: YamlProject) -> None:
    assert problems(project) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("tables:", "tabels:", "19:1: unknown key 'tabels'; did you mean 'tables'?"),
        ("    sql:", "    sqll: x\n    sql:", "21:5: unknown key 'sqll'; did you mean 'sql'?"),
        (
            "name: late",
            "name: Late",
            "20:11: name: 'Late' must be lower-case letters, digits and _",
        ),
        ("    target: is_late\n", "", "7:5: the key 'target' is missing"),
        (
            "name: late",
            "name: flights",
            "20:11: name: flights is also the entry at snowpark/delay.yaml:2: give another",
        ),
        (
            "delay.features:flights",
            "delay.features:flihgts",
            (
                "3:15: features.py has no function 'flihgts'; did you mean 'flights'?"
                " (allowed: alone, flights)"
            ),
        ),
        (
            "delay.model:train",
            "delay.modl:train",
            (
                "10:15: there is no module 'delay.modl', neither as a file in snowpark/ nor"
                " installed; did you mean 'delay.model'? (allowed: delay.features, delay.model)"
            ),
        ),
        (
            "delay.features:flights",
            "delay.features:alone",
            "3:15: it is called as alone(session, inputs), and takes 1 arguments",
        ),
        (
            "delay.model:predict",
            "delay.model:strict",
            "17:15: it is called as strict(model, features), and cannot do without cut",
        ),
        (
            "{flights: marts/operations/fct_flights}",
            "{flights: marts/operations fct}",
            "4:23: flights: 'marts/operations fct' is not an asset key like flight_ops/raw/flights",
        ),
        (
            "marts/operations/fct_flights",
            "operations/fct_flights",
            (
                "4:23: inputs: no convention gives the table of operations/fct_flights: give"
                " {asset: …, table: …} (allowed: <system>/raw/<table>, <system>/stg/<table>,"
                " marts/<area>/<model>, intermediate/<area>/<model>, seeds/<name>,"
                " snapshots/<name>)"
            ),
        ),
        (
            "ml/delay/predictions",
            "ml/delay/predictoins",
            (
                "22:27: inputs: nothing in snowpark/ makes ml/delay/predictoins;"
                " did you mean 'ml/delay/predictions'?"
            ),
        ),
        (
            "ml/delay/predictions",
            "ml/delay/arrival_delay",
            "22:27: inputs: ml/delay/arrival_delay is a model: it has no table to read",
        ),
        (
            "{predictions: ml/delay/predictions}",
            "{predictions: {asset: ml/delay/predictions, table: ML.DELAY.LATE}}",
            (
                "22:27: inputs: ml/delay/predictions is written to ML.DELAY.PREDICTIONS:"
                " leave out table"
            ),
        ),
        (
            "ml/delay/predictions",
            "ml/delay/late",
            "22:27: inputs: ml/delay/late cannot read itself",
        ),
        (
            "ML.DELAY.LATE",
            "ML.LATE",
            "23:21: table: 'ML.LATE' is not a table like ML.DELAY.FEATURES",
        ),
        (
            "ML.DELAY.LATE",
            "ML.DELAY.FLIGHTS",
            (
                "20:5: the table ML.DELAY.FLIGHTS is loaded here and at snowpark/delay.yaml:2:"
                " name another table"
            ),
        ),
        (
            "ML.DELAY.LATE",
            "ML.DELAY.MODELS",
            (
                "20:5: the table ML.DELAY.MODELS is loaded here and at snowpark/delay.yaml:6:"
                " name another table"
            ),
        ),
        (
            "ML.DELAY.LATE",
            "ML.DELAY.MODELS_LOCK",
            (
                "20:5: the table ML.DELAY.MODELS_LOCK is loaded here and at snowpark/delay.yaml:6:"
                " name another table"
            ),
        ),
        (
            "mode: merge, keys: [flight_id]",
            "mode: merge",
            "5:45: mode: merge needs keys",
        ),
        (
            "mode: merge",
            "mode: marge",
            (
                "5:45: mode: 'marge' is not one of the allowed values; did you mean 'merge'?"
                " (allowed: overwrite, append, merge)"
            ),
        ),
        (
            "mode: merge, keys: [flight_id]",
            "keys: [id, ID]",
            "5:45: keys: the column id is listed twice",
        ),
        (
            "{predictions} where",
            "{prediction} p join {predictions} where",
            (
                "21:10: sql: {prediction} is not among the inputs; did you mean 'predictions'?"
                " (allowed: predictions)"
            ),
        ),
        ("{predictions} where", "x where", "22:14: inputs: the query never uses {predictions}"),
        (
            "    sql: select * from {predictions} where probability > 0.5\n",
            "",
            "20:5: give function or sql",
        ),
        (
            "    inputs: {predictions:",
            "    function: delay.features:flights\n    inputs: {predictions:",
            "21:5: give function or sql, not both",
        ),
        (
            "features: flights",
            "features: flihgts",
            (
                "8:15: features: 'flihgts' is not among the file's features;"
                " did you mean 'flights'? (allowed: flights)"
            ),
        ),
        (
            "model: arrival_delay",
            "model: arival_delay",
            (
                "16:12: model: 'arival_delay' is not among the file's models;"
                " did you mean 'arrival_delay'? (allowed: arrival_delay)"
            ),
        ),
        (
            "model: arrival_delay",
            "model: {name: arival_delay, version: 1}",
            (
                "16:19: model: 'arival_delay' is not among the file's models;"
                " did you mean 'arrival_delay'? (allowed: arrival_delay)"
            ),
        ),
        (
            "model: arrival_delay",
            "model: {name: arrival_delay, version: 0}",
            "16:43: version: must be greater than or equal to 1, not 0",
        ),
        (
            "target: is_late",
            "target: flight_date",
            "9:13: target: flight_date is what the rows are split by",
        ),
        (
            'train_until: "2013-09-01"',
            'train_until: "2013-12-01"',
            "11:12: split: validate_until must come after train_until",
        ),
        (
            'train_until: "2013-09-01"',
            "train_until: September",
            ("11:43: train_until: 'September' is not a date like 2013-01-01 or 2013-01-01T06:00"),
        ),
        (
            "roc_auc: maximize",
            "roc_auc: minimize, accuracy: maximize",
            "12:24: roc_auc: it is better to maximize it",
        ),
        (
            "roc_auc: maximize",
            "roc_auc: maximise",
            (
                "12:24: roc_auc: 'maximise' is not one of the allowed values;"
                " did you mean 'maximize'? (allowed: maximize, minimize)"
            ),
        ),
        (
            "brier: minimize",
            "mae: minimize",
            "12:5: metrics: mae is of a regression, roc_auc of a classifier",
        ),
        (
            "promote: {metric: roc_auc, at_least",
            "promote: {metric: roc, at_least",
            (
                "13:23: metric: 'roc' is not among the model's metrics;"
                " did you mean 'roc_auc'? (allowed: roc_auc, brier)"
            ),
        ),
        (
            "promote: {metric: roc_auc, at_least",
            "promote: {metric: brier, at_least",
            "13:30: at_least: brier is minimized, so it takes at_most",
        ),
        (
            "at_least: 0.6",
            "better_than_champion_by: -1",
            "13:57: better_than_champion_by: must be greater than or equal to 0, not -1",
        ),
        ("at_least: 0.6", 'at_least: "0.6"', "13:42: at_least: must be a number"),
        (
            "column: probability",
            "column: Flight_ID",
            "18:70: column: Flight_ID is also another column's name",
        ),
        (
            "column: probability",
            "column: scored_at",
            "18:70: column: scored_at is also another column's name",
        ),
        (
            "keys: [flight_id], column",
            "keys: [], column",
            "18:49: keys: must not be empty",
        ),
        (
            "    output: {table: ML.DELAY.LATE}\n",
            "    output: {table: ML.DELAY.LATE}\n    runs_in: client\n",
            "24:5: unknown key 'runs_in'",
        ),
        (
            "    output: {table: ML.DELAY.LATE}\n",
            "    output: {table: ML.DELAY.LATE}\n    packages: [numpy, pandas=2]\n",
            f"24:23: packages[1]: 'pandas=2' {NO_PACKAGE}",
        ),
        (
            "    output: {table: ML.DELAY.LATE}\n",
            "    output: {table: ML.DELAY.LATE}\n    packages: num'py\n",
            f'24:15: packages: "num\'py" {NO_PACKAGE}',
        ),
        (
            "at_least: 0.6",
            "at_least: .nan",
            "13:42: at_least: must be a finite number, not nan",
        ),
        (
            "name: late",
            r'name: "late\n"',
            r"20:11: name: 'late\n' must be lower-case letters, digits and _",
        ),
        (
            "ML.DELAY.LATE",
            r'"ML.DELAY.LATE\n"',
            r"23:21: table: 'ML.DELAY.LATE\n' is not a table like ML.DELAY.FEATURES",
        ),
        (
            "target: is_late",
            r'target: "is_late\n"',
            (
                r"9:13: target: 'is_late\n' is not a column name: letters, digits and _,"
                " without quotes"
            ),
        ),
        (
            "    output: {table: ML.DELAY.LATE}\n",
            '    output: {table: ML.DELAY.LATE}\n    warehouse: "${WAREHOUSE}"\n',
            "24:16: ${WAREHOUSE}: snowpark takes no variables: write the value",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place(
    project: YamlProject, old: str, new: str, expected: str
) -> None:
    found = problem(project, old, new)
    if "unknown key" in expected:
        found = found.partition(" (allowed")[0]
    assert found == expected


MONTHLY = 'partition: {type: monthly, start: "2013-01-01", column: day}'


@pytest.mark.parametrize(
    ("entry", "block", "output", "expected"),
    [
        (
            "flights",
            'partition: {type: monthly, start: "2013-01-01"}',
            "",
            "6:33: partition: it needs column, which holds a row's partition",
        ),
        (
            "flights",
            MONTHLY,
            "mode: append",
            "5:45: mode: append would repeat a partition's rows: use overwrite or merge",
        ),
        (
            "predictions",
            MONTHLY,
            "mode: overwrite",
            "18:49: mode: overwrite would replace the other partitions' rows: use merge",
        ),
        (
            "arrival_delay",
            MONTHLY,
            "",
            "14:33: partition: a model is trained on all of its features",
        ),
        (
            "arrival_delay",
            "checks: {rows: {min: 1}}",
            "",
            "14:30: checks: a model is not a table: its metrics are checked",
        ),
        (
            "predictions",
            "checks: {sql: {feature_drift: probability > 0}}",
            "",
            "19:37: feature_drift: a check of scores has this name: give it another",
        ),
        (
            "arrival_delay",
            "data_version: content",
            "",
            "14:36: data_version: a model is not a table: each training has a version of its own",
        ),
        (
            "flights",
            'backfill: {type: monthly, start: "2013-01-01"}',
            "",
            "6:32: backfill: only dbt models take it",
        ),
        (
            "flights",
            "deps: [ml/delay/flights]",
            "",
            "6:28: deps: ml/delay/flights cannot depend on itself",
        ),
        (
            "late",
            "asset_key: ml/delay/flights",
            "",
            (
                "20:5: the asset key ml/delay/flights is produced here and at"
                " snowpark/delay.yaml:2: set asset_key on one of them"
            ),
        ),
        ("late", "ownres: [team:a]", "", "24:22: unknown key 'ownres'; did you mean 'owners'?"),
    ],
)
def test_a_mistake_in_the_block_is_reported_with_its_place(
    project: YamlProject, entry: str, block: str, output: str, expected: str
) -> None:
    head, name, rest = RIGHT.partition(f"  - name: {entry}\n")
    lines = rest.split("\n")
    last = next(n for n, line in enumerate(lines) if not line.startswith("    "))
    own = lines[:last]
    if output:
        own = [
            line.replace("mode: merge", output).replace("PREDICTIONS, ", f"PREDICTIONS, {output}, ")
            for line in own
        ]
    own.append(f"    meta: {{dagster: {{{block}}}}}")
    text = "\n".join([head + name.rstrip("\n"), *own, *lines[last:]])

    (found,) = problems(project, text)

    assert found.removeprefix(PROBLEM_AT).partition(" (allowed: automation")[0] == expected


def test_a_circle_is_reported(project: YamlProject) -> None:
    text = """
    tables:
      - name: a
        sql: select * from {b}
        inputs: {b: ml/delay/b}
        output: {table: ML.DELAY.A}
      - name: b
        sql: select * from {a}
        inputs: {a: ml/delay/a}
        output: {table: ML.DELAY.B}
    """
    (found,) = problems(project, text)

    assert "that is a circle" in found
    assert "ml/delay/a reads ml/delay/b" in found


def test_a_mistake_in_one_entry_makes_no_other_look_wrong(project: YamlProject) -> None:
    (found,) = problems(project, RIGHT.replace("keys: [flight_id]}", "keys: [flight id]}"))

    assert "'flight id' is not a column name" in found


def test_two_files_of_one_area_and_a_name_that_does_not_exist_are_reported(
    project: YamlProject,
) -> None:
    project.write("snowpark/delay.yml", "tables: []\n")
    project.write("snowpark/Late flights.yaml", "tables: []\n")

    assert problems(project) == [
        (
            "snowpark/Late flights.yaml: the file's name is the area: 'Late flights' must be"
            " lower-case letters, digits and _"
        ),
        "snowpark/delay.yml: delay.yaml describes this area: one file describes it",
    ]


def test_a_mistake_in_the_defaults_is_reported_once(project: YamlProject) -> None:
    (found,) = problems(project, f"defaults: {{runs_in: laptop}}\n{RIGHT}")

    assert found == (
        "snowpark/delay.yaml:1:21: runs_in: 'laptop' is not one of the allowed values"
        " (allowed: snowflake, client)"
    )


@pytest.mark.parametrize(
    "package",
    [
        "numpy",
        "Scikit_Learn",
        "snowflake-ml-python==1.9.0",
        "numpy==2.*",
        "a>=1.2, <2.0rc1",
        "a > 1",
    ],
)
def test_packages_are_named_as_snowflake_takes_them(project: YamlProject, package: str) -> None:
    assert problems(project, f"defaults: {{packages: ['{package}']}}\n{RIGHT}") == []


@pytest.mark.parametrize(
    "package",
    [
        "",
        "numpy==",
        "numpy 2",
        "numpy~=2.1",
        "numpy[all]",
        "numpy;",
        "a==1');",
        "numpy\\n",
        "-a",
        "a<2.*",
    ],
)
def test_what_is_not_a_package_for_snowflake_is_reported_at_its_place(
    project: YamlProject, package: str
) -> None:
    (found,) = problems(project, f'defaults: {{packages: [numpy, "{package}"]}}\n{RIGHT}')
    assert found.startswith("snowpark/delay.yaml:1:30: packages[1]: ")
    assert found.endswith(NO_PACKAGE)
