r"""The exponent of a power law where it is read, and from when on it is there.

For values E(t) the local exponent is the slope of their double logarithmic plot,

    p(t) = - d log E / d log t,

between neighbouring times, told at their geometric mean: exactly p for E = c t^-p, to second order
in the ratio of the times for any other smooth E. The times should be in geometric progression or
nearly so: between times that are close, little is left of the difference of their logarithms, and
p is as wrong as the bars of E allow:

    bar of p = (bar_1 / E_1 + bar_2 / E_2) / log(t_2 / t_1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalExponent:
    """p between neighbours.

    Attributes
    ----------
    times : array (n - 1,)
        Geometric means of neighbouring times.
    values : array (n - 1,)
        p; nan beside a value that has no logarithm.
    bars : array (n - 1,)
        How far p may be off because the values are: the worst case, not a deviation.
    """

    times: Array
    values: Array
    bars: Array


def local_exponent(times: Array, values: Array, bars: Array | float = 0.0) -> LocalExponent:
    """- d log(values) / d log(times), between neighbours.

    Parameters
    ----------
    times : array (n,)
        Positive and increasing, n at least 2.
    values : array (n,)
        Those that are not positive have no exponent.
    bars : array (n,) or float
        How far the values may be off.

    Raises
    ------
    InputError
        If the times are not as they should be.
    """
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    increasing = times.size >= 2 and times[0] > 0.0 and bool(np.all(np.diff(times) > 0.0))
    require(increasing, "times", times.tolist()[:3], "two or more positive numbers, increasing")
    known = np.where(values > 0.0, values, np.nan)
    steps = np.diff(np.log(times))
    relative = np.broadcast_to(bars, values.shape) / known
    return LocalExponent(
        times=np.sqrt(times[1:] * times[:-1]),
        values=-np.diff(np.log(known)) / steps,
        bars=(relative[1:] + relative[:-1]) / steps,
    )


def window(times: Array, values: Array, exponent: float, within: float = 0.05) -> float:
    """The time from which on the local exponent stays at that of a law, to the end.

    Parameters
    ----------
    times, values : arrays (n,)
        See `local_exponent`.
    exponent : float
        p of the law t^-p.
    within : float
        The largest difference from it.

    Returns
    -------
    float
        Among the times of the local exponents; nan if the last one is not there.
    """
    local = local_exponent(times, values)
    away = np.flatnonzero(~(np.abs(local.values - exponent) <= within))
    first = 0 if away.size == 0 else int(away[-1]) + 1
    return float(local.times[first]) if first < local.times.size else float("nan")
