"""Gradients against differences: of units, losses, penalties and potentials, given or derived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.energy import (
    AnyEnergy,
    PotentialEnergy,
    unit_derivative,
    unit_value,
)
from meanfield_pde.problem.losses import AnyLoss, OwnLoss
from meanfield_pde.problem.own_units import OwnUnit
from meanfield_pde.problem.penalties import OwnPenalty
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.problem.units import Charged

Array = NDArray[np.float64]

POINTS = 64
"""Number of parameters theta, and largest number of inputs, at which a gradient is compared."""

STEP = 1e-5
"""Of the central differences, relative to the range of the argument."""

CORNER = 1e-4
"""Relative change from a difference to one of half the step, above which there is a corner."""


WRONG = 1e-3
"""Relative deviation above which a given gradient is none."""


@dataclass(frozen=True)
class Comparison:
    """A derivative compared with central differences.

    Attributes
    ----------
    name : str
    deviation : float
        Largest difference of both, relative to the largest derivative.
    corners : int
        Number of places where the function has a corner and no derivative: left out.
    places : int
        Number of all places.
    """

    name: str
    deviation: float
    corners: int
    places: int

    def __str__(self) -> str:
        text = f"{self.name}: {self.deviation:.1e}"
        return f"{text} ({self.corners} corners left out)" if self.corners else text


def compare_gradients(energy: AnyEnergy) -> list[Comparison]:
    """Every derivative that an energy needs, at places spread over its space and data."""
    return list(_comparisons(energy))


def require_gradients(energy: AnyEnergy) -> None:
    """Compare the gradients that a user gave with differences.

    Raises
    ------
    InputError
        If one is off by more than `WRONG`.
    """
    if isinstance(energy, PotentialEnergy):
        return
    unit = energy.unit.base if isinstance(energy.unit, Charged) else energy.unit
    parts = (unit, energy.loss, energy.penalty)
    own = [part.own for part in parts if isinstance(part, OwnUnit | OwnLoss | OwnPenalty)]
    if all(function.gradient is None for function in own):
        return
    for found in _comparisons(energy):
        if not found.deviation <= WRONG:
            raise InputError(
                f"the gradient given for the {found.name} is {found.deviation:.2g} off, relative "
                "to the largest: expected the derivative of the function"
            )


def _comparisons(energy: AnyEnergy) -> Iterator[Comparison]:
    axes, names = energy.space.axes, energy.parameters
    theta = _spread(axes)
    along = [_Along(theta, k, axis.length) for k, axis in enumerate(axes)]
    if isinstance(energy, PotentialEnergy):
        potential = energy.potential
        for name, line, slope in zip(names, along, potential.gradient(theta), strict=True):
            yield line.compare(f"potential, {name}", potential.value, slope)
        return
    unit, penalty = energy.unit, energy.penalty
    few = slice(None, None, max(1, energy.inputs.shape[0] // POINTS))
    x = energy.inputs[few]
    for k, (name, line) in enumerate(zip(names, along, strict=True)):
        slope = unit_derivative(unit, k, x, theta)
        yield line.compare(f"unit, {name}", partial(unit_value, unit, x), slope)
    if penalty is not None:
        for name, line, slope in zip(names, along, penalty.gradient(theta, names), strict=True):
            value = partial(penalty.value, parameters=names)
            yield line.compare(f"penalty, {name}", value, slope)
    yield _of_loss(energy.loss, energy.target_values[few])


def _of_loss(loss: AnyLoss, targets: Array) -> Comparison:
    f = np.linspace(-2.9, 3.1, POINTS) if loss.needs_target else np.geomspace(0.01, 10.0, POINTS)
    f, y = (a.ravel() for a in np.meshgrid(f, targets))
    line = _Along((f,), 0, 1.0)
    return line.compare("loss, f", lambda at: loss.value(at[0], y), loss.derivative(f, y))


def _spread(axes: tuple[Axis, ...]) -> Theta:
    """Points of a space, the same at each call."""
    points = np.random.default_rng(0).random((POINTS, len(axes)))
    return tuple(a.lower + a.length * p for a, p in zip(axes, points.T, strict=True))


@dataclass(frozen=True)
class _Along:
    """Arguments of a function, one of which moves; `length` is the range of that one."""

    arguments: Theta
    which: int
    length: float

    def _moved(self, step: float) -> Theta:
        k, at = self.which, self.arguments
        return (*at[:k], at[k] + step, *at[k + 1 :])

    def compare(
        self, name: str, function: Callable[[Theta], Array], derivative: Array
    ) -> Comparison:
        """A derivative with differences of two step lengths, which tell corners."""

        def difference(h: float) -> Array:
            return (function(self._moved(h)) - function(self._moved(-h))) / (2.0 * h)

        coarse, fine = difference(STEP * self.length), difference(0.5 * STEP * self.length)
        largest = float(np.max(np.abs(derivative), where=np.isfinite(derivative), initial=0.0))
        scale = largest if largest > 0.0 else 1.0
        finite = np.isfinite(fine) & np.isfinite(derivative)
        smooth = ~(np.abs(coarse - fine) > CORNER * scale)
        off = np.where(finite, np.abs(fine - derivative), np.inf)
        deviation = float(np.max(off[smooth], initial=0.0)) / scale
        return Comparison(name, deviation, int(np.count_nonzero(~smooth)), int(smooth.size))
