"""Neurons in the plane, their energy and that on the circle, and how far these differ."""

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

HEIGHT = 4.0

TITLES = (
    "(a) neurons in the plane",
    r"(b) energy, $|w|^2\phi(\arg w)$",
    "(c) plane less circle, relative",
    "(d) ReLU with weight decay",
)


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Four panels."""
    result = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(result)
    wide, tall = 2.8 / PAGE, 1.42 / HEIGHT
    places = [(x, y / HEIGHT, wide, tall) for y in (2.36, 0.4) for x in (0.085, 0.585)]
    panels = [result.add_axes(place) for place in places]
    draws = (_neurons, _energies, _differences, _relu)
    for axes, draw, title in zip(panels, draws, TITLES, strict=True):
        draw(axes, curves)
        axes.set_title(title, loc="left", pad=3.5)
    return result


def _neurons(axes: Axes, curves: Mapping[str, Array]) -> None:
    points = curves["ray_points"]
    reach = 1.08 * float(np.max(np.abs(points)))
    for k, place in enumerate(curves["target"]):
        label = "target" if k == 0 else None
        ray = ([0.0, 9.0 * np.cos(place)], [0.0, 9.0 * np.sin(place)])
        axes.plot(*ray, color=WARM, linewidth=1.0, zorder=1, label=label)
    axes.plot(points[:, :, 0], points[:, :, 1], color=PALE, linewidth=0.5, zorder=0)
    axes.plot([], [], color=PALE, linewidth=0.9, label="paths")
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgewidth": 0.0}
    axes.plot(*points[0].T, color="#9a9a9a", markersize=1.6, label="start", **look)
    axes.plot(*points[-1].T, color=DARK, markersize=2.2, label="end", **look)
    axes.set_aspect("equal", adjustable="box", anchor="W")
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("$w_1$", labelpad=0.0)
    axes.set_ylabel("$w_2$", labelpad=0.0)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        fontsize=7.5,
        handlelength=1.4,
        borderaxespad=0.0,
    )


def _energies(axes: Axes, curves: Mapping[str, Array]) -> None:
    time = curves["time"]
    axes.plot(time, curves["plane_energy"], color=DARK, label="gradient descent in the plane")
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.0}
    few = slice(None, None, 2)
    label = r"(B), $\alpha = 4$, on the circle"
    axes.plot(time[few], curves["circle_energy"][few], color=WARM, label=label, **look)
    label = r"(C), $\alpha = 1$, mass 1: no projection"
    axes.plot(time, curves["mean_energy"], color=INK, linestyle=DASHED, linewidth=0.9, label=label)
    log_axis(axes, "x", float(time[0]), float(time[-1]))
    log_axis(axes, "y", 5e-4, 0.3)
    axes.set_xlabel(TIME, labelpad=0.0)
    axes.set_ylabel("$E$", labelpad=0.0)
    axes.legend(loc="lower left", fontsize=7.5)


def _differences(axes: Axes, curves: Mapping[str, Array]) -> None:
    time = curves["time"]
    words, colours = ("$E$", "$f$", "mass"), (DARK, WARM, INK)
    rows = zip(words, colours, curves["differences"], curves["coarse_differences"], strict=True)
    for word, colour, fine, coarse in rows:
        axes.plot(time, positive(coarse), color=colour, linestyle=DASHED, linewidth=0.8)
        axes.plot(time, positive(fine), color=colour, label=word)
    asked = float(curves["agreement"][0])
    axes.axhline(asked, color=PALE, linewidth=0.8, zorder=0)
    log_axis(axes, "x", float(time[0]), float(time[-1]))
    log_axis(axes, "y", 1e-16, 1e-5)
    axes.text(1.15 * float(time[0]), 1.4 * asked, "asked for", fontsize=7, va="bottom")
    axes.plot([], [], color="#7a7a7a", linestyle=DASHED, linewidth=0.8, label="fewer nodes")
    axes.set_xlabel(TIME, labelpad=0.0)
    axes.legend(loc="upper center", ncols=4, fontsize=7.5, columnspacing=1.0, handlelength=1.5)


def _relu(axes: Axes, curves: Mapping[str, Array]) -> None:
    time = curves["relu_time"]
    few = slice(1, None, 2)
    axes.plot(
        time,
        curves["unbalanced_excess"],
        color=INK,
        linestyle=DASHED,
        linewidth=0.9,
        label="unbalanced neurons",
    )
    axes.plot(time, curves["neurons_excess"], color=DARK, label="balanced neurons $(a, w)$")
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.0}
    label = r"(B), $\alpha = 2$, signed circles"
    axes.plot(time[few], curves["signs_excess"][few], color=WARM, label=label, **look)
    label = r"share left of the imbalance, $e^{-2\lambda t}$"
    share = curves["imbalance"] / curves["imbalance"][0]
    axes.plot(time, share, color="#8c8c8c", linewidth=0.9, label=label)
    log_axis(axes, "x", float(time[1]), float(time[-1]))
    log_axis(axes, "y", 1e-5, 3.0)
    axes.set_xlabel(TIME, labelpad=0.0)
    axes.set_ylabel("$E - E^*$, or share", labelpad=0.0)
    axes.legend(loc="lower left", fontsize=7.5)
