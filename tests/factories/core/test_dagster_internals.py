"""The names of Dagster that are not public do what the factories need, in the installed version."""

from __future__ import annotations

import sys

from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from dagster._utils.error import serializable_error_info_from_exc_info

from factories.core.dagster_internals import CodeLocationConfigError, is_reconstruction
from factories.core.yaml.problems import Problem


def test_a_step_that_reads_definitions_again_is_distinguished_from_a_code_server() -> None:
    assert not is_reconstruction()

    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        assert is_reconstruction()


def test_dagster_shows_a_configuration_error_as_its_report_alone() -> None:
    problem = Problem("sling/shop.yaml", 3, 5, "unknown key 'x'")
    try:
        raise CodeLocationConfigError([problem])  # noqa: TRY301 - Dagster needs its traceback
    except CodeLocationConfigError:
        shown = serializable_error_info_from_exc_info(sys.exc_info())

    assert "sling/shop.yaml:3:5: unknown key 'x'" in shown.to_string()
    assert "Traceback" not in shown.to_string()
    assert not shown.stack
