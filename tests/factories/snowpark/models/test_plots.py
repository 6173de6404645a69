"""The pictures in the metadata of a model."""

from __future__ import annotations

from matplotlib.figure import Figure

from factories.snowpark.models.plots import MOST_FEATURES, _draw_bars, draw_drift_plot


def test_the_most_important_features_are_shown_whatever_order_they_come_in() -> None:
    values = {f"f{index:02}": float(index) for index in range(MOST_FEATURES + 5)}
    axes = Figure().add_subplot()

    _draw_bars(axes, values)

    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == list(values)[5:]  # the greatest on top, which matplotlib draws last


def test_a_feature_may_be_called_as_snowflake_lets_a_column_be_called() -> None:
    assert draw_drift_plot({"a$_$": 0.1, "$b": 0.2}, 0.25).value.startswith("![Drift")
