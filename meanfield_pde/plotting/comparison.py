"""A run beside the mean field: its gaps, and where those of a run as sampled are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, positive, value_axis
from meanfield_pde.plotting.style import (
    DARK,
    INK,
    PALE,
    WARM,
    column_figure,
    legend_above,
    legend_room,
    styled,
)

Array = NDArray[np.float64]

EXPECTED, AS_SAMPLED, OFF = "expected by chance", "as sampled", "off"


MARGIN = 1.3
"""Of a linear axis: the part of the band beyond is not shown."""


class Apart(Protocol):
    """A gap by one measure (`studies.gaps.Gap`)."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def is_distance(self) -> bool: ...  # noqa: D102
    @property
    def gap(self) -> Array: ...  # noqa: D102
    @property
    def low(self) -> Array: ...  # noqa: D102
    @property
    def high(self) -> Array: ...  # noqa: D102
    @property
    def excess(self) -> Array: ...  # noqa: D102


class Beside(Protocol):
    """All gaps (`studies.gaps.Comparison`)."""

    @property
    def time(self) -> Array: ...  # noqa: D102
    @property
    def gaps(self) -> Sequence[Apart]: ...  # noqa: D102


@styled
def comparison_figure(compared: Beside) -> Figure:
    """A panel for each measure: gaps against time on the band of those expected by chance.

    Distances are on a logarithmic axis, differences of values, run less mean field, on a linear
    one.
    """
    labels = [EXPECTED, AS_SAMPLED, OFF]
    heights = [1.0] * len(compared.gaps)
    figure, panels = column_figure(heights, above=legend_room(labels))
    for axes, gap in zip(panels, compared.gaps, strict=True):
        _draw(axes, compared.time, gap)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])
        axes.set_ylabel(gap.name)
    panels[-1].set_xlabel(TIME)
    legend_above(panels[0])
    return figure


def _draw(axes: Axes, time: Array, gap: Apart) -> None:
    values, low, high = gap.gap, gap.low, gap.high
    off = gap.excess > 1.0
    if gap.is_distance:
        values, high = positive(values), positive(high)
        least = np.nanmin([*values, *high, 1.0])
        low = np.maximum(low, 0.3 * least)
    else:
        axes.axhline(0.0, color=INK, linewidth=0.4)
    axes.fill_between(time, low, high, color=PALE, linewidth=0.0, label=EXPECTED)
    for chosen, label, colour, marker in (
        (~off, AS_SAMPLED, DARK, "o"),
        (off, OFF, WARM, "X"),
    ):
        shown = np.where(chosen, values, np.nan)
        axes.plot(time, shown, linestyle="none", marker=marker, color=colour, label=label)
    if gap.is_distance:
        value_axis(axes, [values, low, high], always=True)
    else:
        reach = max(float(np.max(np.abs(values))), *map(_typical, (low, high)))
        axes.set_ylim(-MARGIN * reach, MARGIN * reach)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _typical(values: Array) -> float:
    return float(np.median(np.abs(values)))


def save_comparison_figure(
    compared: Beside, folder: Path, stem: str, formats: Sequence[str]
) -> list[Path]:
    """Write the figure as `<stem>.<format>`."""
    from meanfield_pde.plotting import write_figure

    figure = comparison_figure(compared)
    return [write_figure(figure, folder / f"{stem}.{form}", form) for form in formats]
