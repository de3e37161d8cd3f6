"""The tail of the paper's bad initialisation: how the plateau is left, in four panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, number
from meanfield_pde.plotting.style import DARK, INK, PAGE, PALE, SEQUENCE, WARM, styled

Array = NDArray[np.float64]

COLOURS = {"exact": INK, "walls": DARK, "grids": WARM, "particles": "#8c8c8c"}
DASHES = {"exact": ["solid"], "particles": ["solid"]}
"""Of the kinds of curves; those of another kind are dashed, the second one dotted."""

SHADES = ListedColormap(SEQUENCE[30:].astype(float) / 255)

TITLES = (
    "(a) energy",
    "(b) share of what will be in the right well",
    "(c) its ancestors, over ln of the initial law",
    "(d) paths, coloured by time",
)

ACROSS, ALONG = (-0.06, 0.1), (0.0, 27.0)
"""Of y_0 and of c_0, in the third panel."""

LABELS = 0.087
"""The y_0 at which the levels of the initial law are labelled."""

LOWEST = -10.0
"""ln of the density, relative to its maximum, from which ancestors are drawn."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Values in time, of a kind (`COLOURS`), and what they are of."""

    time: Array
    values: Array
    kind: str
    words: str


@dataclass(frozen=True, eq=False)
class Ancestors:
    """Where the mass in the well was at the start.

    Attributes
    ----------
    location, charge : arrays (across, along)
        y_0 and c_0 of nodes in rows along y_0.
    log_density : array (across, along)
        Of the mass in the well over the ancestors, relative to its maximum.
    line : array (2, points)
        The dividing line: c_0 and y_0.
    leaders : array (2, laws)
        y_0 and c_0 of the mean ancestor under cuts of c_0, the last one without a cut.
    """

    location: Array
    charge: Array
    log_density: Array
    line: Array
    leaders: Array


@dataclass(frozen=True, eq=False)
class Paths:
    """Where ancestors go in (y, c).

    Attributes
    ----------
    time : array (times,)
    places : array (times, paths, 2)
        The last path is the leading one.
    marks : sequence of float
        Times that are marked on it.
    ridge : float
        Where v has its maximum.
    """

    time: Array
    places: Array
    marks: Sequence[float]
    ridge: float


@styled
def save_tail_figure(
    energies: Sequence[Curve],
    shares: Sequence[Curve],
    found: Ancestors,
    paths: Paths,
    folder: Path,
    formats: Sequence[str],
) -> list[Path]:
    """E in time, the shares of what will be in the well, its ancestors and their paths.

    Written as tail.<format>; returns the files.
    """
    from meanfield_pde.plotting import write_figure

    figure = Figure(figsize=(PAGE, 5.4))
    FigureCanvasAgg(figure)
    places = [(x, y, 2.86 / PAGE, 2.13 / 5.4) for y in (0.568, 0.075) for x in (0.073, 0.566)]
    panels = [figure.add_axes(place) for place in places]
    _curves(panels[0], energies)
    log_axis(panels[0], "y", 1e-5, 0.1)
    panels[0].set_ylabel(r"$E$")
    _curves(panels[1], shares)
    panels[1].set_ylim(-430.0, 15.0)
    panels[1].yaxis.set_major_locator(MaxNLocator(6))
    panels[1].set_ylabel("ln (share of the mass)", labelpad=1.0)
    _ancestors(panels[2], found)
    _paths(panels[3], paths)
    for panel, title in zip(panels, TITLES, strict=True):
        panel.set_title(title, loc="left", pad=3.5)
    return [write_figure(figure, folder / f"tail.{form}", form) for form in formats]


def _curves(axes: Axes, curves: Sequence[Curve]) -> None:
    seen: list[str] = []
    for curve in curves:
        dashes = DASHES.get(curve.kind, [(0, (4.0, 1.6)), (0, (1.0, 1.0))])
        axes.plot(
            *(curve.time, curve.values),
            color=COLOURS[curve.kind],
            linestyle=dashes[min(seen.count(curve.kind), len(dashes) - 1)],
            linewidth=1.5 if curve.kind == "exact" else 1.1,
            label=curve.words,
            zorder=3 if curve.kind == "exact" else 2,
        )
        seen.append(curve.kind)
    axes.set_xlim(0.0, max(float(curve.time[-1]) for curve in curves))
    axes.set_xlabel(TIME)
    axes.legend(loc="lower left" if axes.get_ylim()[0] > -1.0 else "lower right", fontsize=7.5)


