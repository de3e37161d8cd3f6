"""The function the network computes, over its target."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from meanfield_pde.plotting.axes import at_time
from meanfield_pde.plotting.snapshots import chosen
from meanfield_pde.plotting.style import (
    PALE,
    column_figure,
    early_to_late,
    legend_above,
    legend_room,
    styled,
)
from meanfield_pde.results.solution import Solution

TARGET = "target $f^*$"


@styled
def prediction_figure(solution: Solution) -> Figure:
    """f[mu](x) at the snapshots over f*(x), and the residual f - f* below.

    Parameters
    ----------
    solution : Solution
        One with data (`solution.has_prediction`).
    """
    order = np.argsort(solution.layout.inputs)
    x, target = solution.layout.inputs[order], solution.layout.target[order]
    shown = chosen(solution.snapshot_time)
    labels = [at_time(float(solution.snapshot_time[index])) for index in shown]
    figure, (upper, lower) = column_figure([1.55, 0.9], above=legend_room([TARGET, *labels]))
    upper.plot(x, target, color=PALE, linewidth=3.6, label=TARGET)
    lower.axhline(0.0, color=PALE, linewidth=1.6)
    for index, label, look in zip(shown, labels, early_to_late(len(shown)), strict=True):
        found = solution.prediction[index][order]
        upper.plot(x, found, **look, label=label)
        lower.plot(x, found - target, **look)
    for axes in (upper, lower):
        axes.set_xlim(float(x[0]), float(x[-1]))
        axes.yaxis.set_major_locator(MaxNLocator(5 if axes is upper else 4))
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    upper.tick_params(labelbottom=False)
    upper.set_ylabel(r"$f[\mu](x)$")
    lower.set_ylabel("$f - f^*$")
    lower.set_xlabel("$x$")
    legend_above(upper)
    return figure
