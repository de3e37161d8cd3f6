"""From 1/t to t^-2: energies by mobility, their one curve, the constant and the mass elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, number
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, colours, styled

Array = NDArray[np.float64]

HEIGHT = 4.0
PANEL = (2.78, 1.38)
"""Inches."""

MARKERS = {"cosine": ("o", DARK), "von Mises": ("s", WARM), "exp(cos)": ("^", "#8c8c8c")}


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Draw the curves of the claim.

    Parameters
    ----------
    curves : mapping of str to array
        "energy, mobility ...": times and E. "ratio, mobility ...": tau, and E over the universal
        curve. "constants, cosine": alpha, limits and bars. "elsewhere, ...": alpha over its
        threshold, exponents measured and by the law.
    """
    drawn = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(drawn)
    places = [
        (x / PAGE, y / HEIGHT, PANEL[0] / PAGE, PANEL[1] / HEIGHT)
        for y in (2.38, 0.42)
        for x in (0.58, 4.1)
    ]
    panels = [drawn.add_axes(place) for place in places]
    titles = (
        "(a) energy, by mobility $b$",
        "(b) over one curve without parameters",
        r"(c) limit of $8K_4t^2E$, $K=\cos$",
        "(d) exponent of the mass elsewhere",
    )
    names = [name.rsplit(" ", 1)[1] for name in curves if name.startswith("energy, ")]
    mobilities = sorted(map(float, names), reverse=True)
    looks = dict(zip(mobilities, _shades(len(mobilities)), strict=True))
    _energies(panels[0], curves, looks)
    _ratios(panels[1], curves, looks)
    _constants(panels[2], curves["constants, cosine"])
    _elsewhere(panels[3], curves)
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, loc="left", pad=3.5)
    return drawn


def _shades(count: int) -> list[tuple[float, ...]]:
    """Dark for the largest mobility, grey for none."""
    rows = colours(np.linspace(1.0, 0.4, count - 1)).astype(float) / 255.0
    return [*(tuple(row) for row in rows), (0.55, 0.55, 0.55)]


def _energies(
    axes: Axes, curves: Mapping[str, Array], looks: Mapping[float, tuple[float, ...]]
) -> None:
    lowest, last = np.inf, 1.0
    for b, colour in looks.items():
        times, energy = curves[f"energy, mobility {b:g}"]
        shown = energy > 1e-9
        axes.plot(times[shown], energy[shown], color=colour, label=f"${number(b)}$")
        lowest, last = min(lowest, float(energy[shown].min())), max(last, float(times[shown][-1]))
    log_axis(axes, "x", 1.0, last * 1.3)
    log_axis(axes, "y", 10.0 ** np.floor(np.log10(lowest)), 0.2)
    axes.set_xlabel(TIME)
    axes.set_ylabel("$E$")
    still = curves["energy, mobility 0"]
    middle = 10.0**2.6
    at = float(np.interp(np.log(middle), *np.log(still)))
    _slope(axes, (middle, last / 3.0), 3.5 * np.exp(at), -1.0, "$t^{-1}$")
    times, energy = curves[f"energy, mobility {max(looks):g}"]
    span = (10.0 ** (0.45 * np.log10(times[-1])), 10.0 ** (0.8 * np.log10(times[-1])))
    at = float(np.interp(np.log(span[0]), np.log(times), np.log(energy)))
    _slope(axes, span, 0.25 * np.exp(at), -2.0, "$t^{-2}$", below=True)
    axes.legend(title="$b$", title_fontsize=8, loc="upper right", handlelength=1.2, ncols=2)


def _slope(
    axes: Axes,
    span: tuple[float, float],
    start: float,
    power: float,
    words: str,
    below: bool = False,
) -> None:
    """A thin dashed line of a slope, named at its middle."""
    x = np.array(span)
    y = start * (x / x[0]) ** power
    axes.plot(x, y, color=INK, linewidth=0.6, linestyle=DASHED)
    axes.annotate(
        words,
        (float(np.sqrt(x[0] * x[1])), float(np.sqrt(y[0] * y[1]))),
        (-3.0, -3.0) if below else (3.0, 2.0),
        textcoords="offset points",
        ha="right" if below else "left",
        va="top" if below else "bottom",
        fontsize=8,
    )


def _ratios(
    axes: Axes, curves: Mapping[str, Array], looks: Mapping[float, tuple[float, ...]]
) -> None:
    axes.axhline(1.0, color=INK, linewidth=0.6, linestyle=DASHED)
    for b, colour in looks.items():
        if b > 0.0:
            axes.plot(*curves[f"ratio, mobility {b:g}"], color=colour)
    log_axis(axes, "x", 1e-4, 40.0)
    axes.set_ylim(0.86, 1.65)
    axes.set_xlabel(r"$\tau=2b^2K_4t/\alpha$")
    axes.set_ylabel(r"$E\,/\,[K_4b^2u(\tau)^2/2\alpha^2]$")
    for x, words in (
        (1.6e-4, r"$\leftarrow\,1/(8\alpha t)$"),
        (25.0, r"$1/(8K_4b^2t^2)\,\rightarrow$"),
    ):
        side = "left" if x < 1.0 else "right"
        axes.text(x, 0.875, words, ha=side, va="bottom", fontsize=7.5)


def _constants(axes: Axes, rows: Array) -> None:
    alpha = np.geomspace(0.08, 130.0, 400)
    law = 4.0 / (1.0 + 2.0 * np.minimum(alpha, 0.5)) ** 2
    axes.axvline(0.5, color=PALE, linewidth=0.8)
    axes.plot(alpha, law, color=INK, linewidth=0.6, linestyle=DASHED)
    axes.errorbar(rows[0], rows[1], rows[2], color=DARK, fmt="o", markersize=3.2, elinewidth=0.8)
    log_axis(axes, "x", alpha[0], alpha[-1])
    axes.set_ylim(0.7, 3.0)
    axes.set_xlabel(r"$\alpha$")
    axes.text(0.54, 2.75, "threshold 1/2", fontsize=8, va="center")
    axes.text(0.27, 2.05, r"$4/(1+2\alpha)^2$", fontsize=8)


def _elsewhere(axes: Axes, curves: Mapping[str, Array]) -> None:
    highest = 1.0
    for name, (marker, colour) in MARKERS.items():
        ratio, measured, law = curves[f"elsewhere, {name}"]
        shown = law <= 3.2
        slope, at = np.polyfit(ratio, law, 1)
        ends = np.array([1.0, ratio[shown].max()])
        axes.plot(ends, slope * ends + at, color=colour, linewidth=0.7, linestyle=DASHED)
        axes.plot(
            *(ratio[shown], measured[shown]),
            color=colour,
            marker=marker,
            markersize=3.5,
            linestyle="none",
            label=name,
        )
        highest = max(highest, float(ratio[shown].max()))
    axes.plot([0.0, 1.0], [1.0, 1.0], color=INK, linewidth=0.6, linestyle=DASHED)
    axes.axvline(1.0, color=PALE, linewidth=0.8, zorder=0)
    axes.set_xlim(0.0, 1.05 * highest)
    axes.set_ylim(0.6, 3.3)
    axes.set_xlabel(r"$\alpha$ over its threshold")
    axes.legend(loc="lower right", handletextpad=0.2)
