"""When particles leave a plateau by reinjection, and how much they inject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    level: float,
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
    level : float
        Of E, below which a run has left.
    """
    figure, (above, below) = column_figure([1.75, 1.75], above=0.15, gap=0.55)
    for number, times in leaves.items():
        away = np.sort(times[np.isfinite(times)])
        across = number * np.exp(SPREAD * (np.arange(away.size) % 5 - 2))
        above.plot(across, away, "o", color=DARK, markersize=2.4, alpha=0.5, markeredgewidth=0)
        above.plot(number, np.median(times), "_", color=INK, markersize=13, markeredgewidth=1.4)
    above.axhline(exact, color=WARM, linestyle=DASHED)
    said: dict[str, Any] = {"fontsize": 7, "ha": "right", "va": "bottom"}
    above.text(0.98, 0.03, "dashed: the equation", transform=above.transAxes, **said)
    above.set_xscale("log")
    above.set_xticks(list(leaves), [f"{number}" for number in leaves], fontsize=7)
    above.xaxis.set_minor_locator(NullLocator())
    above.set_xlabel("particles $N$")
    above.set_ylabel(f"$E = {level:g}$ at $t$")
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
    below.text(
        0.02,
        0.97,
        r"dashed: since $\langle V \rangle > 0$",
        transform=below.transAxes,
        fontsize=7,
        va="top",
    )
    return figure
