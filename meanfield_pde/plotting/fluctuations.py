"""Fluctuations of particles: their law, and their variance as predicted and as measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

REACH = 4.0
"""Standard deviations on either side that a histogram shows."""

BINS = 32

LINES: tuple[dict[str, Any], ...] = (
    {"color": DARK, "linestyle": "solid"},
    {"color": WARM, "linestyle": DASHED},
    {"color": INK, "linestyle": (0, (1.0, 1.2))},
)


@dataclass(frozen=True, eq=False)
class Histogram:
    """(f_N - f) over its predicted deviation, one entry a run, and of what."""

    samples: Array
    words: str


@dataclass(frozen=True, eq=False)
class Measured:
    """N Var f_N(x) of runs.

    Attributes
    ----------
    places : array (places,)
        x.
    variances, errors : arrays (places,)
        With standard errors.
    """

    places: Array
    variances: Array
    errors: Array


@dataclass(frozen=True, eq=False)
class Spread:
    """N Var f_N over x.

    Attributes
    ----------
    title : str
    places : array (places,)
        x.
    predicted : dict of arrays (places,)
        By the words of a legend.
    measured : sequence of Measured
    """

    title: str
    places: Array
    predicted: dict[str, Array]
    measured: Sequence[Measured]


@styled
def fluctuation_figure(histograms: Sequence[Histogram], spreads: Sequence[Spread]) -> Figure:
    """The law of f_N at one x against the normal one, and a panel for each spread.

    Parameters
    ----------
    histograms : sequence of Histogram
        At most three.
    spreads : sequence of Spread
        Two, each of at most three predictions.
    """
    height, left, gap, below, above = 2.3, 0.42, 0.52, 0.42, 0.24
    count = 1 + len(spreads)
    width = (PAGE - left - 0.08 - (count - 1) * gap) / count
    figure = Figure(figsize=(PAGE, height))
    FigureCanvasAgg(figure)
    panels = [
        figure.add_axes(
            (
                (left + k * (width + gap)) / PAGE,
                below / height,
                width / PAGE,
                1.0 - (below + above) / height,
            )
        )
        for k in range(count)
    ]
    _law(panels[0], histograms)
    for panel, spread in zip(panels[1:], spreads, strict=True):
        _spread(panel, spread)
    for panel, letter in zip(panels, "abc", strict=False):
        panel.set_title(f"({letter}) {panel.get_title()}", loc="left", pad=3.5)
        panel.set_title("")
    return figure


def _law(axes: Axes, histograms: Sequence[Histogram]) -> None:
    edges = np.linspace(-REACH, REACH, BINS + 1)
    z = np.linspace(-REACH, REACH, 201)
    normal = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    axes.fill_between(z, normal, color=PALE, linewidth=0.0, label="predicted")
    for histogram, line in zip(histograms, LINES, strict=False):
        counts, _ = np.histogram(histogram.samples, edges)
        density = counts / (histogram.samples.size * (edges[1] - edges[0]))
        axes.stairs(density, edges, label=histogram.words, linewidth=1.0, **line)
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(0.0, 0.62)
    axes.set_title("law of the fluctuation")
    axes.set_xlabel(r"$(f_N - f)\,/\,$predicted deviation")
    axes.set_ylabel("density")
    axes.legend(loc="upper left", fontsize=7.5)


def _spread(axes: Axes, spread: Spread) -> None:
    for (words, values), line in zip(spread.predicted.items(), LINES, strict=False):
        axes.plot(spread.places, values, label=words, **line)
    for measured in spread.measured:
        axes.errorbar(
            *(measured.places, measured.variances, measured.errors),
            color=INK,
            linestyle="none",
            marker="o",
            markersize=2.2,
            elinewidth=0.6,
        )
    largest = max(float(values.max()) for values in spread.predicted.values())
    axes.set_xlim(float(spread.places[0]), float(spread.places[-1]))
    axes.set_ylim(0.0, 1.55 * largest)
    axes.set_title(spread.title)
    axes.set_xlabel("$x$")
    axes.set_ylabel(r"$N\,$Var$\,f_N(x)$")
    axes.legend(loc="upper left", fontsize=7.5)


def save_fluctuation_figure(
    histograms: Sequence[Histogram],
    spreads: Sequence[Spread],
    folder: Path,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Write the figure as fluctuations.<format>; returns the files."""
    from meanfield_pde.plotting import write_figure

    figure = fluctuation_figure(histograms, spreads)
    return [write_figure(figure, folder / f"fluctuations.{form}", form) for form in formats]
