"""How far E is from its minimum: what is certified, against time."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import positive, time_axis, value_axis
from meanfield_pde.plotting.style import (
    DARK,
    DASHED,
    WARM,
    column_figure,
    legend_above,
    legend_room,
    styled,
)
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

KNOWN = 0.05
"""Part of the last E - min E by which min E may be off, to be called known."""


def has_certificate(solution: Solution) -> bool:
    """Whether a finite gap was recorded, at two later times."""
    gaps = solution.gap[solution.time > 0.0]
    return int(np.isfinite(positive(gaps)).sum()) >= 2


def least_energy(solution: Solution) -> float:
    """The largest lower bound on min E: of all gaps of the run, and of its optimum."""
    bounds = solution.energy - solution.gap
    own = float(np.max(bounds[np.isfinite(bounds)], initial=-math.inf))
    return max(own, float(solution.attributes.get("least_energy", -math.inf)))


@styled
def certificate_figure(solution: Solution) -> Figure:
    """E less the largest lower bound on its minimum, and the gap, which needs mu alone.

    Parameters
    ----------
    solution : Solution
        One with `has_certificate`.
    """
    later = solution.time > 0.0
    time, least = solution.time[later], least_energy(solution)
    excess = positive(solution.energy[later] - least)
    gap = positive(solution.gap[later])
    optimal = float(solution.attributes.get("optimal_energy", math.inf))
    known = abs(optimal - least) <= KNOWN * float(solution.energy[-1] - least)
    words = "" if known else ", at most"
    if bool(np.any(solution.energy < least)):
        words = r", $\mu$ beyond [certificate]"
    labels = [rf"$E - \min E${words}", "duality gap"]
    figure, (axes,) = column_figure([2.0], above=legend_room(labels))
    axes.plot(time, excess, color=DARK, label=labels[0])
    axes.plot(time, gap, color=WARM, linestyle=DASHED, label=labels[1])
    value_axis(axes, [excess, gap], always=True)
    time_axis(axes, time)
    legend_above(axes)
    return figure
