"""The function the network computes, against its target: of any number of inputs."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from meanfield_pde.plotting.axes import at_time
from meanfield_pde.plotting.snapshots import chosen, dotted
from meanfield_pde.plotting.style import (
    PALE,
    column_figure,
    early_to_late,
    legend_above,
    legend_room,
)
from meanfield_pde.results.solution import Solution

MARKERS = ("s", "^", "D", "o")
"""Of up to four snapshots."""


def parity_figure(solution: Solution) -> Figure:
    """f[mu] against f*, a dot a data point; on the line they are equal."""
    target = solution.layout.target
    shown = chosen(solution.snapshot_time)
    labels = [at_time(float(solution.snapshot_time[index])) for index in shown]
    figure, (axes,) = column_figure([2.6], above=legend_room(labels))
    axes.axline((0.0, 0.0), slope=1.0, color=PALE, linewidth=1.6, zorder=1)
    some = dotted(solution.layout)
    looks = zip(early_to_late(len(shown)), MARKERS[-len(shown) :], strict=True)
    for index, label, (look, marker) in zip(shown, labels, looks, strict=True):
        axes.plot(
            *(target[some], solution.prediction[index][some]),
            linestyle="none",
            marker=marker,
            markersize=2.6,
            markerfacecolor="none",
            markeredgecolor=look["color"],
            markeredgewidth=0.6,
            label=label,
        )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel("$f^*(x)$")
    axes.set_ylabel(r"$f[\mu](x)$")
    legend_above(axes)
    return figure


def margin_figure(solution: Solution) -> Figure:
    """The share of labels -1 and 1 met by a margin f* f of more than m, against m."""
    shown = chosen(solution.snapshot_time)
    labels = [at_time(float(solution.snapshot_time[index])) for index in shown]
    figure, (axes,) = column_figure([2.0], above=legend_room(labels))
    axes.axvline(0.0, color=PALE, linewidth=1.6)
    for index, label, look in zip(shown, labels, early_to_late(len(shown)), strict=True):
        margins = solution.layout.target * solution.prediction[index]
        axes.ecdf(margins, complementary=True, **look, label=label)
    axes.set_ylim(0.0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("$m$")
    axes.set_ylabel(r"share with $f^* f[\mu] > m$")
    legend_above(axes)
    return figure
