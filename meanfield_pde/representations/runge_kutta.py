"""Strong-stability-preserving Runge-Kutta methods in Shu-Osher form, as data.

Every stage is a convex combination of the start and of Euler steps, so whatever an Euler step keeps
(positivity, a decaying convex energy) the method keeps at `ShuOsher.coefficient` times its length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

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


class Advanced(NamedTuple):
    """A state after a step, the estimated error of it, and the integral of a scalar over it."""

    state: Array
    error: float
    integral: float


@dataclass(frozen=True)
class Dop853:
    """The explicit method of order 8 with embedded errors of orders 5 and 3, 12 stages.

    It is stable for decay as long as that of `coefficient` Euler steps.

    Source: Dormand & Prince (1980); Hairer, Norsett & Wanner (1993), code DOP853. The coefficients
    are those of `scipy.integrate.DOP853`.
    """

    order: ClassVar[int] = 8
    coefficient: ClassVar[float] = 6.0

    def advance(
        self,
        start: Array,
        time: float,
        dt: float,
        rate: Callable[[Array, float], tuple[Array, float]],
        size: Callable[[Array, Array], float],
    ) -> Advanced:
        """u at time + dt.

        Parameters
        ----------
        rate : callable
            (u, t) to du/dt and to the scalar whose integral over the step is wanted as well.
        size : callable
            Of an error of u, and u at the end.
        """
        # Imported here since it takes 0.3 s that runs by other methods would spend for nothing.
        from scipy.integrate import DOP853

        stages: list[Array] = []
        scalars: list[float] = []
        for row, fraction in zip(DOP853.A, DOP853.C, strict=True):
            state = start + dt * _combined(row, stages) if stages else start
            slope, scalar = rate(state, time + fraction * dt)
            stages.append(slope)
            scalars.append(scalar)
        end = start + dt * _combined(DOP853.B, stages)
        stages.append(rate(end, time + dt)[0])
        changes = (dt * _combined(row, stages) for row in (DOP853.E5, DOP853.E3))
        fifth, third = (size(change, end) for change in changes)
        error = fifth**2 / np.hypot(fifth, 0.1 * third) if fifth > 0.0 else 0.0
        return Advanced(end, float(error), dt * float(np.dot(DOP853.B, scalars)))


def _combined(row: Array, stages: list[Array]) -> Array:
    total = np.zeros_like(stages[0])
    for factor, stage in zip(row, stages, strict=False):
        if factor != 0.0:
            total += factor * stage
    return total


DOP853 = Dop853()
