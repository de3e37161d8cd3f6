"""All terms of the equation at once: the method of lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import NumericalFailure, StepTooLong, require
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.measure import Moved, Weighted
from meanfield_pde.representations.runge_kutta import DOP853, SSP3, SSP4, Dop853, ShuOsher

Array = NDArray[np.float64]

METHODS: dict[str, ShuOsher | Dop853] = {"ssp3": SSP3, "ssp4": SSP4, "dop853": DOP853}


@dataclass(frozen=True)
class Unsplit:
    """The sum of the terms, advanced by a Runge-Kutta method. There is no error of splitting.

    On grids, strong-stability-preserving: of order 3 in three stages ("ssp3", Shu & Osher 1988) or
    of order 4 in ten ("ssp4", Ketcheson 2008), whose steps may be six times as long. Cell averages
    stay >= 0 while every Euler step in it takes at most all of a cell out of it:

        dt / coefficient * (transport's rate / its limit + alpha max (V - Vbar)_+) <= 1

    Along characteristics and for Fourier series, where nothing but accuracy bounds a step, of order
    8 with an embedded error ("dop853", Dormand & Prince 1980).
    """

    method: Literal["ssp3", "ssp4", "dop853"] = "ssp3"
    kind: Literal["unsplit"] = "unsplit"

    def __post_init__(self) -> None:
        require(self.method in METHODS, "method", self.method, "one of " + ", ".join(METHODS))

    @property
    def scheme(self) -> ShuOsher | Dop853:
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

    @property
    def embedded(self) -> bool:
        """Whether the method estimates its own error."""
        return isinstance(self.scheme, Dop853)

    def advance(
        self, equation: Equation, mu: Weighted, landscape: Landscape, time: float, dt: float
    ) -> Moved:
        """mu at time + dt.

        Raises
        ------
        StepTooLong
            If an Euler step in it would empty a cell, or a stage is beyond numbers.
        """
        if isinstance(self.scheme, Dop853):
            return _embedded(self.scheme, equation, mu, landscape, time, dt)
        return Moved(_positive(self.scheme, equation, mu, landscape, time, dt))


def _field(mu: Weighted, landscape: Landscape) -> Field:
    field = landscape.at(mu)
    if not math.isfinite(field.energy):
        raise NumericalFailure("the energy is no longer finite")
    return field


def _positive(
    scheme: ShuOsher,
    equation: Equation,
    mu: Weighted,
    landscape: Landscape,
    time: float,
    dt: float,
) -> Weighted:
    start = mu.state

    def euler(state: Array, moment: float, length: float) -> Array:
        # The field at mu is remembered, that of an equal measure would be formed again.
        at = mu if state is start else mu.with_state(state)
        field = _field(at, landscape)
        emptying = equation.emptying_rate(at, field, moment)
        if emptying * length > 1.0 + 1e-12:
            raise StepTooLong("a step would empty a cell", dt / (emptying * length))
        change = equation.rate(at, field, moment)
        change *= length
        change += state
        return change

    return mu.with_state(scheme.advance(start, time, dt, euler))


def _embedded(
    scheme: Dop853,
    equation: Equation,
    mu: Weighted,
    landscape: Landscape,
    time: float,
    dt: float,
) -> Moved:
    """A step with its error and what the terms took of the energy; a balanced mass stays."""
    start = mu.state

    def rate(state: Array, moment: float) -> tuple[Array, float]:
        at = mu if state is start else mu.with_state(state)
        field = landscape.at(at)
        if not math.isfinite(field.energy):
            raise StepTooLong("a stage of the step has no finite energy", 0.5 * dt)
        return equation.rate(at, field, moment), sum(equation.dissipation(at, field, moment))

    step = scheme.advance(start, time, dt, rate, mu.error)
    moved = mu.with_state(step.state)
    if equation.birth_death is None or not equation.keeps_mass:
        return Moved(moved, 0.0, step.error, step.integral)
    if not 0.0 < moved.mass < math.inf:
        raise StepTooLong("the step changes the mass by more than a number holds", 0.5 * dt)
    change = mu.mass / moved.mass
    return Moved(moved.scaled(change), abs(change - 1.0), step.error, step.integral)
