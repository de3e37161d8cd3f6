"""Where the decay of the energy comes from, and how well the energy identity is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import positive, time_axis, value_axis
from meanfield_pde.plotting.style import (
    DARK,
    DASHED,
    INK,
    PALE,
    WARM,
    column_figure,
    legend_above,
    styled,
)
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]
Term = tuple[str, str, str, Any]

TERMS: tuple[Term, ...] = (
    ("transport_dissipation", "transport", DARK, "solid"),
    ("birth_death_dissipation", "birth and death", WARM, DASHED),
)

NEGLIGIBLE = 1e-3
"""The axis of the rates goes down to this fraction of their smallest sum."""


def has_dissipation(solution: Solution) -> bool:
    """Whether there is a decay to draw: two later times and a term that is not always zero."""
    later = solution.time > 0.0
    rates = [positive(solution.scalars[name][later]) for name, *_ in TERMS]
    return int(later.sum()) >= 2 and any(bool(np.isfinite(rate).any()) for rate in rates)


@styled
def dissipation_figure(solution: Solution) -> Figure:
    """Rates of decay of E, the share of each when there are two, and the defect of the identity.

    The defect is relative to the energy lost so far, E(0) - E(t); a panel without values is left
    out. Zeros and negative values are gaps in the logarithmic panels.

    Parameters
    ----------
    solution : Solution
        One with `has_dissipation`.
    """
    later = solution.time > 0.0
    time = solution.time[later]
    rates = {name: positive(solution.scalars[name][later]) for name, *_ in TERMS}
    active = [term for term in TERMS if np.isfinite(rates[term[0]]).any()]
    both = len(active) == 2
    lost = positive(solution.energy[0] - solution.energy[later])
    defect = positive(np.abs(solution.identity_defect[later]) / lost)
    heights = [1.4, *([0.55] if both else []), *([0.95] if np.isfinite(defect).any() else [])]
    figure, panels = column_figure(heights, above=0.3, gap=0.12)
    remaining = iter(panels)
    _rates(next(remaining), time, rates, active)
    if both:
        _shares(next(remaining), time, rates)
    for axes in remaining:
        axes.plot(time, defect, color=INK, linewidth=0.9)
        value_axis(axes, [defect], decades=8.0, always=True)
        axes.set_ylabel("relative defect")
    for axes in panels:
        time_axis(axes, time, labelled=axes is panels[-1])
    return figure


def _rates(axes: Axes, time: Array, rates: dict[str, Array], active: list[Term]) -> None:
    """Each term and, where there are two, their sum as a pale band under them."""
    curves = [rates[name] for name, *_ in active]
    if len(active) == 2:
        total = positive(np.nansum(curves, axis=0))
        axes.plot(time, total, color=PALE, linewidth=3.6, label="sum")
        floor = NEGLIGIBLE * np.nanmin(total)
        value_axis(axes, [total, *(np.maximum(curve, floor) for curve in curves)], always=True)
    else:
        value_axis(axes, curves, always=True)
    for name, label, colour, dashes in active:
        axes.plot(time, rates[name], color=colour, linestyle=dashes, label=label)
    axes.set_ylabel(r"$-\mathrm{d}E/\mathrm{d}t$")
    legend_above(axes)


def _shares(axes: Axes, time: Array, rates: dict[str, Array]) -> None:
    """Transport below and birth and death above, as shares of their sum."""
    below, above = (np.nan_to_num(rates[name]) for name, *_ in TERMS)
    total = positive(below + above)
    share = below / total
    axes.fill_between(time, 0.0, share, color=DARK, linewidth=0.0)
    whole = np.where(np.isfinite(share), 1.0, np.nan)
    axes.fill_between(time, share, whole, color=WARM, linewidth=0.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([0.0, 0.5, 1.0], labels=["0", "0.5", "1"])
    axes.set_ylabel("share")
