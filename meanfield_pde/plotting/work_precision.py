"""CPU time against error, a line a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import log_axis
from meanfield_pde.plotting.style import DARK, DASHED, WARM, column_figure, styled

Array = NDArray[np.float64]

LOOKS: tuple[dict[str, Any], ...] = (
    {"color": DARK, "marker": "o", "linewidth": 1.8},
    {"color": DARK, "marker": "s", "linewidth": 0.9},
    {"color": DARK, "marker": "^", "linewidth": 0.9},
    {"color": WARM, "marker": "v", "linewidth": 0.9},
    {"color": WARM, "marker": "D", "linewidth": 0.9},
    {"color": "#7a3b00", "marker": "v", "linewidth": 0.9},
    {"color": "#7a3b00", "marker": "D", "linewidth": 0.9},
    {"color": "#888888", "marker": "P", "linewidth": 0.9},
)
"""The solvers here dark, NumPy orange, JAX brown, py-pde grey."""


MARKS: dict[str, Any] = {
    "markerfacecolor": "white",
    "markeredgewidth": 0.8,
    "markersize": 3.5,
}


class Line(Protocol):
    """A method on its ladder."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def seconds(self) -> Array: ...  # noqa: D102
    @property
    def errors(self) -> Array: ...  # noqa: D102
    def cost(self, error: float) -> tuple[float, bool]: ...  # noqa: D102


@styled
def work_precision_figure(lines: Mapping[str, Sequence[Line]], finest: float = 1e-8) -> Figure:
    """Seconds against the error, which falls to the right; dashed where extrapolated.

    Parameters
    ----------
    lines : mapping of str to sequence
        A panel for each start; each line with a name, seconds and errors (runs,), and `cost` of an
        error.
    finest : float
        The smallest error shown.
    """
    figure, panels = column_figure([2.3] * len(lines), above=0.75, gap=0.35)
    for axes, (start, drawn) in zip(panels, lines.items(), strict=True):
        for line, look in zip(drawn, LOOKS, strict=False):
            axes.plot(line.errors, line.seconds, **MARKS, **look, label=line.name)
            least = float(line.errors.min())
            if least > finest:
                errors = np.geomspace(least, 0.101 * least, 20)
                costs = [line.cost(float(error))[0] for error in errors]
                axes.plot(errors, costs, color=look["color"], linestyle=DASHED, linewidth=0.6)
        seconds = np.concatenate([line.seconds for line in drawn])
        axes.set_xscale("log")
        axes.set_xlim(3e-2, 0.3 * finest)
        log_axis(axes, "y", 0.4 * seconds.min(), 1e2)
        axes.set_ylabel("CPU seconds, one core")
        axes.text(0.02, 0.95, f"$y$ {start} at first", transform=axes.transAxes, va="top")
    panels[-1].set_xlabel(r"error of $f$ in $L^2$")
    panels[0].legend(
        loc="lower left", bbox_to_anchor=(-0.2, 1.0), ncols=2, fontsize=7, frameon=False
    )
    return figure
