"""A given rate of growth, d_t mu = s(theta, t) mu: for manufactured solutions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure, require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.measure import Measure, Moved, ParticleMeasure, Weighted

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Forcing:
    """d_t mu = s mu, with which any density solves an equation: a manufactured solution.

    If mu* is to solve the equation of the other terms A and this one, s = (d_t mu* - A mu*) / mu*
    (`problem.manufactured`). Of any sign; the mass changes by int s dmu. From Python only, and for
    all methods but particles.

    Parameters
    ----------
    relative_rate : callable
        (theta, t) to s, theta being one array for each parameter, of equal shapes, and s one of the
        same shape. On a circle s must be periodic: coordinates may lie beyond its ends.
    """

    relative_rate: Callable[[Theta, float], Array]

    kind: ClassVar[str] = "forcing"

    def __post_init__(self) -> None:
        usable = callable(self.relative_rate)
        require(usable, "relative_rate", self.relative_rate, "a function of (theta, t)")

    def require_until(self, t_end: float) -> None:
        """Nothing is known of s before it is asked for."""

    def _at(self, mu: Weighted, time: float) -> Array:
        theta = mu.coordinates
        values = np.asarray(self.relative_rate(theta, time), dtype=np.float64)
        if values.shape != theta[0].shape or not np.all(np.isfinite(values)):
            raise NumericalFailure(
                f"the relative rate of the forcing at t = {time:g} has shape {values.shape} or "
                f"values that are not finite: expected finite ones of shape {theta[0].shape}"
            )
        return values

    def corners(self) -> tuple[float, ...]:
        """None: the rate is smooth in time."""
        return ()

    def flow(self, mu: Measure, landscape: Landscape, time: float, dt: float) -> Moved:
        """mu exp(s dt), s at the midpoint of the step: second order, and positive."""
        assert not isinstance(mu, ParticleMeasure)
        return Moved(mu.reweighted(self._at(mu, time + 0.5 * dt), dt))

    def rate(self, mu: Weighted, field: Field, time: float) -> Array:
        """s mu, per cell."""
        return mu.multiplied(self._at(mu, time))

    def dissipation(self, field: Field, mu: Measure, time: float) -> float:
        """- int V s dmu: what this term takes from the energy per unit time, of either sign."""
        assert not isinstance(mu, ParticleMeasure)
        return -float(np.sum(mu.values * field.potential * self._at(mu, time))) * mu.weight

    def feedback_rate(self, field: Field, time: float, dt: float = 0.0) -> float:
        """None: s does not depend on mu."""
        return 0.0

    def emptying_rate(self, mu: Weighted, field: Field, time: float, dt: float = 0.0) -> float:
        """The largest part of a cell that dies per unit time, at both ends of the step."""
        lowest = min(float(self._at(mu, at).min()) for at in {time, time + dt})
        return max(-lowest, 0.0)

    def __str__(self) -> str:
        return "+ s mu"

    def symbols(self) -> str:
        """s is a function of theta and t."""
        return "s = s(theta, t) given"
