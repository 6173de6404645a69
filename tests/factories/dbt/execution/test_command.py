"""The command line of dbt: what a run may choose, and what is refused before dbt starts."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from factories.core.execution.window import Window
from factories.core.meta.partitions import PartitionSpec, partitions_definition
from factories.dbt.execution.process import dbt_command
from factories.dbt.run_config import BuildOptions, DbtConfigError
from factories.dbt.windows import window_variables

FEBRUARY = Window(datetime(2024, 2, 1), datetime(2024, 3, 1))  # noqa: DTZ001 - of no zone


def test_window_joins_the_variables_and_wins() -> None:
    options = BuildOptions(variables={"window_start": "2000-01-01", "country": "CH"}, threads=3)

    arguments = options.arguments(FEBRUARY)

    assert arguments[:3] == ["--threads", "3", "--vars"]
    assert json.loads(arguments[3]) == {
        "window_start": "2024-02-01 00:00:00",
        "window_end": "2024-03-01 00:00:00",
        "country": "CH",
    }


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("2024-10-27-01:00", ("2024-10-27 01:00:00+02:00", "2024-10-27 02:00:00+02:00")),
        # Both hours that are called two: a row's time of day does not say which it is in.
        ("2024-10-27-02:00", ("2024-10-27 02:00:00+02:00", "2024-10-27 03:00:00+02:00")),
        ("2024-10-27-02:00+0100", ("2024-10-27 02:00:00+01:00", "2024-10-27 03:00:00+01:00")),
        ("2024-10-27-03:00", ("2024-10-27 03:00:00+01:00", "2024-10-27 04:00:00+01:00")),
        # The hour that spring leaves out.
        ("2024-03-31-01:00", ("2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00")),
    ],
)
def test_hour_that_the_clocks_repeat_is_built_whole(key: str, bounds: tuple[str, str]) -> None:
    hourly = PartitionSpec(type="hourly", start="2024-01-01", timezone="Europe/Berlin")
    definition = partitions_definition(hourly)
    assert isinstance(definition, dg.TimeWindowPartitionsDefinition)
    span = definition.time_window_for_partition_key(key)

    found = window_variables(Window(span.start, span.end))

    assert (found["window_start"], found["window_end"]) == bounds
    instants = [datetime.fromisoformat(bound).timestamp() for bound in bounds]
    assert instants == [span.start.timestamp(), span.end.timestamp()]


def test_run_without_options_defers_to_nothing() -> None:
    assert BuildOptions().arguments(None) == ["--no-defer"]


def test_state_is_a_folder_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DP_PROJECT_DIR", str(tmp_path))
    (tmp_path / "state").mkdir()
    (tmp_path / "state/manifest.json").touch()

    arguments = BuildOptions(defer=True, state="state").arguments(None)

    folder = str((tmp_path / "state").resolve())
    assert arguments == ["--defer", "--defer-state", folder, "--no-favor-state"]


@pytest.mark.parametrize(
    ("options", "window", "message"),
    [
        (BuildOptions(full_refresh=True), FEBRUARY, "would replace the other partitions' rows"),
        (BuildOptions(defer=True), None, "defer needs state"),
        (BuildOptions(defer=True, state="nowhere"), None, "there is no manifest.json in .*nowhere"),
        (BuildOptions(favor_state=True), None, "favor_state stands without defer"),
        (BuildOptions(threads=0), None, "threads must be 1 or more, not 0"),
    ],
)
def test_what_cannot_work_is_refused(
    options: BuildOptions, window: Window | None, message: str
) -> None:
    with pytest.raises(DbtConfigError, match=message):
        options.arguments(window)


def test_tests_know_no_full_refresh() -> None:
    arguments = BuildOptions(full_refresh=True).arguments(None)

    assert "--full-refresh" in dbt_command("build", Path(), Path(), (), arguments)
    assert "--full-refresh" not in dbt_command("test", Path(), Path(), (), arguments)
