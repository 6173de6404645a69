"""dbt's errors as problems: the texts are dbt 1.11's, the files those that it was given."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from factories.core.assets.context import LoadContext
from factories.core.meta.condition_lookup import AutomationConditions
from factories.core.warehouse.names import WarehouseNames
from factories.dbt.diagnostics.known_parse_errors import KNOWN_ERRORS, KnownError
from factories.dbt.diagnostics.parse_errors import parse_problems
from tests.factories.dbt.written_project import WrittenProject

PROJECT = """
name: small
version: "1.0"
profile: small
modles: {small: {+tags: [a]}}
seeds: {small: {+group: nobody}}
"""
FILES = {
    "dbt_project.yml": PROJECT,
    "models/marts/first.sql": "select 1 as id\n",
    "models/marts/second.sql": (
        "select *, {{ source('shop', 'x') }}\n\nfrom {{ ref('frist') }} as f\n"
    ),
    "models/_models.yml": """
        models:
          - name: first
            description: "{{ doc('nope') }}"
            config: {group: somme, enabled: maybe}
            columns:
              - {name: id, data_tests: [{not_null: {config: {severity: warning}}}]}
              - {name: b, data_tests: [{not_null: {config: {severity: WARN}}}]}
        sources:
          - name: shops
            tables:
              - name: x
                config: {freshness: {warn_after: {count: 1, period: hours}}}
    """,
    "snapshots/_snapshots.yml": """
        snapshots:
          - {name: kept, relation: ref('first'), config: {strategy: check, unique_key: id}}
          - {name: snap, relation: ref('first'), config: {strategy: check, check_cols: all}}
    """,
}
TRACEBACK = """
04:22:40  Traceback (most recent call last):
  File "/somewhere/site-packages/dbt/cli/requires.py", line 187, in wrapper
