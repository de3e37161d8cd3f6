"""What several methods say: how far apart they are, and their error bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import positive, time_axis, value_axis
from meanfield_pde.plotting.style import (
    DARK,
    WARM,
    column_figure,
    legend_above,
    legend_room,
    styled,
)

Array = NDArray[np.float64]

MARKERS = ("o", "s", "^", "D", "v")
HUES = (DARK, WARM, "#7a3b00", "#6fa8dc", "#888888")


class Said(Protocol):
    """The answer of one method (`studies.crosscheck.Witness`)."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def values(self) -> dict[str, Array]: ...  # noqa: D102
    @property
    def bars(self) -> dict[str, Array]: ...  # noqa: D102


class Compared(Protocol):
    """The answers of all (`studies.crosscheck.Crosscheck`)."""

    @property
    def time(self) -> Array: ...  # noqa: D102
    @property
    def witnesses(self) -> Sequence[Said]: ...  # noqa: D102
    @property
    def observables(self) -> tuple[str, ...]: ...  # noqa: D102


@styled
def crosscheck_figure(check: Compared) -> Figure:
    """Markers: distance to the most exact method; lines: both error bars. Below its line it agrees.

    One panel an observable, against time. The most exact method is the one with the smallest bars.
    """
    names = [said.name for said in check.witnesses]
    figure, panels = column_figure([1.7] * len(check.observables), above=legend_room(names))
    later = check.time > 0.0
    for panel, observable in zip(panels, check.observables, strict=True):
        sizes = [float(np.max(said.bars[observable])) for said in check.witnesses]
        best = check.witnesses[int(np.argmin(sizes))]
        drawn = []
        for k, said in enumerate(check.witnesses):
            if said is best:
                continue
            apart = np.abs(said.values[observable] - best.values[observable])[later]
            bars = (said.bars[observable] + best.bars[observable])[later]
            look: dict[str, Any] = {"color": HUES[k % len(HUES)]}
            marks: dict[str, Any] = {"marker": MARKERS[k % len(MARKERS)], "label": names[k]}
            panel.plot(check.time[later], positive(bars), "-", linewidth=1.0, **look)
            panel.plot(check.time[later], positive(apart), linestyle="none", **marks, **look)
            drawn += [positive(bars), positive(apart)]
        value_axis(panel, drawn, always=True)
        time_axis(panel, check.time[later], panel is panels[-1])
        words = observable.replace("_", " ")
        panel.set_ylabel(f"{words}, from {best.name}")
    legend_above(panels[0])
    said_by = "symbols: distance; lines: sum of both error bars"
    where: dict[str, Any] = {"transform": panels[0].transAxes, "ha": "right", "va": "top"}
    panels[0].text(0.98, 0.97, said_by, fontsize=7, **where)
    return figure


def save_crosscheck_figure(
    check: Compared, folder: Path, stem: str, formats: Sequence[str]
) -> list[Path]:
    """Write the figure as `<stem>.<format>`."""
    from meanfield_pde.plotting import write_figure

    figure = crosscheck_figure(check)
    return [write_figure(figure, folder / f"{stem}.{form}", form) for form in formats]
