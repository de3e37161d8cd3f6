"""Coefficients of the terms, alpha and the entries of M: numbers >= 0, or functions of time.

A run begins at time 0. What a term needs of a coefficient is its value at a time, its mean over a
step (with which birth and death in a frozen V are exact) and its largest value over a step (with
which a step is bounded).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Tag

from meanfield_pde.errors import InputError, NumericalFailure, require
from meanfield_pde.problem.formula import Formula

Array = NDArray[np.float64]

GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(16)
SAMPLES = 1001
"""Times at which a formula is tried before a run."""


@dataclass(frozen=True)
class FormulaOfTime:
    """A formula in the time t, such as "5*exp(-t)"."""

    expression: str
    kind: Literal["formula"] = "formula"

    def __post_init__(self) -> None:
        _ = self._formula  # a wrong expression is refused here

    @cached_property
    def _formula(self) -> Formula:
        return Formula(self.expression, ("t",))

    def at(self, times: Array) -> Array:
        """Its values."""
        return self._formula.value((times,))

    def probes(self, time: float, dt: float) -> Array:
        """Times in [time, time + dt] among which the largest value is looked for."""
        return time + dt * np.array([0.0, 0.5, 1.0])

    def quadrature(self, time: float, dt: float) -> tuple[Array, Array]:
        """Times in [time, time + dt] and weights of a mean over it: Gauss-Legendre."""
        return time + 0.5 * dt * (1.0 + GAUSS_NODES), 0.5 * GAUSS_WEIGHTS

    def __str__(self) -> str:
        return self.expression


@dataclass(frozen=True)
class PiecewiseLinear:
    """Linear between (times[k], values[k]), constant before the first and after the last."""

    times: tuple[float, ...]
    values: tuple[float, ...]
    kind: Literal["piecewise_linear"] = "piecewise_linear"

    def __post_init__(self) -> None:
        increasing = len(self.times) > 0 and bool(np.all(np.diff(self.times) > 0))
        require(increasing, "times", self.times, "increasing times")
        acceptable = len(self.values) == len(self.times) and all(map(_is_rate, self.values))
        require(acceptable, "values", self.values, f"{len(self.times)} numbers >= 0, one a time")

    def at(self, times: Array) -> Array:
        """Its values."""
        return np.interp(times, self.times, self.values)

    def probes(self, time: float, dt: float) -> Array:
        """The ends of [time, time + dt] and the corners in between: extreme values lie there."""
        corners = [corner for corner in self.times if time < corner < time + dt]
        return np.array([time, *corners, time + dt])

    def quadrature(self, time: float, dt: float) -> tuple[Array, Array]:
        """Times in [time, time + dt] and weights of a mean over it: exact trapezoids."""
        times = self.probes(time, dt)
        shares = np.diff(times) / dt
        return times, 0.5 * (np.append(shares, 0.0) + np.append(0.0, shares))

    def __str__(self) -> str:
        pairs = zip(self.times, self.values, strict=True)
        return "linear through " + ", ".join(f"({t:g}, {v:g})" for t, v in pairs)


def _tag(value: Any) -> str | None:
    """The kind of a coefficient or of its table in a case file."""
    if isinstance(value, dict):
        return value.get("kind")
    return getattr(value, "kind", "number")


Coefficient = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[FormulaOfTime, Tag("formula")]
    | Annotated[PiecewiseLinear, Tag("piecewise_linear")],
    Discriminator(_tag),
]


def _is_rate(value: object) -> bool:
    return isinstance(value, Real) and 0.0 <= float(value) < math.inf


def acceptable(coefficient: object) -> bool:
    """Whether it is a number >= 0 or a function of time (a formula may still fail at a time)."""
    return _is_rate(coefficient) or isinstance(coefficient, FormulaOfTime | PiecewiseLinear)


def text(coefficient: Coefficient) -> str:
    """As printed."""
    if isinstance(coefficient, FormulaOfTime | PiecewiseLinear):
        return str(coefficient)
    return f"{coefficient:g}"


def corners(coefficient: Coefficient) -> tuple[float, ...]:
    """Times at which it has a corner."""
    return coefficient.times if isinstance(coefficient, PiecewiseLinear) else ()


def value_at(name: str, coefficient: Coefficient, time: float) -> float:
    """The value at a time.

    Raises
    ------
    NumericalFailure
        If it is not a number >= 0.
    """
    if isinstance(coefficient, FormulaOfTime | PiecewiseLinear):
        return float(_values(name, coefficient, np.array([time]))[0])
    return float(coefficient)


def mean_over(name: str, coefficient: Coefficient, time: float, dt: float) -> float:
    """The mean over [time, time + dt], exact for numbers and tables; raises as `value_at`."""
    if isinstance(coefficient, FormulaOfTime | PiecewiseLinear):
        times, weights = coefficient.quadrature(time, dt)
        return float(np.sum(weights * _values(name, coefficient, times)))
    return float(coefficient)


def largest_over(name: str, coefficient: Coefficient, time: float, dt: float) -> float:
    """The largest value in [time, time + dt], of a formula at three times; as `value_at`."""
    if isinstance(coefficient, FormulaOfTime | PiecewiseLinear):
        return float(_values(name, coefficient, coefficient.probes(time, dt)).max())
    return float(coefficient)


def require_until(name: str, coefficient: Coefficient, t_end: float) -> None:
    """Raise `InputError` if a formula is not >= 0 at one of many times of [0, t_end]."""
    if isinstance(coefficient, FormulaOfTime):
        try:
            _values(name, coefficient, np.linspace(0.0, t_end, SAMPLES))
        except NumericalFailure as failure:
            raise InputError(str(failure)) from None


def _values(name: str, coefficient: FormulaOfTime | PiecewiseLinear, times: Array) -> Array:
    values = coefficient.at(times)
    wrong = np.flatnonzero(~((values >= 0.0) & (values < math.inf)))
    if wrong.size:
        value, time = values[wrong[0]], times[wrong[0]]
        raise NumericalFailure(
            f"{name} = {str(coefficient)!r} is {value:g} at t = {time:g}: expected a number >= 0"
        )
    return values
