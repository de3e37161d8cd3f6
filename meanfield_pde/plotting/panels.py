"""The row of snapshots of a measure over two parameters, with their marginals."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import at_time, number
from meanfield_pde.plotting.parameters import parameter_range, parameter_ticks, symbol
from meanfield_pde.plotting.row import Row
from meanfield_pde.plotting.shades import Shades
from meanfield_pde.plotting.snapshots import (
    MOST_ALONE,
    MOST_DOTS,
    chosen,
    cloud,
    few,
    histogram,
    is_grid,
    marginal,
    mass_at,
    positions_at,
)
from meanfield_pde.plotting.style import DARK, INK
from meanfield_pde.results.solution import Layout, Solution

Array = NDArray[np.float64]

FILL = "#b9cbe0"

UNDER_DOTS = 0.6
"""How much of the colour map is used under particles."""


def plane_figure(solution: Solution, companion: Solution | None) -> Figure:
    """Up to four snapshots in a row on one colour scale, marginals on top and on the right.

    Each marginal is scaled to its own peak, whose value is printed in the corner. Of more than two
    parameters the first two are shown and the others integrated out.
    """
    layout, grid = solution.layout, is_grid(solution)
    shown = chosen(solution.snapshot_time)
    times = [float(solution.snapshot_time[index]) for index in shown]
    row = Row(len(shown), bar=grid)
    if grid:
        measures = [np.nan_to_num(solution.measure[index], posinf=0.0) for index in shown]
        measures = [marginal(measure, layout, (0, 1)) for measure in measures]
        clouds = [positions_at(companion, time) for time in times]
        dotted = any(dots is not None for dots in clouds)
        shades = Shades.of(measures, darkest=UNDER_DOTS if dotted else 1.0)
        shades.draw(row.scale())
    else:
        measures = [cloud(solution, index) for index in shown]
        clouds = list(measures)
    limits = [parameter_range(layout, k, None if grid else solution.measure) for k in (0, 1)]
    most = MOST_DOTS if grid else MOST_ALONE
    for i, (time, measure, dots) in enumerate(zip(times, measures, clouds, strict=True)):
        panel = row.panel(i)
        if grid:
            _image(panel, shades.image(measure), limits)
        if dots is not None:
            _scatter(panel, few(dots, most))
        _frame(panel, layout, limits, first=i == 0)
        for k in (0, 1):
            if grid:
                values = marginal(measure, layout, (k,))
                edges = np.linspace(*limits[k], values.size + 1)
            else:
                values, edges = histogram(measure[:, k], limits[k], mass_at(solution, time))
            _marginal(row.marginal(i, k), values, edges, k)
        row.title(i, at_time(time))
    counts = [dots.shape[0] for dots in clouds if dots is not None]
    if counts:
        part = f"{most} of {counts[0]}" if counts[0] > most else f"{counts[0]}"
        row.note(rf"$\circ$ {part}" + (" particles" if grid or counts[0] <= most else ""))
    return row.figure


def _image(axes: Axes, rgb: NDArray[np.uint8], limits: list[tuple[float, float]]) -> None:
    """A density in colour."""
    axes.imshow(
        rgb,
        origin="lower",
        extent=(*limits[0], *limits[1]),
        aspect="auto",
        rasterized=True,
    )


def _scatter(axes: Axes, positions: Array) -> None:
    """Particles as small open dots."""
    axes.plot(
        *(positions[:, 0], positions[:, 1]),
        linestyle="none",
        marker="o",
        markersize=1.5,
        markerfacecolor="none",
        markeredgecolor=INK,
        markeredgewidth=0.3,
    )


def _frame(axes: Axes, layout: Layout, limits: list[tuple[float, float]], first: bool) -> None:
    """Limits, ticks and labels of one panel; the vertical ones on the first only."""
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    parameter_ticks(axes.xaxis, layout, 0, limits[0], inner=True)
    parameter_ticks(axes.yaxis, layout, 1, limits[1])
    axes.set_xlabel(f"${symbol(layout.parameters[0])}$")
    if first:
        axes.set_ylabel(f"${symbol(layout.parameters[1])}$")
    else:
        axes.tick_params(axis="y", labelleft=False)


def _marginal(axes: Axes, values: Array, edges: Array, k: int) -> None:
    """The density of one parameter, on top (k = 0) or on the right, with its peak."""
    step = StepPatch(
        *(values, edges),
        orientation="vertical" if k == 0 else "horizontal",
        fill=True,
        facecolor=FILL,
        edgecolor=DARK,
        linewidth=0.5,
    )
    axes.add_artist(step)
    peak = float(values.max()) or 1.0
    axes.set_frame_on(False)
    along, across = (axes.xaxis, axes.yaxis) if k == 0 else (axes.yaxis, axes.xaxis)
    along.set_visible(False)
    (axes.set_xlim if k == 0 else axes.set_ylim)(edges[0], edges[-1])
    (axes.set_ylim if k == 0 else axes.set_xlim)(0.0, 1.06 * peak)
    across.set_ticks([peak], labels=[f"${number(peak, 2)}$"], fontsize=6.5)
    if k == 0:
        axes.tick_params(axis="y", right=True, left=False, labelright=True, labelleft=False)
    axes.tick_params(length=0.0, pad=2.5)
    across.get_majorticklabels()[0].set(**({"va": "top"} if k == 0 else {"ha": "right"}))
