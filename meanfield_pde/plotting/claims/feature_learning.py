"""E of frozen and of learnt features in three problems, and the modes of frozen ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 3.9
PROBLEMS = ("Run A", "Run B", "narrow units")
WORDS = {"(A)": "gradient descent", "(C)": "with birth and death"}
COLOURS = {"(A)": WARM, "(C)": DARK}
LINES: dict[str, Any] = {"learnt": "solid", "frozen": DASHED}
ENERGIES, LEFT = (2e-6, 0.5), (2e-7, 0.5)
"""What the vertical axes show."""

LEAST_RATE = 1e-6
"""Modes that take longer are not drawn."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Three panels of E in time over one of the energy left in slow modes.

    There each dot is a mode of frozen features: the time 1 / (2 lambda) that it lives, and how much
    of E is in it and in all slower ones, which is about what E cannot fall below until then.
    """
    whole = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(whole)
    wide, tall = 1.93 / PAGE, 1.33 / HEIGHT
    for k, problem in enumerate(PROBLEMS):
        place = ((0.54 + 2.17 * k) / PAGE, 2.12 / HEIGHT, wide, tall)
        axes = whole.add_axes(place)
        _energies(axes, curves, problem)
        axes.set_title(f"({'abc'[k]}) {problem}", loc="left", pad=3.5)
        _labelled(axes, "energy $E$", first=k == 0)
    handles, labels = whole.axes[0].get_legend_handles_labels()
    whole.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.53, 1.0), ncols=4, columnspacing=1.0
    )
    for k, problem in enumerate(PROBLEMS):
        place = ((0.54 + 2.17 * k) / PAGE, 0.4 / HEIGHT, wide, 1.2 / HEIGHT)
        axes = whole.add_axes(place)
        _modes(axes, curves, problem)
        axes.set_title(f"({'def'[k]}) its modes, frozen", loc="left", pad=3.5)
        _labelled(axes, "$E$ in slower modes", first=k == 0)
    return whole


def _labelled(axes: Axes, words: str, first: bool) -> None:
    """The vertical axis, which all panels of a row share."""
    axes.set_ylabel(words if first else "")
    axes.tick_params(labelleft=first)


def _energies(axes: Axes, curves: Mapping[str, Array], problem: str) -> None:
    for features, line in LINES.items():
        for dynamics, words in WORDS.items():
            time, energy = curves[f"{problem} {dynamics} {features}"]
            label = f"{features}, {words}"
            axes.plot(time, energy, color=COLOURS[dynamics], linestyle=line, label=label)
    log_axis(axes, "x", float(time[0]), float(time[-1]))
    log_axis(axes, "y", *ENERGIES)
    axes.set_xlabel(TIME, labelpad=1.0)


def _modes(axes: Axes, curves: Mapping[str, Array], problem: str) -> None:
    """Energy left in slower modes against their time, with E of the sum over modes."""
    rates, shares = curves[f"{problem} modes"]
    left = np.cumsum(shares[::-1])[::-1]
    some = rates > LEAST_RATE
    lives = 0.5 / rates[some]
    time, energy = curves[f"{problem} linear"]
    axes.plot(time, energy, color=WARM, linestyle=DASHED)
    axes.plot(
        *(lives, left[some]), linestyle="none", marker="o", markersize=3.2, color=INK, zorder=3
    )
    log_axis(axes, "x", 0.1, 1e6)
    log_axis(axes, "y", *LEFT)
    axes.set_xlabel(r"$t$, or life of a mode $1/(2\lambda)$", labelpad=1.0)
