"""Names of any characters become names that Dagster takes, each its own."""

from __future__ import annotations

from dagster._core.definitions.utils import VALID_NAME_REGEX
from hypothesis import given
from hypothesis import strategies as st

from factories.core.meta.check_schema import ChecksSpec
from factories.core.meta.check_specs import check_names
from factories.core.meta.names import dagster_name


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True))
def test_every_text_has_a_valid_name_of_its_own(texts: list[str]) -> None:
    names = [dagster_name(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(VALID_NAME_REGEX.fullmatch(name) for name in names)


def test_a_name_stays_readable_and_a_plain_one_stays_as_it_is() -> None:
    assert dagster_name("Unit_Price2") == "Unit_Price2"
    assert dagster_name("unit price").startswith("unit_price_")
    assert dagster_name("größe").startswith("grosse_")


@given(
    st.lists(st.text("aA_ ä1'\"%{", min_size=1, max_size=3), min_size=1, max_size=6, unique=True)
)
def test_each_column_has_a_check_of_its_own_whatever_stands_beside_it(columns: list[str]) -> None:
    spec = ChecksSpec.model_validate({"columns": {"not_null": columns, "unique": columns}})
    names = check_names(spec)
    assert len(set(names)) == 2 * len(columns)
    assert all(VALID_NAME_REGEX.fullmatch(name) for name in names)
    turned = ChecksSpec.model_validate({"columns": {"not_null": columns[::-1]}})
    assert check_names(turned) == names[: len(columns)][::-1]
