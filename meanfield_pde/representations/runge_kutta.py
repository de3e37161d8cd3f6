"""Strong-stability-preserving Runge-Kutta methods in Shu-Osher form, as data.

Every stage is a convex combination of the start and of Euler steps, so whatever an Euler step keeps
(positivity, a decaying convex energy) the method keeps at `ShuOsher.coefficient` times its length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mobility = Callable[[float], tuple[float, ...]]
"""The diagonal of M at a time."""


class Stage(NamedTuple):
    """An Euler step from the stage before it, and a combination of such steps.

    e_k = u_k + step dt L(u_k),   u_{k+1} = u_0 + weight (e_k - u_0) + sum_j w_j (e_j - u_0)

    with (j, w_j) in `earlier`; it is convex if weight and w_j are >= 0 and their sum is <= 1.
    Differences from u_0 rather than a weighted sum: the sum of the weights is one only up to
    rounding, and mass would drift by that much.
    """

    step: float
    weight: float = 1.0
    earlier: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class ShuOsher:
    """A method of an order: its stages."""

    order: int
    stages: tuple[Stage, ...]

    @cached_property
    def times(self) -> tuple[float, ...]:
        """When each L(u_k) is taken, as fractions of dt."""
        times, ends = [0.0], []
        for stage in self.stages:
            ends.append(times[-1] + stage.step)
            combined = stage.weight * ends[-1] + sum(w * ends[j] for j, w in stage.earlier)
            times.append(combined)
        return tuple(times[:-1])

    @property
    def coefficient(self) -> float:
        """dt over the longest Euler step in it."""
        return 1.0 / max(stage.step for stage in self.stages)

    def advance(
        self, start: Array, time: float, dt: float, euler: Callable[[Array, float, float], Array]
    ) -> Array:
        """u at time + dt; euler(u, t, h) is a new array, u + h L(u, t)."""
        needed = {j for stage in self.stages for j, _ in stage.earlier}
        kept: dict[int, Array] = {}
        current = start
        for k, (stage, fraction) in enumerate(zip(self.stages, self.times, strict=True)):
            moved = euler(current, time + fraction * dt, stage.step * dt)
            if k in needed:
                kept[k] = moved
            if stage.weight == 1.0:  # start + (moved - start) would round small values away
                current = moved
                continue
            current = stage.weight * (moved - start)
            for j, weight in stage.earlier:
                current += weight * (kept[j] - start)
            current += start
        return current


SSP3 = ShuOsher(3, (Stage(1.0), Stage(1.0, 1 / 4), Stage(1.0, 2 / 3)))
"""Three stages of order 3: Shu & Osher (1988)."""

_SIXTH = Stage(1 / 6)

SSP4 = ShuOsher(
    4,
    (*[_SIXTH] * 4, Stage(1 / 6, 2 / 5), *[_SIXTH] * 4, Stage(1 / 6, 3 / 5, ((4, 9 / 25),))),
)
"""Ten stages of order 4: Ketcheson (2008)."""
