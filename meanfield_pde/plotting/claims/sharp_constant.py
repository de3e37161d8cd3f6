"""The sharp constant of the law 1 / t^2: t^2 E over it in time, and two certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 3.1

LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "balanced": ("balanced", {"color": DARK}),
    "free": ("free mass", {"color": WARM}),
    "remote": ("mass stays elsewhere", {"color": INK}),
    "clusters": ("clusters", {"color": DARK, "linestyle": (0, (1.0, 1.0))}),
    "below": (r"$\alpha$ below its threshold", {"color": "#8c8c8c", "linestyle": (0, (6.0, 2.0))}),
}
"""Of the runs, by what stands before the number in the name of a curve."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Left t^2 E / c in time, right v - v_0 over the circle for three atoms, and for one."""
    page = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(page)
    left = page.add_axes((0.075, 0.145, 0.42, 0.79))
    _ratios(left, curves)
    upper = page.add_axes((0.6, 0.6, 0.385, 0.335))
    lower = page.add_axes((0.6, 0.145, 0.385, 0.335))
    _three(upper, curves)
    _one(lower, curves)
    titles = ("(a) energy over its law", "(b) certificate, 3 atoms", "(c) mass stays elsewhere")
    for axes, title in zip((left, upper, lower), titles, strict=True):
        axes.set_title(title, loc="left", pad=3.5)
    return page


def _ratios(axes: Axes, curves: Mapping[str, Array]) -> None:
    axes.axhline(1.0, color=INK, linewidth=0.6, linestyle=DASHED, zorder=1)
    last = 10.0
    for kind, (words, look) in LOOKS.items():
        label: str | None = words
        for name in curves:
            if name.rpartition("_")[0] != kind or not name.rpartition("_")[2].isdigit():
                continue
            times, values = curves[name]
            axes.plot(times, values, label=label, **{"linewidth": 1.0, **look})
            label, last = None, max(last, float(times[-1]))
    log_axis(axes, "x", 1.0, last)
    log_axis(axes, "y", 0.02, 8.0)
    axes.set_xlabel(TIME)
    axes.set_ylabel("$t^2 E\\,/\\,c$")
    axes.legend(loc="lower right")


def _circle(axes: Axes) -> None:
    axes.set_xlim(-np.pi, np.pi)
    axes.set_xticks([-np.pi, 0.0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])
    axes.set_ylabel("$v - v_0$")


def _atoms(axes: Axes, places: Array) -> None:
    look: dict[str, Any] = {"color": DARK, "markeredgecolor": INK, "markeredgewidth": 0.4}
    axes.plot(
        *(places, np.zeros_like(places)),
        **look,
        marker="o",
        markersize=4.0,
        linestyle="none",
        zorder=4,
    )


def _three(axes: Axes, curves: Mapping[str, Array]) -> None:
    axes.axhline(0.0, color=PALE, linewidth=0.8, zorder=0)
    axes.plot(curves["theta"], curves["three"], color=DARK)
    _atoms(axes, curves["three_atoms"])
    top = float(np.max(curves["three"]))
    axes.set_ylim(-0.12 * top, 1.15 * top)
    _circle(axes)
    axes.tick_params(labelbottom=False)


def _one(axes: Axes, curves: Mapping[str, Array]) -> None:
    least = float(curves["one_least"][0])
    axes.axhline(0.0, color=PALE, linewidth=0.8, zorder=0)
    axes.axhline(least, color=INK, linewidth=0.6, linestyle=DASHED, zorder=1)
    axes.plot(curves["theta"], curves["one_local"], color="#8c8c8c", linewidth=0.9)
    axes.plot(curves["theta"], curves["one"], color=DARK)
    _atoms(axes, curves["one_atoms"])
    places = curves["one_remote"]
    axes.plot(
        *(places, np.full_like(places, least)),
        color=WARM,
        marker="s",
        markersize=3.5,
        linestyle="none",
        zorder=4,
    )
    top = float(np.max(curves["one"]))
    axes.set_ylim(-0.12 * top, 1.15 * top)
    _circle(axes)
    axes.set_xlabel(r"$\theta$", labelpad=-7.0, x=0.75)
    grey: dict[str, Any] = {"fontsize": 7.5, "ha": "center"}
    middle = 0.5 * (float(np.max(curves["one_local"])) + least)
    axes.text(0.3, 1.03 * least, r"$1/\alpha$", va="bottom", **grey)
    axes.text(-1.9, middle, "if no mass stayed", color="#6c6c6c", va="center", **grey)
    axes.text(2.2, 0.9 * least, "mass $\\propto 1/t$", color=WARM, va="top", **grey)