def _ancestors(axes: Axes, found: Ancestors) -> None:
    levels = np.linspace(LOWEST, 0.0, 11)
    density = np.maximum(found.log_density, LOWEST - 1.0)
    axes.contourf(found.location, found.charge, density, levels=levels, cmap=SHADES)
    y, c = np.meshgrid(np.linspace(*ACROSS, 181), np.linspace(*ALONG, 136))
    start = -0.5 * (((y + 2.0) / 0.1) ** 2 + c**2)
    lowered = np.arange(-560.0, -190.0, 40.0)
    look: dict[str, Any] = {"colors": "#7a7a7a", "linewidths": 0.5, "linestyles": "solid"}
    lines = axes.contour(y, c, start, levels=lowered, **look)
    labelled = np.sqrt(np.maximum(-2.0 * lowered - 10.0**2 * (LABELS + 2.0) ** 2, 0.0))
    places = [(LABELS, float(place)) for place in labelled if 5.0 < place < ALONG[1]]
    axes.clabel(lines, fmt="%d", fontsize=6.5, inline_spacing=2.0, manual=places)
    dashes = (0, (4.0, 1.6))
    axes.plot(found.line[1], found.line[0], color=INK, linestyle=dashes, label="dividing line")
    words = "mean ancestor, $|c_0|$ cut or not"
    axes.plot(*found.leaders, color=WARM, linewidth=0.8, marker="o", markersize=3.0, label=words)
    axes.text(-0.056, 7.4, "goes left", fontsize=7.5, va="center")
    axes.legend(loc="lower right", fontsize=7.5)
    axes.set_xlim(*ACROSS)
    axes.set_ylim(*ALONG)
    axes.set_xlabel("$y_0$")
    axes.set_ylabel("$c_0$")


def _paths(axes: Axes, paths: Paths) -> None:
    axes.axvline(paths.ridge, color=PALE, linewidth=1.0, zorder=0)
    axes.text(paths.ridge - 0.08, 5.0, "ridge of $v$", rotation=90, ha="right", fontsize=7.5)
    late = paths.time[:-1]
    count = paths.places.shape[1]
    for k in range(count):
        points = paths.places[:, k]
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        width = 2.4 if k == count - 1 else 1.2
        lines = LineCollection(list(pieces), cmap=SHADES, linewidths=width, capstyle="round")
        lines.set_array(late)
        axes.add_collection(lines)
        axes.plot(*points[0], marker="o", markersize=2.6, color=INK, linestyle="none", zorder=4)
    for time in paths.marks:
        at = [float(np.interp(time, paths.time, column)) for column in paths.places[:, -1].T]
        axes.plot(*at, marker="s", markersize=2.6, color=WARM, linestyle="none", zorder=4)
        offset = (4.0, -2.5) if at[0] > 1.0 else (-1.0, 4.0)
        axes.annotate(
            f"$t = {number(time)}$" if time == paths.marks[-1] else f"${number(time)}$",
            (at[0], at[1]),
            offset,
            textcoords="offset points",
            color=WARM,
            fontsize=6.5,
        )
    axes.set_xlim(-3.0, 3.5)
    axes.set_ylim(-4.0, ALONG[1])
    axes.set_xlabel("$y$")
    axes.set_ylabel("$c$")
    inside = axes.inset_axes((0.05, 0.93, 0.3, 0.03))
    ends = (0.0, float(paths.time[-1]), 0.0, 1.0)
    inside.imshow(np.linspace(0.0, 1.0, 128)[None, :], cmap=SHADES, extent=ends, aspect="auto")
    inside.set_yticks([])
    inside.set_xticks([0.0, 20.0])
    inside.tick_params(labelsize=7, length=2.0, pad=1.0)
    inside.set_xlabel("$t$", labelpad=-6.0, x=0.8, fontsize=7.5)
