"""Axes of a parameter: its symbol, its range and its ticks."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from meanfield_pde.results.solution import Layout

Array = NDArray[np.float64]

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi"),
    "omega",
)


def symbol(name: str) -> str:
    """Math text of a parameter name, without dollar signs: Greek, italic letter or upright word."""
    stem, _, index = name.partition("_")
    if not stem:
        return rf"\mathrm{{{name}}}".replace("_", r"\_")
    body = f"\\{stem}" if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    below = index.replace("_", r"\_")
    return f"{body}_{{{below}}}" if index else body


def parameter_range(layout: Layout, k: int, positions: Array | None = None) -> tuple[float, float]:
    """The drawn range of parameter k: its bounds, or that of the positions where it has none."""
    low, high = float(layout.lower[k]), float(layout.upper[k])
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    if positions is None or not positions.size:
        return -1.0, 1.0
    least, most = float(np.nanmin(positions[..., k])), float(np.nanmax(positions[..., k]))
    pad = 0.05 * (most - least) or 1.0
    return least - pad, most + pad


def parameter_ticks(
    axis: Axis, layout: Layout, k: int, limits: tuple[float, float], inner: bool = False
) -> None:
    """Ticks of a parameter, in multiples of pi on a circle of circumference 2 pi.

    Parameters
    ----------
    axis : Axis
    layout : Layout
    k : int
        Which parameter.
    limits : (low, high)
    inner : bool
        Keep clear of the ends, where the labels of neighbouring panels meet.
    """
    low, high = limits
    pad = (0.1 if inner else -1e-9) * (high - low)
    if layout.periodic[k] and abs(high - low - 2 * math.pi) < 1e-6:
        halves = np.arange(math.ceil(2 * low / math.pi - 1e-6), 2 * high / math.pi + 1e-6)
        ticks = halves * math.pi / 2
        labels = [_of_pi(int(half)) for half in halves]
        shown = [i for i, tick in enumerate(ticks) if low + pad <= tick <= high - pad]
        axis.set_ticks([ticks[i] for i in shown], labels=[labels[i] for i in shown])
    else:
        for most in (4, 5, 6, 8) if inner else (6, 8):
            found = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high)
            kept = [float(tick) for tick in found if low + pad <= tick <= high - pad]
            if len(kept) >= 3:
                break
        axis.set_ticks(kept)
    axis.set_minor_locator(NullLocator())


def _of_pi(halves: int) -> str:
    """A number of half pis as math text."""
    if halves == 0:
        return "$0$"
    sign = "-" if halves < 0 else ""
    top = abs(halves)
    if top % 2 == 0:
        return f"${sign}{top // 2 if top > 2 else ''}\\pi$"
    return f"${sign}{top if top > 1 else ''}\\pi/2$"
