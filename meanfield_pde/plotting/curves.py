"""The function the network computes of one input."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from meanfield_pde.plotting.axes import at_time
from meanfield_pde.plotting.snapshots import bins, chosen, dotted, is_labelled
from meanfield_pde.plotting.style import (
    INK,
    PALE,
    column_figure,
    early_to_late,
    legend_above,
    legend_room,
)
from meanfield_pde.results.solution import Layout, Solution

TARGET = "target $f^*$"
SAMPLES = "samples"


def curve_figure(solution: Solution) -> Figure:
    """f[mu](x) over f*(x), or over a histogram of samples where there is no target.

    The residual f - f* is below, unless f* are labels -1 and 1, which f need not meet.
    """
    layout = solution.layout
    residual = layout.target.size > 0 and not is_labelled(layout)
    order = np.argsort(layout.inputs)
    shown = chosen(solution.snapshot_time)
    labels = [at_time(float(solution.snapshot_time[index])) for index in shown]
    looks = early_to_late(len(shown))
    room = legend_room([TARGET if layout.target.size else SAMPLES, *labels])
    figure, panels = column_figure([1.55, 0.9] if residual else [2.0], above=room)
    upper = panels[0]
    _learnt(upper, layout)
    for index, label, look in zip(shown, labels, looks, strict=True):
        found = solution.prediction[index][order]
        upper.plot(layout.inputs[order], found, **look, label=label)
    if residual:
        _residuals(panels[1], solution, shown)
    for axes in panels:
        axes.margins(x=0.02 if layout.sample_weights.size else 0.0)
        axes.yaxis.set_major_locator(MaxNLocator(5 if axes is upper else 4))
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.tick_params(labelbottom=axes is panels[-1])
    upper.set_ylabel(r"$f[\mu](x)$")
    panels[-1].set_xlabel("$x$")
    legend_above(upper)
    return figure


def _learnt(axes: Axes, layout: Layout) -> None:
    """What f should be: dots at samples, a pale line between quadrature nodes, or a histogram."""
    x, target, weights = layout.inputs, layout.target, layout.sample_weights
    if target.size and weights.size:
        some = dotted(layout)
        axes.plot(
            *(x[some], target[some]),
            linestyle="none",
            marker="o",
            markersize=2.6,
            markerfacecolor=PALE,
            markeredgecolor=INK,
            markeredgewidth=0.4,
            label=TARGET,
        )
    elif target.size:
        order = np.argsort(x)
        axes.plot(x[order], target[order], color=PALE, linewidth=3.6, label=TARGET)
    elif weights.size:
        shares, edges = np.histogram(x, bins(x.size), weights=weights)
        axes.stairs(shares / np.diff(edges), edges, color=PALE, fill=True, label=SAMPLES)


def _residuals(axes: Axes, solution: Solution, shown: list[int]) -> None:
    """f - f* at the snapshots as curves; at samples as dots, of the first and the last."""
    x, target = solution.layout.inputs, solution.layout.target
    axes.axhline(0.0, color=PALE, linewidth=1.6, zorder=1)
    order = np.argsort(x)
    for index, look in zip(shown, early_to_late(len(shown)), strict=True):
        residual = solution.prediction[index] - target
        if not solution.layout.sample_weights.size:
            axes.plot(x[order], residual[order], **look)
        elif index in (shown[0], shown[-1]):
            some = dotted(solution.layout)
            axes.plot(
                *(x[some], residual[some]),
                linestyle="none",
                marker="o",
                markersize=1.8,
                color=look["color"],
            )
    axes.set_ylabel("$f - f^*$")
