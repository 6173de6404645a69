"""The names of Dagster that are not public do what the factories need, in the installed version."""

from __future__ import annotations

import datetime as dt
import itertools
import sys

import pytest
from dagster._core.definitions.definitions_load_context import (
    DefinitionsLoadContext,
    DefinitionsLoadType,
)
from dagster._utils.error import serializable_error_info_from_exc_info

from factories.core.dagster_internals import (
    CodeLocationConfigError,
    TickError,
    is_reconstruction,
    parse_selection,
    ticks_before,
)
from factories.core.yaml.problems import Problem


def test_a_step_that_reads_definitions_again_is_distinguished_from_a_code_server() -> None:
    assert not is_reconstruction()

    with DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION)):
        assert is_reconstruction()


def test_a_selection_is_read_by_dagsters_parser_which_says_what_is_wrong() -> None:
    assert parse_selection("group:shop or kind:dbt").to_selection_str() == (
        'group:"shop" or kind:"dbt"'
    )
    with pytest.raises(ValueError, match="line 1, column 14: mismatched input '<EOF>'"):
        parse_selection("group:shop and")


def test_ticks_before_a_moment_are_the_schedulers() -> None:
    moment = dt.datetime(2024, 3, 11, 12, tzinfo=dt.UTC)  # a day after the clocks went forward
    ticks = list(itertools.islice(ticks_before(moment, "0 5 * * *", "America/New_York"), 2))
    assert [tick.astimezone(dt.UTC).isoformat() for tick in ticks] == [
        "2024-03-11T09:00:00+00:00",
        "2024-03-10T09:00:00+00:00",
    ]


def test_dagster_shows_why_a_tick_failed_as_one_sentence() -> None:
    try:
        raise TickError("The folder in does not exist")  # noqa: TRY301 - as below
    except TickError:
        shown = serializable_error_info_from_exc_info(sys.exc_info())

    assert shown.to_string().strip() == "The folder in does not exist"


def test_dagster_shows_a_configuration_error_as_its_report_alone() -> None:
    problem = Problem("sling/shop.yaml", 3, 5, "unknown key 'x'")
    try:
        raise CodeLocationConfigError([problem])  # noqa: TRY301 - Dagster needs its traceback
    except CodeLocationConfigError:
        shown = serializable_error_info_from_exc_info(sys.exc_info())

    assert "sling/shop.yaml:3:5: unknown key 'x'" in shown.to_string()
    assert "Traceback" not in shown.to_string()
    assert not shown.stack
