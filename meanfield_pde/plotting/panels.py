"""The row of snapshots of a measure over two parameters, with their marginals."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import at_time, number
from meanfield_pde.plotting.parameters import parameter_range, parameter_ticks, symbol
from meanfield_pde.plotting.shades import Shades
from meanfield_pde.plotting.snapshots import (
    MOST_ALONE,
    MOST_DOTS,
    chosen,
    few,
    histogram,
    is_grid,
    marginal,
    mass_at,
    positions_at,
)
from meanfield_pde.plotting.style import DARK, INK, PAGE
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

SIDE = 0.21
"""Thickness of a marginal in inches."""

GAP = 0.03
"""Between a panel and its marginals in inches."""

FILL = "#b9cbe0"


def plane_figure(solution: Solution, companion: Solution | None) -> Figure:
    """Up to four snapshots in a row on one colour scale, marginals on top and on the right.

    Each marginal is scaled to its own peak, whose value is printed in the corner. Of more than two
    parameters the first two are shown and the others integrated out.
    """
    shown = chosen(solution.snapshot_time)
    grid = is_grid(solution)
    left, between, right, below, above = 0.42, 0.13, 0.72 if grid else 0.08, 0.4, 0.2
    room = PAGE - left - right - (len(shown) - 1) * between - len(shown) * (GAP + SIDE)
    side = min(room / len(shown), 2.2)
    tall = min(1.25 * side, 2.2)
    step = side + GAP + SIDE + between
    width = left + len(shown) * step - between + right
    height = below + tall + GAP + SIDE + above
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)

    title = (height - above + 0.05) / height

    def place(x: float, y: float, w: float, h: float) -> Axes:
        return figure.add_axes((x / width, y / height, w / width, h / height))

    times = [float(solution.snapshot_time[index]) for index in shown]
    measures = [np.nan_to_num(solution.measure[index], posinf=0.0) for index in shown]
    if grid:
        measures = [marginal(measure, solution.layout, (0, 1)) for measure in measures]
        shades = Shades.of(measures)
    spread = None if grid else solution.measure
    limits = [parameter_range(solution.layout, k, spread) for k in (0, 1)]
    for i, (time, measure) in enumerate(zip(times, measures, strict=True)):
        x = left + i * step
        main = place(x, below, side, tall)
        if grid:
            main.imshow(
                shades.image(measure),
                origin="lower",
                extent=(*limits[0], *limits[1]),
                aspect="auto",
                rasterized=True,
            )
            dots = positions_at(companion, time)
        else:
            dots = measure
        if dots is not None:
            _scatter(main, few(dots, MOST_DOTS if grid else MOST_ALONE))
        _frame(main, solution, limits, first=i == 0)
        mass = 1.0 if grid else mass_at(solution, time)
        for k in (0, 1):
            beside = (
                place(x, below + tall + GAP, side, SIDE)
                if k == 0
                else place(x + side + GAP, below, SIDE, tall)
            )
            _marginal(beside, solution, measure, k, limits[k], mass)
        figure.text(x / width, title, at_time(time), ha="left", va="bottom")
    if grid:
        shades.draw(place(width - right + 0.12, below, 0.09, tall))
    count = solution.layout.particles or (companion.layout.particles if companion else 0)
    if count:
        drawn = min(count, MOST_DOTS if grid else MOST_ALONE)
        words = f"{drawn} of {count} particles" if drawn < count else f"{count} particles"
        figure.text(1 - 0.06 / width, title, rf"$\circ$ {words}", ha="right", va="bottom")
    return figure


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
        rasterized=positions.shape[0] > 1000,
    )


def _frame(axes: Axes, solution: Solution, limits: list[tuple[float, float]], first: bool) -> None:
    """Limits, ticks and labels of one panel; the vertical ones on the first only."""
    layout = solution.layout
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    parameter_ticks(axes.xaxis, layout, 0, limits[0], inner=True)
    parameter_ticks(axes.yaxis, layout, 1, limits[1])
    axes.set_xlabel(f"${symbol(layout.parameters[0])}$")
    if first:
        axes.set_ylabel(f"${symbol(layout.parameters[1])}$")
    else:
        axes.tick_params(axis="y", labelleft=False)


def _marginal(
    axes: Axes,
    solution: Solution,
    measure: Array,
    k: int,
    limits: tuple[float, float],
    mass: float,
) -> None:
    """The density of one parameter, on top (k = 0) or on the right, with its peak."""
    if is_grid(solution):
        values = marginal(measure, solution.layout, (k,))
        edges = np.linspace(*limits, values.size + 1)
    else:
        values, edges = histogram(measure[:, k], limits, mass)
    step = StepPatch(
        *(values, edges),
        orientation="vertical" if k == 0 else "horizontal",
        fill=True,
        facecolor=FILL,
        edgecolor=DARK,
        linewidth=0.5,
    )
    axes.add_artist(step)
    peak = float(np.nanmax(values)) or 1.0
    axes.set_frame_on(False)
    along, across = (axes.xaxis, axes.yaxis) if k == 0 else (axes.yaxis, axes.xaxis)
    along.set_visible(False)
    (axes.set_xlim if k == 0 else axes.set_ylim)(*limits)
    (axes.set_ylim if k == 0 else axes.set_xlim)(0.0, 1.06 * peak)
    across.set_ticks([peak], labels=[f"${number(peak, 2)}$"], fontsize=6.5)
    if k == 0:
        axes.tick_params(axis="y", right=True, left=False, labelright=True, labelleft=False)
    axes.tick_params(length=2.0, pad=1.5, width=0.4)
    label = across.get_majorticklabels()[0]
    label.set(va="top") if k == 0 else label.set(ha="right")
