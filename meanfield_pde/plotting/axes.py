"""Logarithmic axes of times and values: their limits, ticks and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

Array = NDArray[np.float64]

TIME = "time $t$"

DECADES_OF_TIME = 6.0
"""A logarithmic time axis goes back no further than this from its end."""


def number(value: float, digits: int = 3) -> str:
    """A number as math text without dollar signs: an integer in full, others in a few digits."""
    if 1e-3 <= abs(value) < 1e5 or value == 0.0:
        return f"{value if value == round(value) else float(f'{value:.{digits}g}'):.10g}"
    factor, _, power = f"{value:.{digits - 1}e}".partition("e")
    factor = factor.rstrip("0").rstrip(".") if "." in factor else factor
    ten = f"10^{{{int(power)}}}"
    return ten if factor == "1" else rf"{factor}\times {ten}"


def at_time(time: float) -> str:
    """The title of a snapshot."""
    return f"$t = {number(time)}$"


def positive(values: Array) -> Array:
    """Values with everything that has no logarithm replaced by NaN, which is drawn as a gap."""
    return np.where(np.isfinite(values) & (values > 0.0), values, np.nan)


def _log_ticks(axes: Axes, axis: Axis, low: float, high: float) -> None:
    """Powers of ten where there are two or more of them, else 1, 2, 5 or all digits times one."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    digits = [10.0**k * m for k in range(first, last) for m in range(1, 10)]
    between = [value for value in digits if low <= value <= high]
    whole = [10.0**k for k in range(first, last + 1) if low <= 10.0**k <= high]
    if len(whole) >= 2:
        every = -(-len(whole) // 6)
        major = whole[::-1][::every]
        minor = between if every == 1 else whole
    else:
        major = [10.0**k * m for k in range(first, last + 1) for m in (1, 2, 5)]
        major = [value for value in major if low <= value <= high]
        major = major if len(major) >= 2 else between
        minor = between
    if min(major, default=1.0) >= 0.01 and max(major, default=1.0) <= 1000.0:
        labels = [f"{value:g}" for value in major]
    else:
        labels = [f"${_short(value)}$" for value in major]
    axis.set_ticks(major, labels=labels)
    axis.set_minor_locator(NullLocator())
    _short_marks(axes, axis is axes.xaxis, minor)


def _short_marks(axes: Axes, along_x: bool, places: list[float]) -> None:
    """Minor ticks as one artist: as ticks proper they would take most of the drawing time."""
    zeros = [0.0] * len(places)
    marker: Any = TICKDOWN if along_x else TICKLEFT
    line = Line2D(
        *((places, zeros) if along_x else (zeros, places)),
        transform=axes.get_xaxis_transform() if along_x else axes.get_yaxis_transform(),
        linestyle="none",
        marker=marker,
        markersize=1.6,
        markeredgewidth=0.35,
        color="black",
        clip_on=False,
        zorder=2.5,
    )
    axes.add_artist(line)


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
    _log_ticks(axes, axes.xaxis if which == "x" else axes.yaxis, low, high)


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


def value_axis(
    axes: Axes, curves: Sequence[Array], decades: float = 16.0, always: bool = False
) -> None:
    """A logarithmic value axis where all is positive and spans a factor 3, else a linear one.

    Zeros are left to the caller, who passes them as NaN when a gap in the curve is honest.

    Parameters
    ----------
    axes : Axes
    curves : sequence of arrays
        The values to cover.
    decades : float
        A logarithmic axis goes down no further than this from the largest value.
    always : bool
        Positive values that span less get a logarithmic axis too, over a power of ten or two.
    """
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    spread = 1.0 if always else 3.0
    if finite.size and finite.min() > 0.0 and finite.max() >= spread * finite.min():
        high = float(finite.max())
        low = max(float(finite.min()), high * 10.0**-decades)
        pad = max((high / low) ** 0.05, 1.05)
        low, high = low / pad, high * pad
        powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
        if powers < 2 and (always or low < 0.01 or high > 1000.0):
            low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        log_axis(axes, "y", low, high)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
