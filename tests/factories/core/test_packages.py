"""Libraries that a resource needs: one that is missing or does not fit is told in a sentence."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import pytest

from factories.core.assets.lazy_resources import lazy_resource
from factories.core.packages import MissingPackageError, import_function

DAGSTER = version("dagster")


@pytest.fixture
def site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions, which is found before the environment's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, *requirements: str) -> None:
    """Put the metadata of version 9.1 of a distribution into a folder, as pip does."""
    info = folder / f"{name.replace('-', '_')}-9.1.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 9.1"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requirements]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def require_package(package: str) -> None:
    """Import a function that needs a library, from a module that is there."""
    assert import_function("json:loads", package) is json.loads


def test_what_is_installed_and_fits_is_taken(site_packages: Path) -> None:
    require_package("dagster-snowflake")  # the environment's own
    install(site_packages, "dagster-oracle", f"dagster=={DAGSTER}", "oracledb>=99")

    require_package("dagster-oracle")


def test_missing_library_of_an_extra_is_reported_with_the_extra(
    site_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site_packages, "data-platform", 'dagster-oracle>=1; extra == "warehouses"')

    with pytest.raises(MissingPackageError) as raised:
        require_package("dagster-oracle")

    assert str(raised.value) == (
        "this environment has no dagster-oracle: install data-platform[warehouses]"
    )
    assert raised.value.__suppress_context__


def test_missing_library_of_no_extra_is_reported_by_its_name() -> None:
    with pytest.raises(MissingPackageError) as raised:
        require_package("dagster-oracle")

    assert str(raised.value) == "this environment has no dagster-oracle: install dagster-oracle"


def test_library_that_was_made_for_another_dagster_is_reported_with_both_versions(
    site_packages: Path,
) -> None:
    install(site_packages, "dagster-snowflake", "dagster==99.9", "pandas; extra == 'pandas'")

    with pytest.raises(MissingPackageError) as raised:
        require_package("dagster-snowflake")

    sentence = str(raised.value)
    assert re.sub(r"\[[\w-]+\]$", "[…]", sentence) == (
        f"dagster-snowflake 9.1 needs dagster==99.9, but this environment has dagster {DAGSTER}:"
        " install data-platform[…]"
    )


def test_module_that_needs_more_than_is_there_is_reported_with_what_to_install(
    site_packages: Path,
) -> None:
    install(site_packages, "dagster-oracle", f"dagster=={DAGSTER}")
    (site_packages / "own_oracle.py").write_text("import not_installed_anywhere\n")
    (site_packages / "own_older.py").write_text("from json import no_such_name\n")

    with pytest.raises(MissingPackageError) as raised:
        import_function("own_oracle:create", "dagster-oracle")
    assert str(raised.value) == (
        "this environment has no not_installed_anywhere: install dagster-oracle"
    )
    with pytest.raises(
        MissingPackageError, match=r"^the installed dagster-oracle does not fit: cannot import name"
    ):
        import_function("own_older:create", "dagster-oracle")


def test_requirement_under_a_condition_does_not_count(site_packages: Path) -> None:
    install(site_packages, "dagster-oracle", 'dagster==99.9; extra == "test"')

    require_package("dagster-oracle")


@pytest.mark.parametrize(
    ("requirement", "sentence"),
    [
        (None, "this environment has no dagster-oracle: install dagster-oracle"),
        (
            "dagster==99.9",
            (
                "dagster-oracle 9.1 needs dagster==99.9, but this environment has dagster"
                f" {DAGSTER}: install dagster-oracle"
            ),
        ),
    ],
    ids=["missing", "does not fit"],
)
def test_a_step_that_asks_for_the_resource_fails_with_the_sentence(
    site_packages: Path, requirement: str | None, sentence: str
) -> None:
    if requirement is not None:
        install(site_packages, "dagster-oracle", requirement)
    oracle = lazy_resource("no_such_module:create", package="dagster-oracle", description="")

    @dg.asset(required_resource_keys={"oracle"})
    def orders() -> None: ...

    with pytest.raises(dg.DagsterResourceFunctionError) as raised:
        dg.materialize([orders], resources={"oracle": oracle})

    failure = raised.value.__cause__
    assert isinstance(failure, dg.Failure)
    assert (failure.description, failure.allow_retries) == (sentence, False)
    assert failure.__suppress_context__