dbt_common.dataclass_schema.ValidationError: once more
"""
CASES = {
    "a period": (
        (
            'Field "warn_after" of type Optional[Time] in FreshnessThreshold has invalid value'
            f" {{'count': 1, 'period': 'hours'}}{TRACEBACK}"
        ),
        (
            "models/_models.yml:12:61: period: 'hours' is not one of the allowed values;"
            " did you mean 'hour'? (allowed: minute, hour, day)"
        ),
    ),
    "a snapshot": (
        f"Snapshots must be configured with a 'strategy' and 'unique_key'.{TRACEBACK}",
        "snapshots/_snapshots.yml:3:5: the snapshot snap lacks unique_key",
    ),
    "a severity": (
        "Parsing Error\n  at path []: Severity must be either 'warn' or 'error'. Got 'warning'",
        (
            "models/_models.yml:6:64: severity: 'warning' is not one of the allowed values;"
            " did you mean 'warn'? (allowed: warn, error)"
        ),
    ),
    "a type": (
        "Parsing Error\n  at path ['enabled']: 'maybe' is not of type 'boolean'",
        "models/_models.yml:4:37: enabled: 'maybe' is not of type 'boolean'",
    ),
    "a key of dbt_project.yml": (
        (
            "Runtime Error\n  at path []: Additional properties are not allowed ('modles' was"
            " unexpected)\n\nError encountered in /somewhere/dbt_project/dbt_project.yml"
        ),
        "dbt_project.yml:4:1: unknown key 'modles'; did you mean 'models'?",
    ),
    "a model": (
        (
            "Compilation Error\n  Model 'model.small.second' (models/marts/second.sql) depends on a"
            " node named 'frist' which was not found"
        ),
        (
            "models/marts/second.sql:3:14: there is no model, seed or snapshot 'frist';"
            " did you mean 'first'?"
        ),
    ),
    "a disabled model": (
        (
            "Compilation Error\n  Model 'model.small.second' (models/marts/second.sql) depends on a"
            " node named 'frist' in package or project 'small' which is disabled"
        ),
        "models/marts/second.sql:3:14: the model, seed or snapshot 'frist' is disabled",
    ),
    "a source": (
        (
            "Compilation Error\n  Model 'model.small.second' (models/marts/second.sql) depends on a"
            " source named 'shop.x' which was not found"
        ),
        "models/marts/second.sql:1:22: there is no source 'shop.x'; did you mean 'shops.x'?",
    ),
    "a group": (
        (
            "Parsing Error in model first (models/marts/first.sql)\n"
            "  Invalid group 'somme', expected one of ['some']"
        ),
        (
            "models/_models.yml:4:21: group: there is no group 'somme'; did you mean 'some'?"
            " (allowed: some)"
        ),
    ),
    "a group where none is": (
        (
            "Parsing Error in seed codes (seeds/codes.csv)\n"
            "  Invalid group 'nobody', expected one of []"
        ),
        "dbt_project.yml:5:25: group: there is no group 'nobody': none is declared",
    ),
    "a doc": (
        (
            "Compilation Error\n  Documentation for 'model.small.first' depends on doc 'nope' "
            " which was not found"
        ),
        "models/_models.yml:3:27: there is no doc 'nope'",
    ),
    "a profile": (
        "Runtime Error\n  Could not find profile named 'small'",
        "dbt_project.yml:3:10: profiles.yml has no profile 'small' (allowed: other)",
    ),
    "what is not foreseen": (
        (
            "Something new\n\x1b[0m04:22:41  Error uploading artifacts to artifact ingestion API: x"
            f"{TRACEBACK}"
        ),
        "dbt cannot parse it: Something new",
    ),
    "packages": (
        (
            "Compilation Error\n  dbt found 2 package(s) specified in packages.yml, but only 1"
            ' package(s) installed in dbt_packages. Run "dbt deps" to install package dependencies.'
        ),
        (
            "dbt cannot parse it: Compilation Error dbt found 2 package(s) specified in"
            " packages.yml, but only 1 package(s) installed in dbt_packages. `make setup`"
            " installs them"
        ),
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> WrittenProject:
    written = WrittenProject(tmp_path_factory.mktemp("refused"))
    written.write(FILES)
    (written.folder / "profiles.yml").write_text("other: {target: t, outputs: {t: {}}}\n")
    return written


def problems(project: WrittenProject, text: str) -> list[str]:
    output = "04:22:40  Encountered an error:\n" + textwrap.dedent(text)
    load_context = LoadContext(project.root, WarehouseNames("local"), AutomationConditions())
    return [str(problem) for problem in parse_problems(project.folder, output, load_context)]


def test_a_variable_that_is_not_set_is_known_as_one(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    context = LoadContext(tmp_path, WarehouseNames("local"), AutomationConditions())
    text = "Parsing Error\n  Env var required but not provided: 'SHOP_SCHEMA'\n"
    (problem,) = parse_problems(tmp_path, text, context)
    assert problem.variable == "SHOP_SCHEMA"


@pytest.mark.parametrize("case", CASES)
def test_an_error_is_reported_at_its_place(project: WrittenProject, case: str) -> None:
    text, expected = CASES[case]
    (problem,) = problems(project, text)
    assert problem.removeprefix("dbt_project").lstrip("/: ") == expected


def test_a_project_without_profiles(project: WrittenProject, tmp_path: Path) -> None:
    bare = WrittenProject(tmp_path)
    bare.write({"dbt_project.yml": PROJECT})
    (bare.folder / "profiles.yml").unlink()
    assert problems(bare, "Runtime Error\n  Could not find profile named 'small'") == [
        "dbt_project: there is no profiles.yml in this folder: it says how dbt connects"
    ]


@pytest.mark.parametrize("error", KNOWN_ERRORS, ids=lambda error: error.find.__name__)
def test_example_of_a_known_error_is_found_in_the_project(
    project: WrittenProject, error: KnownError
) -> None:
    assert [known for known in KNOWN_ERRORS if re.search(known.pattern, error.example)] == [error]

    (problem,) = problems(project, error.example)

    assert "dbt cannot parse it" not in problem
