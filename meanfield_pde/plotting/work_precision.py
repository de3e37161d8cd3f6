"""CPU time against error, a line a method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import log_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, WARM, column_figure, styled

Array = NDArray[np.float64]

LOOKS: tuple[dict[str, Any], ...] = (
    {"color": DARK, "marker": "o", "linewidth": 1.6},
    {"color": DARK, "marker": "s", "linewidth": 0.9},
    {"color": DARK, "marker": "^", "linewidth": 0.9},
    {"color": WARM, "marker": "D", "linewidth": 0.9},
    {"color": WARM, "marker": "v", "linewidth": 0.9},
    {"color": WARM, "marker": "P", "linewidth": 0.9},
)
"""The solvers here dark, the packages they are compared with warm."""


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
def work_precision_figure(lines: Sequence[Line], finest: float = 1e-8) -> Figure:
    """Seconds against the error, which falls to the right; dashed where extrapolated to `finest`.

    Parameters
    ----------
    lines : sequence
        Each with a name, seconds and errors (runs,), and `cost` of an error.
    finest : float
        The error up to which lines are extended.
    """
    figure, (axes,) = column_figure([2.9], above=0.1)
    for line, look in zip(lines, LOOKS, strict=False):
        face: dict[str, Any] = {
            "markerfacecolor": "white",
            "markeredgewidth": 0.9,
            "markersize": 4.0,
        }
        axes.plot(line.errors, line.seconds, **{**look, **face}, label=line.name)
        least = float(line.errors.min())
        if least > finest:
            errors = np.geomspace(least, finest, 20)
            costs = [line.cost(float(error))[0] for error in errors]
            axes.plot(errors, costs, color=look["color"], linestyle=DASHED, linewidth=0.6)
    shown = np.concatenate([line.errors for line in lines])
    axes.set_xscale("log")
    axes.set_xlim(2.0 * shown.max(), 0.3 * min(shown.min(), finest))
    seconds = np.concatenate([line.seconds for line in lines])
    beyond = [line.cost(finest)[0] for line in lines]
    high = max([seconds.max(), *[b for b in beyond if np.isfinite(b)]])
    log_axis(axes, "y", 0.5 * seconds.min(), 3.0 * high)
    axes.set_xlabel(r"error of $f$ in $L^2$")
    axes.set_ylabel("CPU seconds, one core")
    axes.legend(loc="upper left", fontsize=7, frameon=False)
    axes.axvline(1e-5, color=INK, linewidth=0.4, linestyle=":")
    return figure
