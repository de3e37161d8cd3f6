"""All terms of the equation at once: the method of lines on a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import NumericalFailure, StepTooLong, require
from meanfield_pde.problem.landscape import Landscape
from meanfield_pde.representations.measure import GridMeasure
from meanfield_pde.representations.runge_kutta import SSP3, SSP4, ShuOsher

Array = NDArray[np.float64]

METHODS = {"ssp3": SSP3, "ssp4": SSP4}


@dataclass(frozen=True)
class Unsplit:
    """The sum of the terms, advanced by a strong-stability-preserving Runge-Kutta method.

    Of order 3 in three stages ("ssp3", Shu & Osher 1988) or of order 4 in ten ("ssp4", Ketcheson
    2008), whose steps may be six times as long. There is no error of splitting, and cell averages
    stay >= 0 while every Euler step in it takes at most all of a cell out of it:

        dt / coefficient * (transport's rate / its limit + alpha max (V - Vbar)_+) <= 1
    """

    method: Literal["ssp3", "ssp4"] = "ssp3"
    kind: Literal["unsplit"] = "unsplit"

    def __post_init__(self) -> None:
        require(self.method in METHODS, "method", self.method, "one of " + ", ".join(METHODS))

    @property
    def scheme(self) -> ShuOsher:
        """The method as data."""
        return METHODS[self.method]

    @property
    def order(self) -> int:
        """Of accuracy in time."""
        return self.scheme.order

    @property
    def coefficient(self) -> float:
        """Euler steps as long as allowed that make the longest step."""
        return self.scheme.coefficient

    def advance(
        self, equation: Equation, mu: GridMeasure, landscape: Landscape, time: float, dt: float
    ) -> GridMeasure:
        """mu at time + dt.

        Raises
        ------
        StepTooLong
            If an Euler step in it would empty a cell.
        """

        def euler(density: Array, moment: float, length: float) -> Array:
            # The field at mu is remembered, that of an equal measure would be formed again.
            at = mu if density is mu.density else mu.with_density(density)
            field = landscape.at(at)
            if not math.isfinite(field.energy):
                raise NumericalFailure("the energy is no longer finite")
            emptying = equation.emptying_rate(at, field, moment)
            if emptying * length > 1.0 + 1e-12:
                raise StepTooLong("a step would empty a cell", dt / (emptying * length))
            change = equation.rate(at, field, moment)
            change *= length
            change += density
            return change

        return mu.with_density(self.scheme.advance(mu.density, time, dt, euler))
