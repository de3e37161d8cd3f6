"""Energies of the published runs: bands over seeds, mean fields on top, what was printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis, positive
from meanfield_pde.plotting.style import DARK, DASHED, INK, PAGE, PALE, WARM, styled

Array = NDArray[np.float64]

LOOKS: dict[str, dict[str, Any]] = {
    "exact": {"linestyle": "solid"},
    "cut law": {"linestyle": DASHED},
    "each death reborn": {"linestyle": (0, (1.0, 1.0))},
}
"""Of mean fields."""

HEIGHT = 5.0


@dataclass(frozen=True, eq=False)
class MeanFieldCurve:
    """E of a mean field; its words are a key of `LOOKS`."""

    words: str
    time: Array
    values: Array


@dataclass(frozen=True, eq=False)
class Panel:
    """One scheme of one run.

    Attributes
    ----------
    title : str
    time : array (times,)
    quantiles : array (5, times)
        5, 25, 50, 75 and 95 % over seeds.
    curves : sequence of MeanFieldCurve
    published : array (2, readings)
        Times, and E.
    offset : float
        How much less than E was printed.
    quench : float
        When birth and death end; infinite without them.
    """

    title: str
    time: Array
    quantiles: Array
    curves: Sequence[MeanFieldCurve]
    published: Array
    offset: float
    quench: float


@styled
def save_published_figure(
    panels: Sequence[Panel], folder: Path, formats: Sequence[str]
) -> list[Path]:
    """Two rows of three panels, a row for each run, written as published.<format>.

    Returns
    -------
    list of Path
    """
    from meanfield_pde.plotting import write_figure

    figure = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(figure)
    wide, tall = 1.93 / PAGE, 1.72 / HEIGHT
    for k, panel in enumerate(panels):
        row, column = divmod(k, 3)
        left, bottom = (0.54 + 2.17 * column) / PAGE, (3.06 - 2.12 * row) / HEIGHT
        axes = figure.add_axes((left, bottom, wide, tall))
        _draw(axes, panel)
        axes.set_title(panel.title, loc="left", pad=3.5, fontsize=8.5)
        log_axis(axes, "y", 1e-5, 0.11)
        axes.set_xlim(0.0, float(panel.time[-1]))
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2.5, 5, 10]))
        if row == 1:
            axes.set_xlabel(TIME)
        if column == 0:
            axes.set_ylabel("energy $E$")
        else:
            axes.tick_params(labelleft=False)
    handles = {}
    for axes in figure.axes:
        handles.update(dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True)))
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="lower center",
        bbox_to_anchor=(0.52, 0.0),
        ncols=3,
        columnspacing=2.0,
    )
    return [write_figure(figure, folder / f"published.{form}", form) for form in formats]


def _draw(axes: Axes, panel: Panel) -> None:
    low, lower, median, upper, high = panel.quantiles
    look: dict[str, Any] = {"color": DARK, "linewidth": 0.0}
    axes.fill_between(panel.time, low, high, alpha=0.18, label="5 to 95 % of the seeds", **look)
    axes.fill_between(panel.time, lower, upper, alpha=0.35, label="25 to 75 %", **look)
    axes.plot(panel.time, median, color=DARK, label="median")
    printed = positive(median - panel.offset)
    digits, power = f"{panel.offset:.1e}".split("e")
    offset = rf"${digits} \times 10^{{{int(power)}}}$"
    axes.plot(
        *(panel.time, printed),
        color=WARM,
        linewidth=0.9,
        label=f"median as printed, less {offset}",
    )
    for curve in panel.curves:
        label = f"mean field, {curve.words}"
        axes.plot(curve.time, curve.values, color=INK, label=label, **LOOKS[curve.words])
    axes.plot(
        *panel.published,
        linestyle="none",
        marker="o",
        markersize=2.6,
        color=WARM,
        markeredgecolor=INK,
        markeredgewidth=0.4,
        label=f"published, plus {offset}",
        zorder=4,
    )
    if np.isfinite(panel.quench):
        axes.axvline(panel.quench, color=PALE, linewidth=0.8, zorder=0)
