"""`${VAR}`: reported when undefined, asked for only when something runs."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from factories.core.local_systems import LocalSystemError
from factories.core.yaml import variables
from factories.core.yaml.variables import UndefinedVariableError, interpolate, value
from tests.factories.conftest import YamlProject


def broken_system() -> str:
    """A local system that must not be started."""
    raise AssertionError("a provider was called")


def given_value() -> str:
    """A local system that provides its URL."""
    return "given by the local system"


def provide(monkeypatch: pytest.MonkeyPatch, name: str, function: str) -> None:
    """Install a local system's provider, as an entry point of an installed package."""
    point = EntryPoint(name, f"{__name__}:{function}", variables.PROVIDERS)
    monkeypatch.setattr(variables, "local_providers", lambda: {name: point})


def test_every_undefined_variable_is_reported_at_its_place(yaml_project: YamlProject) -> None:
    yaml_project.write(
        "sling/connections.yaml",
        """
        connections:
          shop: {type: postgres, host: "${SHOP_HOST}", password: "a${SHOP_URLL}b"}
        """,
    )
    yaml_project.replication("public.orders: {where: 'region = ${REGION_OF_NOWHERE}'}")
    problems = yaml_project.problems()
    assert problems[0].startswith(
        "sling/connections.yaml:2:32: ${SHOP_HOST} is not defined in the environment"
    )
    assert problems[1].startswith(
        "sling/connections.yaml:2:58: ${SHOP_URLL} is not defined in the environment;"
        " did you mean 'SHOP_URL'?"
    )
    assert problems[2].startswith("sling/shop.yaml:5:26: ${REGION_OF_NOWHERE} is not defined")


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("x = ${}", "${} is not the name of a variable"),
        (
            "x = ${SHOP_URL:-1}",
            "${SHOP_URL:-1} is not the name of a variable: write ${SHOP_URL}, a default is not",
        ),
        ("$SHOP_URL", "a variable is written ${SHOP_URL}"),
        ("x = ${SHOP_URL", "a variable is written ${SHOP_URL}"),
    ],
)
def test_what_is_not_a_variable_is_reported(
    yaml_project: YamlProject, text: str, reported: str
) -> None:
    yaml_project.replication(f"public.orders: {{where: '{text}'}}")
    (problem,) = yaml_project.problems()
    assert problem.startswith(f"sling/shop.yaml:5:26: {reported}")


def test_a_dollar_that_means_no_variable_is_left_alone(yaml_project: YamlProject) -> None:
    yaml_project.replication("public.orders: {where: 'price = $5 or path = $.x or y = $$Z$$'}")
    assert yaml_project.problems() == []


def test_a_local_system_provides_a_value_on_the_local_target_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provide(monkeypatch, "SAMPLE_URL", "given_value")
    monkeypatch.delenv("DP_TARGET", raising=False)
    assert value("SAMPLE_URL") == "given by the local system"
    monkeypatch.setenv("DP_TARGET", "dev")
    with pytest.raises(UndefinedVariableError, match="SAMPLE_URL is not defined"):
        value("SAMPLE_URL")
    monkeypatch.setenv("SAMPLE_URL", "from the environment")
    assert value("SAMPLE_URL") == "from the environment"


def test_the_environment_stands_before_a_local_system(monkeypatch: pytest.MonkeyPatch) -> None:
    provide(monkeypatch, "SAMPLE_URL", "broken_system")
    monkeypatch.setenv("SAMPLE_URL", "real")
    assert value("SAMPLE_URL") == "real"


def test_loading_definitions_asks_no_provider(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_URL")
    provide(monkeypatch, "SHOP_URL", "broken_system")
    yaml_project.replication("public.orders:")
    assert "shop/raw/orders" in yaml_project.specs()
    with pytest.raises(LocalSystemError, match="SHOP_URL: a provider was called"):
        value("SHOP_URL")


def test_a_connection_without_its_secret_is_an_error_and_not_skipped(
    yaml_project: YamlProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_URL")
    yaml_project.replication("public.orders:")
    (problem,) = yaml_project.problems()
    assert problem.startswith("sling/connections.yaml:2:31: ${SHOP_URL} is not defined")


def test_interpolation_makes_a_copy_and_returns_the_values_it_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("TWO", "2")
    data = {"a": ["x${ONE}y${TWO}", 3, None], "b": {"c": "${ONE}"}, "d": "$ONE {ONE}"}
    seen: dict[str, str] = {}
    assert interpolate(data, seen) == {"a": ["x1y2", 3, None], "b": {"c": "1"}, "d": "$ONE {ONE}"}
    assert data == {"a": ["x${ONE}y${TWO}", 3, None], "b": {"c": "${ONE}"}, "d": "$ONE {ONE}"}
    assert seen == {"ONE": "1", "TWO": "2"}


def test_a_value_is_not_interpolated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "${TWO}")
    assert interpolate("${ONE}") == "${TWO}"


def test_interpolating_an_undefined_variable_names_it() -> None:
    with pytest.raises(UndefinedVariableError, match="NOT_DEFINED_ANYWHERE is not defined"):
        interpolate({"a": "${NOT_DEFINED_ANYWHERE}"})
