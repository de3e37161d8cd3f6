"""Labels, ticks and scales: what a time, a parameter and a power of ten look like."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
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

TIME = "time $t$"

DECADES_OF_TIME = 6.0
"""A logarithmic time axis goes back no further than this from its end."""


def symbol(name: str) -> str:
    """Math text of a parameter name, without dollar signs: Greek, italic letter or upright word."""
    stem, _, index = name.partition("_")
    if not stem:
        return rf"\mathrm{{{name}}}".replace("_", r"\_")
    body = f"\\{stem}" if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    below = index.replace("_", r"\_")
    return f"{body}_{{{below}}}" if index else body


def number(value: float, digits: int = 3) -> str:
    """A number in a few digits as math text without dollar signs."""
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    factor, _, power = text.partition("e")
    ten = f"10^{{{int(power)}}}"
    return ten if factor == "1" else rf"{factor}\times {ten}"


def at_time(time: float) -> str:
    """The title of a snapshot."""
    return f"$t = {number(time)}$"


def positive(values: Array) -> Array:
    """Values with everything that has no logarithm replaced by NaN, which is drawn as a gap."""
    return np.where(np.isfinite(values) & (values > 0.0), values, np.nan)


def _log_ticks(axis: Axis, low: float, high: float) -> None:
    """Powers of ten where there are two or more of them, else 1, 2, 5 times a power of ten."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    whole = [10.0**k for k in range(first, last + 1) if low <= 10.0**k <= high]
    if len(whole) >= 2:
        every = -(-len(whole) // 6)
        major = whole[len(whole) - 1 :: -every][::-1] if every > 1 else whole
        step = [10.0**k * m for k in range(first, last + 1) for m in range(2, 10)]
        minor = step if every == 1 and len(whole) <= 6 else whole
    else:
        minor = [10.0**k * m for k in range(first, last + 1) for m in range(1, 10)]
        major = [10.0**k * m for k in range(first, last + 1) for m in (1, 2, 5)]
        major = [value for value in major if low <= value <= high]
    if min(major, default=1.0) >= 0.01 and max(major, default=1.0) <= 1000.0:
        labels = [f"{value:g}" for value in major]
    else:
        labels = [f"${_short(value)}$" for value in major]
    axis.set_ticks(major, labels=labels)
    few = [value for value in minor if low <= value <= high and value not in major]
    axis.set_ticks(few, labels=[""] * len(few), minor=True)


def _short(value: float) -> str:
    """A digit times a power of ten as math text, the digit left out if it is 1."""
    digit, _, power = f"{value:.0e}".partition("e")
    ten = f"10^{{{int(power)}}}"
    return ten if digit == "1" else rf"{digit}\times {ten}"


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Make one axis logarithmic between two positive limits."""
    if which == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
    _log_ticks(axes.xaxis if which == "x" else axes.yaxis, low, high)


def time_axis(axes: Axes, time: Array, labelled: bool = True) -> None:
    """A logarithmic time axis without t = 0; linear where there are too few positive times."""
    later = time[time > 0.0]
    if later.size >= 2 and later[-1] >= 3.0 * later[0]:
        low = max(later[0], later[-1] * 10.0**-DECADES_OF_TIME)
        log_axis(axes, "x", low, later[-1] * (later[-1] / low) ** 0.02)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    if labelled:
        axes.set_xlabel(TIME)
    else:
        axes.tick_params(axis="x", which="both", labelbottom=False)


def value_axis(axes: Axes, curves: Sequence[Array], decades: float = 16.0) -> None:
    """A logarithmic value axis where all is positive and spans a factor 3, else a linear one.

    Zeros are left to the caller, who passes them as NaN when a gap in the curve is honest.

    Parameters
    ----------
    axes : Axes
    curves : sequence of arrays
        The values to cover.
    decades : float
        A logarithmic axis goes down no further than this from the largest value.
    """
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    if finite.size and finite.min() > 0.0 and finite.max() > 3.0 * finite.min():
        high = float(finite.max())
        low = max(float(finite.min()), high * 10.0**-decades)
        pad = (high / low) ** 0.05
        log_axis(axes, "y", low / pad, high * pad)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))


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
        kept = [i for i, tick in enumerate(ticks) if low + pad <= tick <= high - pad]
        axis.set_ticks([ticks[i] for i in kept], labels=[labels[i] for i in kept])
    else:
        found = MaxNLocator(4 if inner else 6, steps=[1, 2, 5, 10]).tick_values(low, high)
        axis.set_ticks([tick for tick in found if low + pad <= tick <= high - pad])
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
