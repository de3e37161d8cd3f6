"""What a run and the mean field are compared by: values of both, and distances between them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.distances import (
    Cloud,
    heavy,
    kernel_distance,
    sliced_wasserstein,
    wasserstein,
)
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.studies.counterparts import State

Array = NDArray[np.float64]

MOST_PAIRS = 500_000
"""Of points of two clouds of several parameters, above which they are compared by slices."""


@dataclass(frozen=True)
class Measure:
    """A gap between two states: a difference of values, or a distance.

    Attributes
    ----------
    root : bool
        Whether distances, or values, are like sums of squares.
    """

    name: str
    gap: Callable[[State, State], float]
    value: Callable[[State], float] | None = None
    root: bool = True

    def gaps(self, run: Sequence[State], reference: Sequence[State]) -> Array:
        """At each time."""
        return np.array([self.gap(*pair) for pair in zip(run, reference, strict=True)])

    def values(self, states: Sequence[State]) -> Array:
        """At each time; nan of a distance."""
        if self.value is None:
            return np.full(len(states), np.nan)
        return np.array([self.value(state) for state in states])


def measures_of(energy: AnyEnergy, exact: bool) -> Iterator[Measure]:
    """E, f, moments and Wasserstein distances, exact ones or by slices."""
    yield _difference("energy", lambda state: state.energy)
    if isinstance(energy, Energy):

        def apart(one: State, two: State) -> float:
            return kernel_distance(energy, one.prediction, two.prediction)

        yield Measure("prediction", apart)
    for k, (name, axis) in enumerate(zip(energy.parameters, energy.space.axes, strict=True)):
        mean, variance = partial(_moment, 0, k), partial(_moment, 1, k)
        yield replace(_difference(f"mean of {name}", mean, axis), root=False)
        yield _difference(f"variance of {name}", variance)
    for order in (1, 2):
        distance = partial(_transport, wasserstein if exact else sliced_wasserstein, order)
        yield Measure(f"W{order}" if exact else f"sliced W{order}", distance)


def _difference(name: str, value: Callable[[State], float], axis: Axis | None = None) -> Measure:
    """Of two values; the shorter way round a circle."""

    def gap(one: State, two: State) -> float:
        apart = value(one) - value(two)
        if axis is None or not axis.periodic:
            return apart
        return apart - axis.length * round(apart / axis.length)

    return Measure(name, gap, value)


def _moment(which: int, parameter: int, state: State) -> float:
    return float(state.cloud.moments()[which][parameter])


def _transport(distance: Callable[..., float], order: int, one: State, two: State) -> float:
    return distance(one.cloud, two.cloud, order)


def exactly(clouds: list[Cloud], particles: int) -> tuple[bool, tuple[str, ...]]:
    """Whether Wasserstein distances are exact, and why not."""
    if len(clouds[0].axes) == 1:
        return True, ()
    nodes = max(heavy(cloud).masses.size for cloud in clouds)
    if nodes * particles > MOST_PAIRS:
        pairs = f"between {nodes} nodes and {particles} particles they would take long"
        return False, (f"W1 and W2 are sliced: {pairs}.",)
    if importlib.util.find_spec("ot") is None:
        install = 'pip install "meanfield_pde[transport]"'
        return False, (f"W1 and W2 are sliced: exact ones of several parameters take {install}.",)
    return True, ()
