"""N particles of equal mass: gradient descent, with birth and death by killing and cloning.

Algorithm 1 of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019). Random numbers are functions of
(seed, step): a measure is a value, and the same run gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure, require
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import AnyLaw, draws_from
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.following import FollowingLandscape
from meanfield_pde.representations.moments import on_walls, point_moments
from meanfield_pde.representations.runge_kutta import Mobility

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticleMeasure:
    """mu_N = (mass / N) sum_i delta_{theta_i}.

    Attributes
    ----------
    axes : tuple of Axis
    points : array (particles, parameters)
    dt : float
        The time step of the algorithm.
    seed : int
    draws : int
        How many times random numbers have been drawn.
    """

    axes: tuple[Axis, ...]
    points: Array
    dt: float
    seed: int
    draws: int = 0

    representation: ClassVar[str] = "particles"
    mass: ClassVar[float] = 1.0
    centres: ClassVar[tuple[Array, ...]] = ()
    smallest: ClassVar[float] = 0.0

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return len(self.axes)

    @cached_property
    def values(self) -> Array:
        """One each."""
        return np.ones(self.points.shape[0])

    @property
    def weight(self) -> float:
        """Mass of a particle."""
        return 1.0 / self.points.shape[0]

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds: the positions."""
        return self.points

    def maintained(self, field: Field) -> ParticleMeasure:
        """Itself."""
        return self

    def unresolved(self, field: Field) -> float:
        """Not known: nan."""
        return math.nan

    def landscape(self, energy: AnyEnergy) -> Landscape:
        """An energy seen from wherever the particles are."""
        return FollowingLandscape(energy)

    def generator(self) -> np.random.Generator:
        """The random numbers of the current draw."""
        return np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, 0, self.draws]))

    def transported(
        self, landscape: Landscape, mobility: Mobility, time: float, dt: float
    ) -> ParticleMeasure:
        """One step of gradient descent, theta_i - dt M grad V(theta_i); walls stop particles."""
        slopes, factors = landscape.at(self).gradient, mobility(time)
        columns = []
        for k, axis in enumerate(self.axes):
            moved = self.points[:, k] - dt * factors[k] * slopes[k]
            if axis.periodic:
                moved = axis.lower + np.mod(moved - axis.lower, axis.length)
            else:
                moved = np.clip(moved, axis.lower, axis.upper)
            columns.append(moved)
        return replace(self, points=np.column_stack(columns))

    def jumped(self, log_factors: Array) -> ParticleMeasure:
        """Kill where log_factors < 0, clone where > 0, then bring the number back to N.

        A particle is killed, or duplicated, with probability 1 - exp(-|log_factor|); then
        uniformly chosen particles are killed or duplicated until N are left.
        """
        generator = self.generator()
        number = self.points.shape[0]
        chosen = generator.random(number) < -np.expm1(-np.abs(log_factors))
        copies = np.ones(number, dtype=np.int64)
        copies[chosen & (log_factors < 0)] = 0
        copies[chosen & (log_factors > 0)] = 2
        points = np.repeat(self.points, copies, axis=0)
        excess = points.shape[0] - number
        if points.shape[0] == 0:
            raise NumericalFailure("every particle was killed in one step: take a shorter dt")
        if excess > 0:
            keep = np.sort(generator.permutation(points.shape[0])[:number])
            points = points[keep]
        elif excess < 0:
            clones = generator.integers(points.shape[0], size=-excess)
            points = np.concatenate([points, points[clones]])
        return replace(self, points=points, draws=self.draws + 1)

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        share = np.full(self.points.shape[0], self.weight)
        return point_moments(self.points, share, self.axes)

    def wall_mass(self) -> float:
        """Mass of the particles on a wall."""
        return float(on_walls(self.points, self.axes).mean())


@dataclass(frozen=True)
class Particles:
    """`number` particles drawn from the initial law, moved in steps of `dt` by Algorithm 1."""

    number: int = 10000
    dt: float = 0.01
    seed: int = 0
    kind: Literal["particles"] = "particles"

    def __post_init__(self) -> None:
        require(self.number >= 1, "number", self.number, "at least 1")
        require(self.dt > 0, "dt", self.dt, "a positive time step")
        require(self.seed >= 0, "seed", self.seed, "a number >= 0")

    def check(self, axes: tuple[Axis, ...]) -> None:
        """Any space will do."""

    def finer(self, axes: tuple[Axis, ...]) -> Particles:
        """Twice the particles."""
        return replace(self, number=2 * self.number)

    def wider(
        self, axes: tuple[Axis, ...], chosen: tuple[bool, ...]
    ) -> tuple[Particles, tuple[float, ...]]:
        """Itself, and by which factors a space is stretched about its middle: a quarter."""
        return self, tuple(1.25 if stretched else 1.0 for stretched in chosen)

    def project(self, law: AnyLaw, space: Space) -> ParticleMeasure:
        """Independent draws from a law.

        Raises
        ------
        InputError
            If the law does not fit the space.
        """
        require(hasattr(space, "axes"), "space", space, "a space, such as Interval(-1.0, 1.0)")
        start = ParticleMeasure(space.axes, np.empty((self.number, 0)), self.dt, self.seed)
        points = draws_from(law, start.generator(), self.number, space.axes)
        return replace(start, points=points, draws=1)
