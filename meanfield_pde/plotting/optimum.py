"""The certificate of an optimum: V on the whole space, nowhere below its value at the atoms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import number
from meanfield_pde.plotting.style import (
    DARK,
    DASHED,
    INK,
    PALE,
    SEQUENCE,
    WARM,
    column_figure,
    styled,
)
from meanfield_pde.problem.optimum import Optimum

Array = NDArray[np.float64]

SMALLEST, LARGEST = 3.0, 12.0
"""Sizes of the atoms, of no mass and of all of it."""


def has_optimum_figure(found: Optimum) -> bool:
    """Whether V is a function of one or two parameters, one of which may be a sign."""
    return 1 <= len(found.nodes) <= 2 and found.landscape.size > 0


@styled
def optimum_figure(found: Optimum, names: Sequence[str]) -> Figure:
    """V less its least value on the space, atoms where it is zero, their sizes by their masses.

    Of signed measures and of charges that V is linear in, a curve for each end.

    Parameters
    ----------
    found : Optimum
        One with `has_optimum_figure`.
    names : sequence of str
        Of the parameters.
    """
    shares = np.abs(found.masses) / max(float(np.sum(np.abs(found.masses))), 1e-300)
    sizes = SMALLEST + (LARGEST - SMALLEST) * np.sqrt(shares)
    if len(found.nodes) == 2 and found.nodes[1].size > 2:
        figure, (axes,) = column_figure([2.4])
        _map(axes, found, sizes)
        axes.set_xlabel(f"${_symbol(names[0])}$")
        axes.set_ylabel(f"${_symbol(names[1])}$")
        return figure
    figure, (axes,) = column_figure([2.0])
    _curves(axes, found, sizes)
    axes.set_xlabel(f"${_symbol(names[0])}$")
    axes.set_ylabel(r"$V - \min V$")
    return figure


def _symbol(name: str) -> str:
    word, _, index = name.partition("_")
    letter = rf"\{word}" if word == "theta" else word
    return f"{letter}_{{{index}}}" if index else letter


def _curves(axes: Axes, found: Optimum, sizes: Array) -> None:
    nodes, values = found.nodes[0], found.landscape.reshape(found.nodes[0].size, -1)
    lowest = min(float(values.min()), float(found.potential.min()))
    looks = [(WARM, DASHED), (DARK, "solid")][-values.shape[1] :]
    for column, (colour, dashes) in zip(values.T, looks, strict=True):
        end = len(looks) == 2 and found.nodes[1][0 if colour == WARM else 1]
        label = f"$c = {number(float(end))}$" if len(looks) == 2 else None
        axes.plot(nodes, column - lowest, color=colour, linestyle=dashes, label=label)
    axes.axhline(0.0, color=PALE, linewidth=0.8, zorder=0)
    negative = found.masses < 0.0
    if found.over != "signed" and found.points.shape[1] == 2:
        negative = found.points[:, 1] < 0.0
    for point, size, below in zip(found.points, sizes, negative, strict=True):
        axes.plot(
            *(point[0], 0.0),
            marker="o",
            color=WARM if below else DARK,
            markersize=size,
            markeredgecolor=INK,
            markeredgewidth=0.5,
            clip_on=False,
            zorder=4,
        )
    axes.set_xlim(float(nodes[0]), float(nodes[-1]))
    if len(looks) == 2:
        axes.legend(loc="best")


def _map(axes: Axes, found: Optimum, sizes: Array) -> None:
    excess = found.landscape - min(float(found.landscape.min()), float(found.potential.min()))
    x, y = found.nodes
    image = np.sqrt(excess / max(float(excess.max()), 1e-300))
    half = [0.5 * float(n[1] - n[0]) for n in (x, y)]
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    shades = SEQUENCE[np.round(image * (len(SEQUENCE) - 1)).astype(np.intp)]
    axes.imshow(np.swapaxes(shades, 0, 1), origin="lower", extent=extent, aspect="auto", zorder=0)
    for point, size in zip(found.points, sizes, strict=True):
        axes.plot(
            *point,
            marker="o",
            markersize=size,
            color=WARM,
            markeredgecolor=INK,
            markeredgewidth=0.5,
            clip_on=False,
        )
    axes.set_title(r"$\sqrt{V - \min V}$, white where zero", loc="left", pad=3.0)


def save_optimum_figure(
    found: Optimum, names: Sequence[str], folder: Path, stem: str, formats: Sequence[str]
) -> list[Path]:
    """Write `<stem>_optimum.<format>` in each format."""
    from meanfield_pde.plotting import write_figure

    if not has_optimum_figure(found):
        return []
    figure = optimum_figure(found, names)
    return [write_figure(figure, folder / f"{stem}_optimum.{form}", form) for form in formats]
