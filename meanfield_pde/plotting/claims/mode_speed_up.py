"""Waves on the uniform law: their decay, all speed-ups on one line, and what is not linear."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, WARM, colours, styled

Array = NDArray[np.float64]

HEIGHT = 2.75
UNITS = {
    "four waves": ("o", DARK),
    "von Mises": ("s", WARM),
    "Dirichlet": ("^", "#8c8c8c"),
}
SHOWN = ("0", "10")
"""alpha of the energies."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Draw the curves of the claim.

    Parameters
    ----------
    curves : mapping of str to array
        "energy, wave m, alpha a": times, and E over E at the start. "speed-ups, ...": m, alpha,
        the speed-up and its bar. "amplitudes": a, and how far the rate is off the law.
    """
    drawn = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(drawn)
    lefts = (0.56, 2.93, 5.24)
    panels = [drawn.add_axes((x / PAGE, 0.42 / HEIGHT, 1.7 / PAGE, 2.08 / HEIGHT)) for x in lefts]
    _energies(panels[0], curves)
    _speed_ups(panels[1], curves)
    _amplitudes(panels[2], curves["amplitudes"])
    titles = ("(a) waves $m=1,\\ldots,4$", "(b) speed-up", "(c) where it is not linear")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, loc="left", pad=3.5)
    return drawn


def _energies(axes: Axes, curves: Mapping[str, Array]) -> None:
    shades = colours(np.linspace(0.4, 1.0, 4)).astype(float) / 255.0
    for m, shade in enumerate(shades, 1):
        for alpha, dashes in zip(SHOWN, (DASHED, "solid"), strict=True):
            times, energy = curves[f"energy, wave {m}, alpha {alpha}"]
            label = f"$m={m}$" if alpha == SHOWN[1] else None
            axes.plot(times, energy, color=tuple(shade), linestyle=dashes, label=label)
    log_axis(axes, "y", 9e-4, 1.3)
    axes.set_xlim(0.0, 2.0)
    axes.set_xlabel(TIME)
    axes.set_ylabel("$E(t)/E(0)$")
    handles, labels = axes.get_legend_handles_labels()
    for alpha, dashes in zip(SHOWN, (DASHED, "solid"), strict=True):
        handles += axes.plot([], [], color=INK, linestyle=dashes)
        labels.append(rf"$\alpha={alpha}$")
    axes.legend(
        handles,
        labels,
        loc="lower center",
        ncols=3,
        handlelength=1.3,
        handletextpad=0.4,
        columnspacing=0.7,
        fontsize=7.5,
    )


def _speed_ups(axes: Axes, curves: Mapping[str, Array]) -> None:
    line = np.geomspace(4e-3, 150.0, 200)
    axes.plot(line, line, color=INK, linewidth=0.6, linestyle=DASHED)
    for k, (name, (marker, colour)) in enumerate(UNITS.items()):
        m, alpha, ratio, _ = curves[f"speed-ups, {name}"]
        axes.plot(
            *(alpha / m**2, ratio - 1.0),
            color=colour,
            marker=marker,
            markersize=6.5 - 1.8 * k,
            markerfacecolor="none" if k < 2 else colour,
            markeredgewidth=0.8,
            linestyle="none",
            label=name,
        )
    for which in ("x", "y"):
        log_axis(axes, which, line[0], line[-1])
    axes.set_xlabel(r"$\alpha/m^2$")
    axes.set_ylabel("speed-up $-\\,1$", labelpad=0.0)
    axes.legend(loc="upper left", handletextpad=0.2)


def _amplitudes(axes: Axes, rows: Array) -> None:
    axes.plot(*rows, color=DARK, marker="o")
    x = rows[0][[1, -2]]
    axes.plot(x, 0.3 * rows[1][-2] * (x / x[1]) ** 2, color=INK, linewidth=0.6, linestyle=DASHED)
    middle = np.sqrt(x[0] * x[1]), 0.3 * rows[1][-2] * x[0] / x[1]
    axes.annotate("$a^2$", middle, (4.0, -4.0), textcoords="offset points", va="top", fontsize=8)
    log_axis(axes, "x", rows[0].min() / 1.4, rows[0].max() * 1.4)
    log_axis(axes, "y", rows[1].min() / 8.0, rows[1].max() * 3.0)
    axes.set_xlabel("amplitude $a$ at the start")
    axes.set_ylabel("rate off its law, relative", labelpad=0.0)
