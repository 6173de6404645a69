"""Each variable that the target needs and that is not set is named once, with every place."""

from __future__ import annotations

import pytest

from factories.cli.checking.variables import missing_variables, name_each_variable_once
from factories.cli.location_report import LocationReport
from factories.cli.repository_facts import RepositoryFacts
from factories.core.yaml.problems import Problem

REPORTS = {
    "ingestion": LocationReport(needs=RepositoryFacts(uses_warehouse=True)),
    "transformation": LocationReport(needs=RepositoryFacts(uses_warehouse=True)),
    "plain": LocationReport(
        file="plain/definitions.py",
        needs=RepositoryFacts(resource_variables={"CRM_TOKEN": ["crm", "erp"], "SET": ["x"]}),
    ),
}
CRM = (
    "plain/definitions.py: CRM_TOKEN is not defined in the environment, and the resources crm, erp"
    " need it"
)


def missing(environ: dict[str, str]) -> list[str]:
    return [str(problem) for problem in missing_variables(REPORTS, {"SET": "s3cret", **environ})]


def test_what_the_targets_warehouse_needs_is_told_with_the_locations_that_use_it() -> None:
    needed = "and the target prod needs it for ingestion, transformation"
    where = "is not defined in the environment"
    assert missing({"DP_TARGET": "prod", "SNOWFLAKE_ACCOUNT": "our-account"}) == [
        f"workspace.yaml: SNOWFLAKE_USER {where}, {needed}",
        (
            "workspace.yaml: SNOWFLAKE_PRIVATE_KEY_PATH (or SNOWFLAKE_AUTHENTICATOR)"
            f" {where}, {needed}"
        ),
        CRM,
    ]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {
            "DP_TARGET": "pr_12",
            "SNOWFLAKE_ACCOUNT": "a",
            "SNOWFLAKE_USER": "u",
            "SNOWFLAKE_AUTHENTICATOR": "externalbrowser",
        },
    ],
)
def test_the_embedded_warehouse_and_a_complete_login_need_nothing(environ: dict[str, str]) -> None:
    assert missing(environ) == [CRM]
    assert missing({**environ, "CRM_TOKEN": "t"}) == []


def test_the_name_of_a_variable_that_is_set_may_be_meant_and_never_shows_its_value() -> None:
    (problem,) = missing({"CRM_TOKENS": "s3cret"})
    assert problem == f"{CRM}; did you mean 'CRM_TOKENS'?"


def test_a_variable_is_named_at_its_first_place_with_the_others() -> None:
    def of(file: str, line: int, variable: str = "A") -> Problem:
        return Problem(file, line, 1 if line else 0, f"${{{variable}}} is not", variable=variable)

    found = name_each_variable_once(
        [
            *(of("z.yaml", 3), of("b.yaml", 0), of("a.yaml", 4), of("a.yaml", 9, "B")),
            *(Problem("a.yaml", line, 1, "unknown key") for line in (1, 2, 2)),
        ]
    )
    assert [str(problem) for problem in found] == [
        "a.yaml:1:1: unknown key",
        "a.yaml:2:1: unknown key",
        "a.yaml:4:1: ${A} is not; also needed at b.yaml, z.yaml:3",
        "a.yaml:9:1: ${B} is not",
    ]
