"""Errors of particles against their number and in time, a column a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, number
from meanfield_pde.plotting.style import DASHED, INK, PAGE, early_to_late, styled

Array = NDArray[np.float64]

MARKERS = ("^", "s", "o")
"""Of up to three times, from early to late."""

LEFT, RIGHT, ABOVE, BELOW = 0.64, 0.06, 0.46, 0.4
HIGH, GAP, BETWEEN = 1.45, 0.07, 0.42
"""Of panels and between them, in inches."""

PLACE, SPAN = 0.3, 0.11
"""Of a slope triangle, parts of the range of log N: its middle and half its width."""

BARS = 2.0
"""Standard errors that an error bar goes to either side."""


@dataclass(frozen=True)
class Points:
    """Values and standard errors by number of particles, arrays (numbers,)."""

    numbers: Array
    values: Array
    errors: Array


@dataclass(frozen=True)
class Curves:
    """What is drawn of a method.

    Attributes
    ----------
    name : str
    distance, bias : mapping of time to Points
    time : array (times,)
    growth : mapping of int to array (times,)
        By number of particles: the distance in time.
    left : array (times,)
        |f - f*| of infinitely many particles.
    """

    name: str
    distance: Mapping[float, Points]
    bias: Mapping[float, Points]
    time: Array
    growth: Mapping[int, Array]
    left: Array


@styled
def rates_figure(methods: Sequence[Curves]) -> Figure:
    """Rows: the distance against N, the bias against N, the distance against t.

    Slope triangles have the slopes -1/2 and -1. Bars are two standard errors; one that reaches zero
    is left out below, and so is a bias that chance has made negative: the axis is logarithmic. All
    panels of a row have the same axes.

    Parameters
    ----------
    methods : sequence of Curves
        One a column, all with the same times and numbers.
    """
    height = ABOVE + 3 * HIGH + 2 * BETWEEN + BELOW
    width = (PAGE - LEFT - RIGHT - (len(methods) - 1) * GAP) / len(methods)
    figure = Figure(figsize=(PAGE, height))
    FigureCanvasAgg(figure)

    def panels(row: int) -> list[Axes]:
        bottom = height - ABOVE - (row + 1) * HIGH - row * BETWEEN
        sides = [LEFT + column * (width + GAP) for column in range(len(methods))]
        return [
            figure.add_axes((side / PAGE, bottom / height, width / PAGE, HIGH / height))
            for side in sides
        ]

    rows = [panels(row) for row in range(3)]
    for row, name, slope in ((rows[0], "distance", -0.5), (rows[1], "bias", -1.0)):
        _against_number(row, [getattr(method, name) for method in methods], slope)
    _against_time(rows[2], methods)
    for axes, method in zip(rows[0], methods, strict=True):
        axes.set_title(method.name, pad=4.0)
    words = (r"$|\,f_N-f\,|$, rms", "bias of $E_N$", r"$|\,f_N-f\,|$, rms")
    for row, word in zip(rows, words, strict=True):
        row[0].set_ylabel(word)
        row[0].yaxis.set_label_coords(-0.5 / width, 0.5)
        for axes in row[1:]:
            axes.tick_params(axis="y", labelleft=False)
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), columnspacing=1.6)
    return figure


@styled
def save_rates_figure(methods: Sequence[Curves], folder: Path) -> list[Path]:
    """Write the figure as rates.png and rates.pdf.

    Returns
    -------
    list of Path
        The files, each complete.
    """
    from meanfield_pde.plotting import write_figure

    figure = rates_figure(methods)
    return [write_figure(figure, folder / f"rates.{form}", form) for form in ("png", "pdf")]


def _against_number(
    row: Sequence[Axes], every: Sequence[Mapping[float, Points]], slope: float
) -> None:
    numbers = np.concatenate([points.numbers for one in every for points in one.values()])
    values = np.concatenate([points.values for one in every for points in one.values()])
    values = values[values > 0.0]
    for axes, one in zip(row, every, strict=True):
        looks = early_to_late(len(one))
        for (time, points), look, marker in zip(
            one.items(), looks, MARKERS[-len(one) :], strict=True
        ):
            face: dict[str, Any] = {"marker": marker, "markerfacecolor": "white"}
            known = points.values > 0.0
            at, height = points.numbers[known], points.values[known]
            bar = BARS * points.errors[known]
            down = np.where(bar < height, bar, 0.0)
            axes.errorbar(
                at,
                height,
                (down, bar),
                **look,
                **face,
                markeredgewidth=0.9,
                linewidth=0.9,
                elinewidth=0.7,
                label=f"$t = {number(time)}$",
            )
            for line in axes.collections:
                line.set_linestyle("solid")
        log_axis(axes, "x", 0.7 * numbers.min(), 1.4 * numbers.max())
        log_axis(axes, "y", 0.25 * values.min(), 2.0 * values.max())
        axes.set_xlabel("$N$")
        _triangle(axes, list(one.values()), slope)


def _triangle(axes: Axes, curves: Sequence[Points], slope: float) -> None:
    """Under the lowest curve, with a given slope."""
    first, last = np.log(curves[-1].numbers[[0, -1]])
    middle, half = first + PLACE * (last - first), SPAN * (last - first)
    across = np.linspace(middle - half, middle + half, 9)
    heights = []
    for points in curves:
        known = points.values > 0.0
        logs = np.log(points.numbers[known]), np.log(points.values[known])
        heights.append(np.interp(across, *logs) - slope * (across - middle))
    low = float(np.min(heights)) - 0.5
    ends = low + slope * (across - middle)
    corners = np.exp([[across[0], ends[0]], [across[0], ends[-1]], [across[-1], ends[-1]]])
    axes.add_patch(Polygon(corners, closed=True, fill=False, edgecolor=INK, linewidth=0.6))
    beside: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "color": INK}
    words = {-0.5: "1/2", -1.0: "1"}
    axes.annotate(
        words[slope],
        np.exp([across[0], np.mean(ends)]).tolist(),
        xytext=(-3, 0),
        ha="right",
        va="center",
        **beside,
    )
    axes.annotate(
        "1", np.exp([middle, ends[-1]]).tolist(), xytext=(0, -2.5), ha="center", va="top", **beside
    )


def _against_time(row: Sequence[Axes], methods: Sequence[Curves]) -> None:
    heights = [curve for method in methods for curve in method.growth.values()]
    values = np.concatenate([*heights, *(method.left for method in methods)])
    for axes, method in zip(row, methods, strict=True):
        looks = early_to_late(len(method.growth))
        for (size, curve), look in zip(method.growth.items(), looks, strict=True):
            axes.plot(method.time, curve, **look)
            axes.annotate(
                f"${size}$",
                (method.time[0], curve[0]),
                xytext=(-2, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7,
            )
        axes.plot(method.time, method.left, color=INK, linestyle=DASHED, linewidth=0.7)
        axes.annotate(
            r"$|\,f-f^*|$",
            (method.time[0], method.left[0]),
            xytext=(0, -7),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
        )
        log_axis(axes, "x", 0.45 * method.time[0], 1.1 * method.time[-1])
        log_axis(axes, "y", 0.7 * values.min(), 1.6 * values.max())
        axes.set_xlabel(TIME)
