"""Error against CPU time, a panel for each problem with a known solution, a line each method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from meanfield_pde.plotting.axes import log_axis
from meanfield_pde.plotting.style import DARK, INK, PAGE, WARM, styled

LOOKS: dict[str, dict[str, Any]] = {
    "upwind": {"color": WARM, "marker": "v", "linestyle": (0, (1.0, 1.2))},
    "MUSCL": {"color": WARM, "marker": "s", "linestyle": (0, (4.0, 1.6))},
    "WENO": {"color": WARM, "marker": "D", "linestyle": "solid"},
    "characteristics": {"color": DARK, "marker": "o", "linestyle": "solid"},
    "redistributed": {"color": DARK, "marker": "o", "linestyle": (0, (1.0, 1.2))},
    "Fourier": {"color": INK, "marker": "^", "linestyle": (0, (4.0, 1.6))},
}
"""Finite volumes warm, the other methods dark."""

NAMES = {"redistributed": "characteristics, redistributed"}

COLUMNS = 4
LEAST = 1e-16
"""Errors below are drawn there."""


class Climbed(Protocol):
    """A problem by a method of growing size (`studies.verification.Ladder`)."""

    @property
    def problem(self) -> str: ...  # noqa: D102
    @property
    def scheme(self) -> str: ...  # noqa: D102
    @property
    def of_time(self) -> bool: ...  # noqa: D102
    @property
    def density(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def seconds(self) -> tuple[float, ...]: ...  # noqa: D102


@styled
def verification_figure(ladders: Sequence[Climbed]) -> Figure:
    """All panels have the same axes; ladders without errors of a density are left out.

    Parameters
    ----------
    ladders : sequence
        At least one with errors (`drawn`).
    """
    shown = drawn(ladders)
    problems = list(dict.fromkeys(ladder.problem for ladder in shown))
    rows = -(-len(problems) // COLUMNS)
    left, right, above, below, gap, high, over = 0.5, 0.06, 0.26, 0.4, 0.07, 1.15, 0.22
    height = above + rows * (high + over) + below
    width = (PAGE - left - right - (COLUMNS - 1) * gap) / COLUMNS
    figure = Figure(figsize=(PAGE, height))
    FigureCanvasAgg(figure)
    seconds = [time for ladder in shown for time in ladder.seconds]
    errors = np.clip([error for ladder in shown for error in ladder.density], LEAST, None)
    times = (0.6 * min(seconds), 1.7 * max(seconds))
    values = (0.2 * float(np.nanmin(errors)), 5.0 * float(np.nanmax(errors)))
    lines = {}
    for index, problem in enumerate(problems):
        row, column = divmod(index, COLUMNS)
        corner = (left + column * (width + gap), height - above - (row + 1) * (high + over))
        axes = figure.add_axes((corner[0] / PAGE, corner[1] / height, width / PAGE, high / height))
        for ladder in shown:
            if ladder.problem == problem:
                look = {**LOOKS[ladder.scheme], "markerfacecolor": "white", "linewidth": 0.9}
                heights = np.clip(ladder.density, LEAST, None)
                (lines[ladder.scheme],) = axes.plot(ladder.seconds, heights, **look)
        log_axis(axes, "x", *times)
        log_axis(axes, "y", *values)
        lowest = index + COLUMNS >= len(problems)
        axes.tick_params(axis="x", labelbottom=lowest)
        axes.tick_params(axis="y", labelleft=column == 0)
        axes.set_title(problem.replace("alpha", r"$\alpha$"), pad=2.5, fontsize=8.5)
        if lowest:
            axes.set_xlabel("CPU seconds")
        if column == 0:
            axes.set_ylabel("error in $L^1$")
    order = [scheme for scheme in LOOKS if scheme in lines]
    figure.legend(
        [lines[scheme] for scheme in order],
        [NAMES.get(scheme, scheme) for scheme in order],
        loc="upper center",
        ncols=len(order),
        columnspacing=1.4,
    )
    return figure


def drawn(ladders: Sequence[Climbed]) -> list[Climbed]:
    """Those with errors of a density."""
    return [x for x in ladders if not x.of_time and np.isfinite(x.density).any()]


def save_verification_figure(
    ladders: Sequence[Climbed], folder: Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Write the figure as verification.<format>; none if there is nothing to draw.

    Returns
    -------
    list of Path
        The files, each complete.
    """
    from meanfield_pde.plotting import write_figure

    if not drawn(ladders):
        return []
    figure = verification_figure(ladders)
    return [write_figure(figure, folder / f"verification.{form}", form) for form in formats]
