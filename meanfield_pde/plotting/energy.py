"""Energy against time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from meanfield_pde.plotting.axes import time_axis, value_axis
from meanfield_pde.plotting.snapshots import chosen, told_apart
from meanfield_pde.plotting.style import DARK, DASHED, WARM, column_figure, styled
from meanfield_pde.results.solution import Solution


@styled
def energy_figure(solution: Solution, companion: Solution | None = None) -> Figure:
    """E against t, both logarithmic; open circles are the snapshots of the density figure.

    Error bars, of a run that has some, are a band around the curve.

    An energy that is somewhere zero or negative (of a fixed potential, a likelihood), or that
    changes by less than a factor 3, has a linear axis: E - min(E) on a logarithmic one would dive
    where the run happens to end.

    Parameters
    ----------
    solution : Solution
    companion : Solution, optional
        A run of the same physics in another representation, drawn over it.
    """
    figure, (axes,) = column_figure([2.0])
    runs = [solution] if companion is None else [solution, companion]
    looks: list[tuple[str, Any, float, int]] = [(DARK, "solid", 1.2, 2), (WARM, DASHED, 1.4, 3)]
    labels = told_apart([run.layout for run in runs])
    for run, label, (colour, dashes, width, order) in zip(runs, labels, looks, strict=False):
        lone = "o" if run.time.size == 1 else ""
        axes.plot(
            *(run.time, run.energy),
            color=colour,
            linestyle=dashes,
            linewidth=width,
            marker=lone,
            zorder=order,
            label=label,
        )
        if "energy" in run.bars:
            ends = (run.energy - run.bars["energy"], run.energy + run.bars["energy"])
            axes.fill_between(run.time, *ends, color=colour, alpha=0.25, linewidth=0.0, zorder=1)
    shown = solution.snapshot_time[chosen(solution.snapshot_time)]
    shown = shown[shown > 0.0]
    if shown.size:
        axes.plot(
            *(shown, np.interp(shown, solution.time, solution.energy)),
            linestyle="none",
            marker="o",
            color=DARK,
            markerfacecolor="white",
            markeredgewidth=0.8,
            zorder=4,
            label="snapshots shown",
        )
    value_axis(axes, [run.energy for run in runs])
    time_axis(axes, np.unique(np.concatenate([run.time for run in runs])))
    axes.set_ylabel(r"energy $E[\mu(t)]$")
    axes.legend(loc="best")
    return figure
