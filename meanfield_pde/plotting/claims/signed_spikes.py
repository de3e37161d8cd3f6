"""The certificate in time, spikes true and found, and how far E is from the optimum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, number, positive
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, early_to_late, styled

Array = NDArray[np.float64]

HEIGHT = 3.3


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Left, eta and the spikes over theta; right, E - E* and its bound in time."""
    result = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(result)
    wide = 2.85 / PAGE
    above = result.add_axes((0.073, 1.36 / HEIGHT, wide, 1.7 / HEIGHT))
    below = result.add_axes((0.073, 0.4 / HEIGHT, wide, 0.76 / HEIGHT))
    right = result.add_axes((0.575, 0.4 / HEIGHT, wide, 2.66 / HEIGHT))
    _certificates(above, curves)
    _spikes(below, curves)
    _energies(right, curves)
    for axes, title in (
        (above, r"(a) certificate $\eta = -\langle f-f^*,\psi\rangle/\lambda$"),
        (right, "(c) distance to the optimum"),
    ):
        axes.set_title(title, loc="left", pad=3.5)
    below.set_title("(b) spikes", loc="left", pad=2.5)
    return result


def _angles(axes: Axes) -> None:
    axes.set_xlim(-np.pi, np.pi)
    axes.set_xticks([-np.pi, -np.pi / 2, 0.0, np.pi / 2, np.pi])


def _certificates(axes: Axes, curves: Mapping[str, Array]) -> None:
    for level in (-1.0, 1.0):
        axes.axhline(level, color=PALE, linewidth=0.8, zorder=0)
    theta = curves["theta"]
    looks = early_to_late(curves["certificate_time"].size + 1)
    rows = (*curves["certificates"], curves["optimal_certificate"])
    words = (*(f"$t = {number(time)}$" for time in curves["certificate_time"]), "optimum")
    for row, word, look in zip(rows, words, looks, strict=True):
        axes.plot(theta, row, label=word, **look)
    places, masses = curves["optimum"]
    axes.plot(places, np.sign(masses), "o", color=WARM, markersize=4.0, zorder=4)
    axes.set_ylim(-2.6, 2.1)
    _angles(axes)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel(r"$\eta$", labelpad=0.0)
    axes.legend(loc="lower left", ncols=2, fontsize=7, columnspacing=0.9, handlelength=1.8)


def _spikes(axes: Axes, curves: Mapping[str, Array]) -> None:
    axes.axhline(0.0, color=INK, linewidth=0.5)
    places, masses = curves["true"]
    axes.vlines(places, 0.0, masses, color=PALE, linewidth=4.0)
    axes.plot(places, masses, "_", color="#8c8c8c", markersize=11.0, label="true")
    axes.plot(*curves["optimum"], "o", color=WARM, markersize=4.5, label="optimum")
    axes.plot(*curves["found"], "+", color=INK, markersize=6.0, label="birth and death")
    axes.set_ylim(-1.25, 1.15)
    _angles(axes)
    axes.set_xticklabels([r"$-\pi$", r"$-\pi/2$", "0", r"$\pi/2$", r"$\pi$"])
    axes.set_xlabel(r"$\theta$", labelpad=0.0)
    axes.set_ylabel("mass", labelpad=0.0)
    axes.legend(loc="lower left", fontsize=7, handlelength=1.2, labelspacing=0.15)


def _energies(axes: Axes, curves: Mapping[str, Array]) -> None:
    time, excess = curves["time"], positive(curves["excess"])
    axes.plot(time, curves["descent_excess"], color=WARM, label="gradient descent, $E-E^*$")
    axes.plot(time, curves["gap"], color=DARK, linestyle=DASHED, label="birth and death, gap")
    axes.plot(time, excess, color=DARK, label="birth and death, $E-E^*$")
    rate = float(curves["rate"][0])
    half = time >= 0.3 * time[-1]
    guide = 0.2 * excess[-1] * np.exp(rate * (time[-1] - time[half]))
    word = f"$e^{{-{number(rate)}\\,t}}$, predicted"
    axes.plot(time[half], guide, color=INK, linestyle=DASHED, linewidth=0.7, label=word)
    axes.set_xlim(0.0, float(time[-1]))
    log_axis(axes, "y", 1e-11, 3e2)
    axes.set_xlabel(TIME)
    axes.set_ylabel("energy")
    axes.legend(loc="lower left", fontsize=7.5)
