"""E in time of four problems, and maps of how much sooner a level is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, WARM, colours, styled

Array = NDArray[np.float64]

HEIGHT = 4.0
PROBLEMS = ("spikes", "blobs", "Run A", "Run B")
LAST = {"spikes": 30.0, "blobs": 50.0, "Run A": 100.0, "Run B": 100.0}
"""Of the times that are drawn."""

LOOKS: dict[str, dict[str, Any]] = {
    "A": {"color": WARM, "label": "gradient descent (A)"},
    "F": {"color": "#8c8c8c", "linestyle": (0, (1.0, 1.0)), "label": "birth and death alone"},
    "C": {"color": DARK, "label": "both (C)"},
    "D": {"color": INK, "linestyle": DASHED, "label": "both, with rebirth (D)"},
}

MAPS = {
    "width C": ("(e) circle, (C)", "width of the initial law"),
    "width D": ("(f) circle, (D)", "width of the initial law"),
    "charge C": ("(g) Run A, (C)", "mobility of charges"),
}
FACTORS = (1.0, 1000.0)
"""Ends of the colours."""

LEVELS, FEWEST = (2.0, 10.0, 100.0), 0.05
"""Of the lines, and the least part of a map on either side of one."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Four panels of E, and three of speed-ups, in one scale; dots mark lower bounds."""
    whole = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(whole)
    for k, problem in enumerate(PROBLEMS):
        place = ((0.5 + 1.64 * k) / PAGE, 2.42 / HEIGHT, 1.48 / PAGE, 1.16 / HEIGHT)
        axes = whole.add_axes(place)
        _energies(axes, curves, problem)
        axes.set_title(f"({'abcd'[k]}) {problem}", loc="left", pad=3.0)
        if k == 0:
            axes.set_ylabel("energy $E$", labelpad=1.0)
        else:
            axes.tick_params(labelleft=False)
    looks = {}
    for axes in whole.axes:
        looks.update(dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True)))
    ordered = [look["label"] for look in LOOKS.values() if look["label"] in looks]
    whole.legend(
        [looks[label] for label in ordered],
        ordered,
        loc="upper center",
        bbox_to_anchor=(0.53, 1.005),
        ncols=4,
        columnspacing=1.4,
    )
    for k, (name, (title, across)) in enumerate(MAPS.items()):
        place = ((0.5 + 1.98 * k) / PAGE, 0.4 / HEIGHT, 1.62 / PAGE, 1.36 / HEIGHT)
        axes = whole.add_axes(place)
        _map(axes, curves, name)
        axes.set_title(title, loc="left", pad=3.0)
        axes.set_xlabel(across, labelpad=1.0)
        if k == 0:
            axes.set_ylabel(r"$\alpha$", labelpad=1.0)
        else:
            axes.tick_params(labelleft=False)
    _scale(whole.add_axes((6.36 / PAGE, 0.4 / HEIGHT, 0.1 / PAGE, 1.36 / HEIGHT)))
    return whole


def _energies(axes: Axes, curves: Mapping[str, Array], problem: str) -> None:
    for dynamics, look in LOOKS.items():
        if f"{problem} {dynamics}" in curves:
            axes.plot(*curves[f"{problem} {dynamics}"], **look)
    end = min(LAST[problem], float(curves[f"{problem} C"][0, -1]))
    axes.set_xlim(0.0, end)
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    log_axis(axes, "y", 1e-6, 5.0)
    axes.set_xlabel(TIME, labelpad=1.0)


def shade(ratio: Array) -> Array:
    """Between 0 and 1, linear in the logarithm between `FACTORS`."""
    low, high = np.log(FACTORS)
    return np.asarray(np.clip((np.log(ratio) - low) / (high - low), 0.0, 1.0))


def _edges(centres: Array) -> Array:
    """Of cells on a logarithmic axis."""
    logs = np.log(centres)
    inner = 0.5 * (logs[1:] + logs[:-1])
    ends = 2.0 * logs[[0, -1]] - inner[[0, -1]]
    return np.asarray(np.exp(np.concatenate([ends[:1], inner, ends[1:]])))


def _map(axes: Axes, curves: Mapping[str, Array], name: str) -> None:
    across, alphas = curves[f"map {name} across"], curves[f"map {name} alphas"]
    ratio, descent = curves[f"map {name} ratio"], curves[f"map {name} descent"]
    picture = colours(0.04 + 0.9 * shade(ratio))
    right, up = _edges(across), _edges(alphas)
    axes.pcolormesh(right, up, picture, linewidth=0.0, rasterized=True)
    log_axis(axes, "x", float(right[0]), float(right[-1]))
    log_axis(axes, "y", float(up[0]), float(up[-1]))
    bounds = np.isinf(descent)
    places = np.meshgrid(across[bounds], alphas)
    axes.plot(
        *(part.ravel() for part in places),
        linestyle="none",
        marker="o",
        markersize=1.8,
        color=WARM,
    )
    # A level that only the corner of a map crosses would be a speck.
    levels = [level for level in LEVELS if FEWEST <= np.mean(ratio < level) <= 1.0 - FEWEST]
    lines = axes.contour(across, alphas, ratio, levels=levels, colors=INK, linewidths=0.6)
    axes.clabel(lines, fmt="%g", fontsize=7)


def _scale(axes: Axes) -> None:
    values = np.geomspace(*FACTORS, 128)
    axes.pcolormesh(
        np.array([0.0, 1.0]), _edges(values), colours(0.04 + 0.9 * shade(values))[:, None, :]
    )
    log_axis(axes, "y", *FACTORS)
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("times sooner to $E = 10^{-3}$")
