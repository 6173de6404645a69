"""Plots of a model for Dagster's UI: small pictures inside of markdown."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (4.2, 3.2)
DPI = 80
MOST_FEATURES = 15


def draw_plots(report: Mapping[str, Any]) -> dict[str, dg.MarkdownMetadataValue]:
    """Return the plots that a training's report has the numbers for, by metadata key."""
    curves, importance = report["curves"], report["importance"]
    made = {}
    if curves["roc"]:
        made["plots/roc"] = _render("ROC", lambda axes: _draw_roc(axes, curves["roc"]))
    if curves["calibration"]:
        bins = curves["calibration"]
        made["plots/calibration"] = _render(
            "Calibration", lambda axes: _draw_calibration(axes, bins)
        )
    if importance:
        made["plots/importance"] = _render(
            "Feature importance", lambda axes: _draw_bars(axes, importance)
        )
    return made


def draw_drift_plot(index: Mapping[str, float], much: float) -> dg.MarkdownMetadataValue:
    """Return the plot of each feature's drift, with the line that it should not cross."""

    def draw(axes: Axes) -> None:
        _draw_bars(axes, index)
        axes.axvline(much, color="tab:red", linestyle="--")

    return _render("Drift (population stability index)", draw)


def _draw_roc(axes: Axes, points: Sequence[Sequence[float]]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot([x for x, _ in points], [y for _, y in points])
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")


def _draw_calibration(axes: Axes, bins: Sequence[Sequence[float]]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot([mean for mean, _, _ in bins], [share for _, share, _ in bins], marker="o")
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("share that came true")


def _draw_bars(axes: Axes, values: Mapping[str, float]) -> None:
    # A VARIANT gives its keys back in alphabetical order.
    largest = sorted(values.items(), key=lambda item: -item[1])[:MOST_FEATURES][::-1]
    # A name may have a `$`, between two of which matplotlib would read a formula.
    axes.barh([name.replace("$", r"\$") for name, _ in largest], [value for _, value in largest])


def _render(title: str, draw: Callable[[Axes], None]) -> dg.MarkdownMetadataValue:
    # A figure of its own, without pyplot: that keeps figures, and would look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.3 s
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=INCHES, dpi=DPI)
    axes = figure.add_subplot()
    draw(axes)
    figure.suptitle(title, x=0.03, ha="left", fontsize="medium")
    # As wide as the longest label needs: matplotlib's own layouts draw everything twice.
    longest = max(len(label.get_text()) for label in axes.get_yticklabels())
    figure.subplots_adjust(left=min(0.12 + 0.018 * longest, 0.6), right=0.97, bottom=0.16, top=0.9)
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", metadata={"Software": None})
    picture = base64.b64encode(content.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{picture})")
