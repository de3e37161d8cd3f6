"""Birth and death alone: constants of 1/t, local exponents, and E - E* under its bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import log_axis, number
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 4.0
GREY = "#8c8c8c"

LOOKS: dict[str, tuple[str, str]] = {
    "fixed": (GREY, "fixed $V$"),
    "unfitted": (DARK, "$E^*>0$"),
    "wall": (DARK, "$E^*>0$, atoms at walls"),
    "fitted": (WARM, "$E^*=0$, smooth kernel"),
    "kinked": (INK, r"$E^*=0$, $|\theta-\theta'|^3$ in the kernel"),
}
"""Colours and words, by what their law is."""

DASHES = {"wall": (0, (1.2, 1.0))}

FRACTIONS = {1.0: "1", 0.5: "1/2", 0.25: "1/4", 0.75: "3/4", 0.125: "1/8", 1.0 / 6.0: "1/6"}

SCALED_TIME = r"$\alpha t$"

MARKERS = ("o", "s", "^", "v")
"""Of up to four values of alpha."""

APART = 1.13
"""Ratio of heights of neighbouring labels."""

WITHIN = 0.05
"""Of the exponent 1: the band."""


@styled
def figure(curves: Mapping[str, Array]) -> Figure:
    """Draw the curves of the claim.

    Parameters
    ----------
    curves : mapping of str to array
        Of each problem, named by its group (`LOOKS`) and number: "curve/fixed 0", alpha t and
        alpha t (E - E*); "exponent/fixed 0", alpha t and the local exponent; "law/fixed 0", the
        constant; "begin/fixed 0", where the law begins. "alpha/10": alpha t and E - E* of one
        problem for one alpha. "bound": alpha t, E - E* of the same, and its bound.
    """
    drawn = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(drawn)
    levels, exponents, bound = (
        drawn.add_axes((x / PAGE, y / HEIGHT, wide / PAGE, tall / HEIGHT))
        for x, y, wide, tall in (
            (0.56, 0.42, 2.75, 2.74),
            (4.12, 2.3, 2.78, 1.48),
            (4.12, 0.42, 2.78, 1.56),
        )
    )
    last = max(float(times[-1]) for times, _ in _named(curves, "curve").values())
    _levels(levels, curves)
    _exponents(exponents, curves)
    _bound(bound, curves)
    for axes in (levels, exponents, bound):
        log_axis(axes, "x", 1.0, last)
    for axes in (levels, bound):
        axes.set_xlabel(SCALED_TIME)
    exponents.tick_params(axis="x", labelbottom=False)
    titles = (
        r"(a) $\alpha t\,(E-E^*)$ and its constants",
        r"(b) local exponent of $E-E^*$",
        r"(c) noisy samples: all $\alpha$, and the bound",
    )
    for axes, title in zip((levels, exponents, bound), titles, strict=True):
        axes.set_title(title, loc="left", pad=3.5)
    handles, labels = levels.get_legend_handles_labels()
    order = [labels.index(words) for _, words in LOOKS.values() if words in labels]
    drawn.legend(
        [handles[k] for k in order],
        [labels[k] for k in order],
        loc="upper left",
        bbox_to_anchor=(0.06, 1.0),
        ncols=2,
        fontsize=7.5,
        handlelength=1.6,
        columnspacing=1.0,
    )
    return drawn


def _named(curves: Mapping[str, Array], kind: str) -> dict[str, Array]:
    """Curves of a kind by the rest of their names, in the order of `LOOKS`."""
    found = {name.split("/", 1)[1]: name for name in curves if name.startswith(f"{kind}/")}
    groups = list(LOOKS)
    ordered = sorted(found, key=lambda rest: groups.index(rest.split(" ", 1)[0]))
    return {rest: curves[found[rest]] for rest in ordered}


def _look(name: str) -> dict[str, Any]:
    group = name.split(" ", 1)[0]
    return {
        "color": LOOKS[group][0],
        "linestyle": DASHES.get(group, "solid"),
        "linewidth": 0.7 if group == "fixed" else 1.0,
    }


def _levels(axes: Axes, curves: Mapping[str, Array]) -> None:
    told: set[str] = set()
    for name, (times, values) in _named(curves, "curve").items():
        words = LOOKS[name.split(" ", 1)[0]][1]
        axes.plot(times, values, label=None if words in told else words, **_look(name))
        told.add(words)
    for name, (time, value) in _named(curves, "begin").items():
        axes.plot(time, value, marker="o", markersize=2.6, **_look(name))
    laws = sorted({round(float(law[0]), 9) for law in _named(curves, "law").values()})
    for law, place in zip(laws, _apart(laws), strict=True):
        axes.axhline(law, color=INK, linestyle=DASHED, linewidth=0.5, zorder=0)
        near = [words for value, words in FRACTIONS.items() if abs(value - law) < 1e-6]
        axes.annotate(
            near[0] if near else number(law),
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(2.5, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            annotation_clip=False,
        )
    log_axis(axes, "y", 0.02, 1.3)


def _apart(laws: Sequence[float]) -> list[float]:
    """Where labels of increasing levels are placed: no two closer than `APART`."""
    places = list(laws)
    for k in range(1, len(places)):
        places[k] = max(places[k], APART * places[k - 1])
    return places


def _exponents(axes: Axes, curves: Mapping[str, Array]) -> None:
    axes.axhspan(1.0 - WITHIN, 1.0 + WITHIN, color=PALE, alpha=0.6, linewidth=0.0, zorder=0)
    for name, (times, values) in _named(curves, "exponent").items():
        axes.plot(times, values, **_look(name))
    axes.set_ylim(0.0, 1.8)
    axes.set_yticks([0.0, 0.5, 1.0, 1.5])


def _bound(axes: Axes, curves: Mapping[str, Array]) -> None:
    times, excess, least = curves["bound"]
    axes.plot(times, least, color=INK, linestyle=DASHED, label=r"least $\mathrm{KL}$ bound")
    axes.plot(times, excess, color=DARK, label="$E-E^*$")
    runs = {name.split("/", 1)[1]: name for name in curves if name.startswith("alpha/")}
    for k, (marker, (alpha, name)) in enumerate(zip(MARKERS, runs.items(), strict=False)):
        at, values = curves[name]
        every = slice(2 * k, None, 2 * len(runs))
        face: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.7}
        axes.plot(
            *(at[every], values[every]),
            marker=marker,
            linestyle="none",
            color=DARK,
            label=rf"$\alpha={alpha}$",
            **face,
        )
    log_axis(axes, "y", 0.5 * float(excess.min()), 2.0 * float(least.max()))
    axes.legend(loc="lower left", fontsize=7, handlelength=1.6, ncols=1, labelspacing=0.15)
