"""The measure at a few times."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import at_time, log_axis
from meanfield_pde.plotting.panels import plane_figure
from meanfield_pde.plotting.parameters import parameter_range, parameter_ticks, symbol
from meanfield_pde.plotting.snapshots import (
    chosen,
    cloud,
    histogram,
    is_grid,
    mass_at,
    positions_at,
)
from meanfield_pde.plotting.style import (
    PALE,
    column_figure,
    early_to_late,
    legend_above,
    legend_room,
    styled,
)
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

TALLEST = 50.0
"""A peak so many times another one, and the axis of a density is logarithmic."""


def density_name(solution: Solution, companion: Solution | None = None) -> str:
    """What the file of `density_figure` is called."""
    if not is_grid(solution):
        return "particles"
    over = companion is not None and not is_grid(companion)
    return "particles_over_density" if over else "density"


@styled
def density_figure(solution: Solution, companion: Solution | None = None) -> Figure:
    """The measure at the first snapshot, the last and log-spaced ones between.

    Parameters
    ----------
    solution : Solution
        Over two or more parameters: panels with marginals. Over one: curves on one axis.
    companion : Solution, optional
        A particle run of the same physics, drawn over a density at its snapshots of the same time.
    """
    if len(solution.layout.parameters) > 1:
        return plane_figure(solution, companion)
    return _line_figure(solution, companion)


def _line_figure(solution: Solution, companion: Solution | None) -> Figure:
    """Densities over one parameter, light to dark in time; particles as histograms."""
    layout, grid = solution.layout, is_grid(solution)
    shown = chosen(solution.snapshot_time)
    limits = parameter_range(layout, 0, None if grid else solution.measure)
    times = [float(solution.snapshot_time[index]) for index in shown]
    labels = [at_time(time) for time in times]
    bars = [positions_at(companion, time) if grid else None for time in times]
    words = f"{companion.layout.particles} particles" if companion else ""
    over = [words] if any(positions is not None for positions in bars) else []
    figure, (axes,) = column_figure([2.0], above=legend_room(labels + over))
    peaks = []
    for i, look in enumerate(early_to_late(len(shown))):
        positions, mass = bars[i], mass_at(solution, times[i])
        if grid:
            measure = np.nan_to_num(solution.measure[shown[i]], posinf=0.0)
            axes.plot(layout.centres[0], measure, **look, label=labels[i], zorder=3)
            peaks.append(float(measure.max()))
            if positions is not None:
                values, edges = histogram(positions[:, 0], limits, mass)
                axes.stairs(values, edges, color=look["color"], alpha=0.3, fill=True)
        else:
            measure = cloud(solution, shown[i])
            values, edges = histogram(measure[:, 0], limits, mass)
            axes.stairs(values, edges, **look, linewidth=1.1, label=labels[i])
            peaks.append(float(values.max()))
    for label in over:
        axes.plot([], [], color=PALE, linewidth=5.0, label=label)
    _density_axis(axes, [peak for peak in peaks if peak > 0.0])
    axes.set_xlim(*limits)
    parameter_ticks(axes.xaxis, layout, 0, limits)
    name = symbol(layout.parameters[0])
    axes.set_xlabel(f"${name}$")
    axes.set_ylabel(rf"density $\mu(t, {name})$")
    legend_above(axes)
    return figure


def _density_axis(axes: Axes, peaks: list[float]) -> None:
    """From zero, or two decades below the lowest peak where the peaks are very different."""
    low, high = (min(peaks), max(peaks)) if peaks else (1.0, 1.0)
    if high > TALLEST * low:
        log_axis(axes, "y", 1e-2 * low, 2.0 * high)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(0.0, 1.06 * high)
