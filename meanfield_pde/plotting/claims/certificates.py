"""Distances to the minimum under their certificates, one certificate, and few units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import log_axis, positive, time_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 2.6

NAMES = ("gradient descent", "both", "birth and death")
COLOURS = (WARM, DARK, INK)


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Three panels."""
    page = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(page)
    left, middle, right = (
        page.add_axes((x / PAGE, 0.46 / HEIGHT, wide / PAGE, 1.8 / HEIGHT))
        for x, wide in ((0.6, 2.3), (3.45, 1.6), (5.62, 1.3))
    )
    lows = []
    for index, (name, colour) in enumerate(zip(NAMES, COLOURS, strict=True)):
        time = curves[f"run {index}/time"]
        left.plot(time, positive(curves[f"run {index}/excess"]), color=colour, label=name)
        left.plot(time, positive(curves[f"run {index}/gap"]), color=colour, linestyle=DASHED)
        lows.append(float(np.nanmin(positive(curves[f"run {index}/excess"]))))
    log_axis(left, "y", 0.5 * min(lows), 8.0)
    time_axis(left, curves["run 0/time"])
    left.set_title(r"$E - \min E$, and its bound (dashed)", loc="left", pad=3.5)
    left.legend(loc="lower left", handlelength=1.4)
    _certificate(middle, curves)
    few = curves["few/energy"]
    right.plot(np.arange(1, few.size + 1), few, "o-", color=DARK, markersize=4.0, linewidth=0.8)
    log_axis(right, "y", 0.4 * float(few.min()), 3.0 * float(few.max()))
    right.set_xlim(0.5, few.size + 0.5)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_xlabel("number of units")
    right.set_title("least $E$ of few units", loc="left", pad=3.5)
    return page


def _certificate(axes: Axes, curves: Mapping[str, Array]) -> None:
    nodes, points, masses = (curves[f"shown/{key}"] for key in ("nodes", "points", "masses"))
    lowest = min(float(curves["shown/landscape"].min()), float(curves["shown/lowest"][0]))
    axes.plot(nodes, curves["shown/landscape"] - lowest, color=DARK)
    axes.axhline(0.0, color=PALE, linewidth=0.8, zorder=0)
    sizes = 10.0 + 90.0 * masses / masses.sum()
    axes.scatter(
        *(points[:, 0], np.zeros(masses.size)),
        s=sizes,
        color=WARM,
        edgecolor=INK,
        linewidth=0.5,
        zorder=4,
    )
    axes.set_xlim(float(nodes[0]), float(nodes[-1]))
    axes.set_xlabel("$y$")
    axes.set_title(r"$V - \min V$ at a minimum", loc="left", pad=3.5)
