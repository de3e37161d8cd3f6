"""When particles leave a plateau by reinjection, and how much they inject."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.style import DARK, DASHED, INK, WARM, column_figure, styled

Array = NDArray[np.float64]

SPREAD = 0.09
"""Of the dots of one number, in factors of e."""


@styled
def reinjection_figure(
    leaves: Mapping[int, Array],
    exact: float,
    paths: Mapping[int, tuple[Array, Array, Array]],
    limit: tuple[Array, Array],
    until: float,
) -> Figure:
    """Times against the number of particles, and the mass injected against time.

    Parameters
    ----------
    leaves : mapping of int to array (runs,)
        By number: when each run leaves; infinite if it does not.
    exact : float
        When the equation does.
    paths : mapping of int to (times, injected, expected)
        Means over runs.
    limit : (times, mass)
        Of the mean field.
    until : float
        The end of the time axis.
    """
    figure, (above, below) = column_figure([1.75, 1.75], above=0.15, gap=0.55)
    for number, times in leaves.items():
        away = np.sort(times[np.isfinite(times)])
        across = number * np.exp(SPREAD * (np.arange(away.size) % 5 - 2))
        above.plot(across, away, "o", color=DARK, markersize=2.4, alpha=0.5, markeredgewidth=0)
        above.plot(number, np.median(times), "_", color=INK, markersize=13, markeredgewidth=1.4)
    above.axhline(exact, color=WARM, linestyle=DASHED)
    above.annotate(
        "equation",
        (0.99, exact),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="top",
        xytext=(0, -2),
        textcoords="offset points",
        color=WARM,
        fontsize=8,
    )
    above.set_xscale("log")
    above.set_xticks(list(leaves), [f"{number}" for number in leaves], fontsize=7)
    above.xaxis.set_minor_locator(NullLocator())
    above.set_xlabel("particles $N$")
    above.set_ylabel("$E = 0.007$ at $t$")
    above.set_ylim(0.0, None)
    shades = dict(zip(paths, (DARK, "#6fa8dc"), strict=False))
    for number, (time, injected, expected) in paths.items():
        label = f"$N = {number}$"
        below.plot(time, injected, color=shades[number], label=label)
        below.plot(time, expected, color=shades[number], linestyle=DASHED)
    time, mass = limit
    shown = time <= until
    below.plot(time[shown], mass[shown], color=WARM, label="mean field")
    below.set_xlim(0.0, until)
    below.set_yscale("log")
    below.set_ylim(1e-3, None)
    below.set_xlabel("$t$")
    below.set_ylabel("mass injected")
    below.legend(loc="lower right", fontsize=7)
    return figure
