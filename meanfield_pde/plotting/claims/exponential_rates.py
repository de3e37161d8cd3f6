"""Exponential rates against alpha, of potentials and of units, and energies of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, number
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, WARM, colours, styled

Array = NDArray[np.float64]

HEIGHT = 2.75
LOOKS = (("o", DARK), ("s", WARM), ("^", "#5b8c5a"), ("D", "#8c8c8c"))
POTENTIALS = ("circle", "two wells", "three wells", "plane")
UNITS = ("mass 3/2", "penalty", "more waves", "labels")
LOWEST = 1e-7


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Draw the curves of the claim.

    Parameters
    ----------
    curves : mapping of str to array
        "energy, ...": times and E of V = 1 - cos theta at an alpha. "rates, ...": alpha, the rate
        measured and its bar. "law, ...": alpha and the rate by the law.
    """
    drawn = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(drawn)
    lefts = (0.56, 2.95, 5.19)
    panels = [drawn.add_axes((x / PAGE, 0.42 / HEIGHT, 1.75 / PAGE, 2.08 / HEIGHT)) for x in lefts]
    _energies(panels[0], curves)
    _rates(panels[1], curves, POTENTIALS)
    _rates(panels[2], curves, UNITS)
    titles = (
        r"(a) $V=1-\cos\theta$",
        "(b) rates, $V$ fixed",
        "(c) rates, units, $E^*>0$",
    )
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, loc="left", pad=3.5)
    return drawn


def _energies(axes: Axes, curves: Mapping[str, Array]) -> None:
    """E(t), each with the slope of its law through its last point."""
    alphas = sorted(float(name.split(", ")[1]) for name in curves if name.startswith("energy, "))
    chosen = alphas if len(alphas) <= 4 else [alphas[i] for i in (0, 3, -1)]
    shades = colours(np.linspace(0.4, 1.0, len(chosen))).astype(float) / 255.0
    last = 1.0
    for alpha, shade in zip(chosen, shades, strict=True):
        times, energy = curves[f"energy, {alpha:g}"]
        shown = energy > LOWEST
        last = max(last, float(times[shown][-1]))
        label = rf"$\alpha={number(alpha)}$"
        axes.plot(times[shown], energy[shown], color=tuple(shade), label=label)
        rate = min(2.0, 1.0 + 2.0 * alpha)
        end = int(np.flatnonzero(shown)[-1])
        ends = times[end] * np.array([0.45, 1.0])
        line = energy[end] * np.exp(-rate * (ends - times[end]))
        axes.plot(ends, 2.2 * line, color=INK, linewidth=0.6, linestyle=DASHED)
    log_axis(axes, "y", LOWEST, 10.0)
    axes.set_xlim(0.0, 1.03 * last)
    axes.set_xlabel(TIME)
    axes.set_ylabel("$E-E^*$")
    axes.legend(loc="upper right", handlelength=1.2)


def _rates(axes: Axes, curves: Mapping[str, Array], names: tuple[str, ...]) -> None:
    """Measured rates on the lines of their laws."""
    lows, highs, sides = [], [], []
    for name, (marker, colour) in zip(names, LOOKS, strict=True):
        alpha, rate, bar = curves[f"rates, {name}"]
        law = curves[f"law, {name}"]
        axes.plot(*law, color=colour, linewidth=0.7, linestyle=DASHED)
        look: dict[str, Any] = {"color": colour, "markersize": 3.2, "elinewidth": 0.8}
        axes.errorbar(alpha, rate, bar, fmt=marker, label=name, **look)
        lows.append(float(np.min(law[1])))
        highs.append(float(np.max(law[1])))
        sides.append((float(alpha.min()), float(alpha.max())))
    log_axis(axes, "x", 0.7 * min(low for low, _ in sides), 1.4 * max(high for _, high in sides))
    log_axis(axes, "y", 0.6 * min(lows), 25.0 * max(highs))
    axes.set_xlabel(r"$\alpha$")
    axes.set_ylabel("rate", labelpad=0.0)
    axes.legend(loc="upper left", handletextpad=0.2, ncols=2, columnspacing=0.6, borderaxespad=0.2)
