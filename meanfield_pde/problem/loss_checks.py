"""Whether a user's loss is one: convex, with a slope that does not jump."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.problem.losses import AnyLoss, FormulaLoss, OwnLoss

Array = NDArray[np.float64]

POINTS = 301
"""Predictions at which a loss is looked at, for each of a few targets."""

ROUNDING = 1e-9
"""Change of the slope, relative to the largest slope, that may be rounding."""

JUMP = 1e-3
"""The same, that is a jump if it stays while two predictions close in on each other."""


def check_loss(loss: AnyLoss, targets: Array) -> None:
    """Look at a formula or a function on three times the range of the targets.

    Raises
    ------
    InputError
        If the loss is not convex, or its slope jumps: split steps may then go back and forth over
        the corner, and keep an error that no shorter step removes.
    """
    if not isinstance(loss, FormulaLoss | OwnLoss):
        return
    few = targets[:: max(1, targets.size // 16)]
    reach = 3.0 * (1.0 + float(np.max(np.abs(few))))
    f = np.linspace(-reach, reach, POINTS)
    with np.errstate(all="ignore"):
        for y in few:
            _check_slope(loss, f, float(y))


def _check_slope(loss: AnyLoss, f: Array, y: float) -> None:
    targets = np.full(f.size, y)
    slope = loss.derivative(f, targets)
    known = np.isfinite(loss.value(f, targets)) & np.isfinite(slope)
    largest = float(np.max(np.abs(slope), where=known, initial=0.0))
    change = np.where(known[1:] & known[:-1], np.diff(slope), 0.0)
    k = int(np.argmin(change))
    if change[k] < -ROUNDING * largest:
        raise InputError(
            f"loss {str(loss)!r}: expected one convex in f, but its slope falls from "
            f"{slope[k]:.6g} to {slope[k + 1]:.6g} between f = {f[k]:.4g} and {f[k + 1]:.4g}, "
            f"y = {y:.4g}"
        )
    k = int(np.argmax(change))
    ends, slopes = f[k : k + 2], slope[k : k + 2]
    for _ in range(30):
        middle = np.array([0.5 * (ends[0] + ends[1])])
        between = loss.derivative(middle, np.array([y]))[0]
        if between - slopes[0] > slopes[1] - between:
            ends, slopes = np.array([ends[0], middle[0]]), np.array([slopes[0], between])
        else:
            ends, slopes = np.array([middle[0], ends[1]]), np.array([between, slopes[1]])
    if slopes[1] - slopes[0] > JUMP * largest:
        raise InputError(
            f"loss {str(loss)!r}: expected a slope without jumps, but it jumps from "
            f"{slopes[0]:.4g} to {slopes[1]:.4g} at f = {ends[0]:.4g}, y = {y:.4g}; smooth it, "
            "abs(u) as sqrt(u**2 + 1e-6) or max(u, 0) as 0.01*softplus(u/0.01)"
        )
