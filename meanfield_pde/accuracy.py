"""[accuracy]: how exact the answer must be, and error bars from a sequence of refinements.

A numerical answer v depends on several refinements at once: space, steps, data, cuts. Between two
runs that differ in one of them alone the answer moves by d. Of the moves d_1, ..., d_m of one
direction the last two show how fast they shrink, r = |d_m| / |d_(m-1)|, and what is still missing
is about the sum of the moves that would follow,

    |d_m| (r + r^2 + ...) = |d_m| r / (1 - r),

as Richardson's extrapolation has it for a method of any order, and as it is for errors that fall
exponentially where the refinements are of equal size. The bar of the answer is the sum over
directions, times a factor of safety.

Source: Richardson (1911), Phil. Trans. R. Soc. A 210, 307; Roache (1994), J. Fluids Eng. 116, 405.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require
from meanfield_pde.results.solution import SCALARS

Array = NDArray[np.float64]

OBSERVABLES = ("energy", "mass", "mean_potential", "prediction")
"""What can have bars: recorded scalars, and f[mu] in L2 of the data at the save times."""

SAFETY = 2.5
"""Times the estimate (chosen by `studies.error_bars`, as are all factors here)."""

SLOWEST = 0.7
"""Largest ratio of two moves in a row that counts as decay."""

NO_DECAY = 0.5
"""Ratio of two moves after which the next is not believed to be the beginning of a faster decay."""

HASTY = 1.5
"""Times that a second move may be smaller than a refinement can make it, to be believed."""

ROUNDING = 1e-13
"""Smallest bar, relative to the largest value along the run."""


@dataclass(frozen=True)
class Accuracy:
    """[accuracy]: refine until the bars are small enough.

    Nodes or cells, steps, quadrature of the data and cuts of lines are refined, one at a time, from
    the case as it stands, until the bar of each observable is below `tolerance` times its largest
    size along the run. With particles, so are their number and how many independent runs there are.

    Parameters
    ----------
    tolerance : float
    observables : tuple of str
        Among energy, mass, mean_potential and prediction (f[mu] in L2 of the data; where finer data
        have none of the points of the coarser, between such data by its size alone).
    walls : tuple of str
        Names of the parameters whose walls cut off a line, to be moved outwards, and are not part
        of the problem; unless given, those whose initial law is normal.
    most : float
        Largest work of a run, nodes times steps times data points, over that of the case as given;
        with particles, of all runs that the answer is the mean of.
    """

    tolerance: float
    observables: tuple[str, ...] = ("energy",)
    walls: tuple[str, ...] | None = None
    most: float = 1000.0

    def __post_init__(self) -> None:
        possible = 0.0 < self.tolerance < 1.0
        require(possible, "tolerance", self.tolerance, "a number between 0 and 1")
        chosen = self.observables
        each_once = len(set(chosen)) == len(chosen) > 0 and set(chosen) <= set(OBSERVABLES)
        require(each_once, "observables", chosen, f"some of {', '.join(OBSERVABLES)}, each once")
        require(self.most >= 1.0, "most", self.most, "a number of at least 1")

    def scalars(self) -> tuple[str, ...]:
        """The observables that are recorded scalars."""
        return tuple(name for name in self.observables if name in SCALARS)


def remaining(moves: Sequence[Array], gain: float) -> Array:
    """How much one direction of refinement would still move the answer, with the factor of safety.

    Parameters
    ----------
    moves : sequence of arrays (times,)
        Sizes of the moves so far, from coarse to fine, the first time being 0; the answer is that
        after the last move.
    gain : float
        What one refinement can gain at most: no faster decay is believed, and half its order
        until there are moves `enough`.

    Returns
    -------
    array (times,)
        0 where nothing moved.
    """
    if len(moves) == 1:
        return SAFETY * _around(moves[0])
    before, last = moves[-2:]
    ratio = _ratio(before, last)
    if len(moves) > 2:
        earlier = _ratio(moves[-3], before)
        ratio = np.where(earlier > NO_DECAY, np.maximum(earlier, ratio), ratio)
    ratio = np.clip(ratio, 1.0 / gain, SLOWEST)
    # A move that is small because its sign changes there says nothing of the next.
    size = np.maximum(last, ratio * before)
    if not enough(moves, gain):
        ratio = np.maximum(ratio, gain**-0.5)
    return SAFETY * size * ratio / (1.0 - ratio)


def enough(moves: Sequence[Array], gain: float) -> bool:
    """Whether there are moves enough to know a decay by.

    Two say little where the second is much smaller than one refinement can make it: what has gone
    then is a part of the error that falls fast, and the rest, that falls as the method has it, is
    not seen before the third.
    """
    if len(moves) == 2:
        before, last = (float(np.max(move)) for move in moves)
        return HASTY * gain * last >= before
    return len(moves) > 2


def _ratio(before: Array, last: Array) -> Array:
    """Of two moves in a row, their neighbours in time included."""
    near = _around(last)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(near > 0.0, near / _around(before), 0.0)


def _around(values: Array) -> Array:
    """The largest of each value and its two neighbours in time, where something has been solved."""
    later = values[1:]
    padded = np.pad(later, 1, mode="edge") if later.size else np.empty(2)
    return np.append(values[:1], np.max([padded[:-2], later, padded[2:]], axis=0))


def rounding(values: Array) -> Array:
    """The smallest bar of values along a run."""
    return np.full(values.shape, ROUNDING * float(np.max(np.abs(values), initial=0.0)))


def with_bar(value: float, bar: float) -> str:
    """A value with as many digits as its bar leaves, the bar in units of the last: 1.2346(12)e-02.

    >>> with_bar(0.01234567, 1.2e-6), with_bar(3.0, 2.0), with_bar(1.0, float("inf"))
    ('1.2346(2)e-02', '3 +- 2', '1 +- inf')
    """
    if not np.isfinite(bar) or bar >= 0.1 * abs(value) or bar <= 0.0:
        return f"{value:.2g} +- {bar:.1g}" if bar > 0.0 else f"{value:.16g}"
    power = int(np.floor(np.log10(abs(value))))
    scaled = bar / 10.0**power
    digits = min(16, max(0, -int(np.floor(np.log10(scaled)))))
    units = int(np.ceil(scaled * 10.0**digits))
    if units >= 10:
        digits, units = digits - 1, -(-units // 10)
    mantissa = f"{value / 10.0**power:.{digits}f}"
    if len(mantissa.lstrip("-").partition(".")[0]) > 1:
        # 9.99... has been rounded to ten.
        mantissa, power = f"{value / 10.0 ** (power + 1):.{digits + 1}f}", power + 1
    return f"{mantissa}({units})e{power:+03d}"
