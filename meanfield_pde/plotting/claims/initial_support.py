"""E from an arc and from a small weight elsewhere, how long that takes, and a double well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, positive
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 2.6
SMALL: dict[str, Any] = {"fontsize": 7.0}
LAST = 8.0
"""Of time in the double well."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Three panels: E in time; the time to half of the plateau against the weight; masses."""
    whole = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(whole)
    places = ((0.5, 2.3), (3.3, 1.4), (5.25, 1.65))
    panels = [
        whole.add_axes((left / PAGE, 0.42 / HEIGHT, wide / PAGE, 1.93 / HEIGHT))
        for left, wide in places
    ]
    _energies(panels[0], curves)
    _waits(panels[1], curves)
    _wells(panels[2], curves)
    titles = ("(a) energy", "(b) time to $E = 0.05$", "(c) double well, mass")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, loc="left", pad=3.5)
    return whole


def _energies(axes: Axes, curves: Mapping[str, Array]) -> None:
    powers = np.rint(curves["logarithms"] / np.log(10.0)).astype(int)
    axes.axhline(float(curves["least"][0]), color=INK, linestyle=DASHED, linewidth=0.7)
    axes.annotate(
        "minimum over arc",
        (0.33, float(curves["least"][0])),
        xytext=(0, -2.5),
        textcoords="offset points",
        va="top",
        **SMALL,
    )
    for k in range(powers.size):
        label = f"weights $10^{{-{powers[0]}}}$ to $10^{{-{powers[-1]}}}$" if k == 0 else None
        axes.plot(*curves[f"weight {k}"], color=DARK, linewidth=0.8, label=label)
    axes.plot(*curves["arc"], color=DARK, linewidth=1.8, label="from the arc")
    axes.plot(*curves["reborn"], color=WARM, label="with rebirth")
    axes.plot(*curves["transport 0"], color="#8c8c8c", linestyle=(0, (1.0, 1.0)))
    label = "with transport, $M = 0.01, 0.1$"
    axes.plot(*curves["transport 1"], color="#8c8c8c", linestyle=DASHED, label=label)
    log_axis(axes, "x", 0.3, 1000.0)
    log_axis(axes, "y", 1e-5, 0.6)
    axes.legend(loc="lower left", fontsize=7, handlelength=1.6)
    axes.set_xlabel(TIME)
    axes.set_ylabel("energy $E$", labelpad=1.0)


def _waits(axes: Axes, curves: Mapping[str, Array]) -> None:
    logs, times, gap = curves["logarithms"], curves["times"], float(curves["gap"][0])
    across = np.array([0.0, 1.06 * logs[-1]])
    axes.plot(across, across / gap, color=INK, linestyle=DASHED, linewidth=0.7)
    axes.plot(logs, times, linestyle="none", marker="o", color=DARK)
    axes.text(0.5 * across[1], 0.25 * across[1] / gap, r"slope $1/(\alpha\,\mathrm{gap})$", **SMALL)
    axes.set_xlim(0.0, across[1])
    axes.set_ylim(0.0, 1.08 * float(times[-1]))
    axes.set_xlabel(r"$\log(1/\varepsilon)$")


def _wells(axes: Axes, curves: Mapping[str, Array]) -> None:
    time, left, between, right = curves["wells"]
    axes.axhline(1.0, color=PALE, linewidth=0.6, zorder=0)
    for values, colour, words, line in (
        (left, WARM, "left", "solid"),
        (between, INK, "between", DASHED),
        (right, DARK, "right", "solid"),
    ):
        axes.plot(time, positive(values), color=colour, linestyle=line, label=words)
    axes.set_xlim(0.0, LAST)
    log_axis(axes, "y", 1e-22, 100.0)
    axes.legend(loc="lower left", fontsize=7.5)
    axes.set_xlabel(TIME)
