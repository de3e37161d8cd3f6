"""N particles: gradient descent, with birth and death by killing and cloning, or by weights.

Algorithms 1 and 2 of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), the variant of their
published code, and weighted ("conic") particles (Chizat & Bach 2018). Random numbers are functions
of (seed, draw): a measure is a value, and the same run gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import ClassVar, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure, require
from meanfield_pde.kernels.reductions import total
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import AnyLaw, draws_from
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.following import FollowingLandscape, Sampling, folded
from meanfield_pde.representations.initial_nodes import log_sum
from meanfield_pde.representations.jumps import Algorithm, probabilities
from meanfield_pde.representations.moments import on_walls, point_moments
from meanfield_pde.representations.runge_kutta import Mobility

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticleMeasure:
    """mu_N = (1 / N) sum_i exp(log_weights[i]) delta_{theta_i}.

    Attributes
    ----------
    axes : tuple of Axis
    points : array (particles, parameters)
    method : Particles
    log_weights : array (particles,), optional
        Of weighted particles; all others have mass 1 / N each.
    draws : int
        How many times random numbers have been drawn.
    reborn : int
        How many particles have been reborn from a law.
    """

    axes: tuple[Axis, ...]
    points: Array
    method: Particles
    log_weights: Array | None = None
    draws: int = 0
    reborn: int = 0

    centres: ClassVar[tuple[Array, ...]] = ()
    smallest: ClassVar[float] = 0.0

    @property
    def representation(self) -> str:
        """Particles of equal mass or weighted ones."""
        return "particles" if self.log_weights is None else "weighted_particles"

    @property
    def dt(self) -> float:
        """The time step of the algorithm."""
        return self.method.dt

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return len(self.axes)

    @cached_property
    def values(self) -> Array:
        """Weights; one each if they are equal."""
        if self.log_weights is None:
            return np.ones(self.points.shape[0])
        return np.exp(self.log_weights)

    @property
    def weight(self) -> float:
        """Mass of a particle whose weight is one."""
        return 1.0 / self.points.shape[0]

    @cached_property
    def mass(self) -> float:
        """Total mass."""
        return 1.0 if self.log_weights is None else self.weight * float(total(self.values))

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds: the positions."""
        return self.points

    @property
    def state(self) -> Array:
        """Positions and log-masses, (particles, parameters + 1)."""
        logarithms = np.zeros(len(self.points)) if self.log_weights is None else self.log_weights
        return np.column_stack([self.points, logarithms + math.log(self.weight)])

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
        counter = [0, 0, 0, self.draws]
        return np.random.Generator(np.random.Philox(key=self.method.seed, counter=counter))

    def seen(self, landscape: Landscape) -> tuple[ParticleMeasure, Field]:
        """The energy as a sub-step sees it: by all data, or by a batch of them."""
        batch = self.method.batch
        if batch is None:
            return self, landscape.at(self)
        sampled = cast(Sampling, landscape).sampled(self.generator(), batch)
        return replace(self, draws=self.draws + 1), sampled.at(self)

    def transported(
        self, landscape: Landscape, mobility: Mobility, time: float, dt: float
    ) -> ParticleMeasure:
        """One step of gradient descent, theta_i - dt M grad V(theta_i); walls stop particles."""
        mu, field = self.seen(landscape)
        points = np.empty_like(self.points)
        triples = zip(self.axes, field.gradient, mobility(time), strict=True)
        for k, (axis, slope, factor) in enumerate(triples):
            points[:, k] = self.points[:, k] - dt * factor * slope
            if not axis.periodic:
                np.clip(points[:, k], axis.lower, axis.upper, out=points[:, k])
        return replace(mu, points=folded(points, self.axes))

    def jumped(self, factors: Array, law: AnyLaw | None = None) -> ParticleMeasure:
        """Kill where factors < 0, clone where > 0, then bring the number back to N.

        A particle is killed, or duplicated, by chance (`jumps`); then uniformly chosen particles
        are killed, or duplicated, until N are left. With a law the missing ones are drawn from it.
        """
        generator = self.generator()
        number = self.points.shape[0]
        chosen = generator.random(number) < probabilities(self.method.algorithm, factors)
        copies = np.ones(number, dtype=np.int64)
        copies[chosen & (factors < 0)] = 0
        copies[chosen & (factors > 0)] = 2
        points = np.repeat(self.points, copies, axis=0)
        missing = number - points.shape[0]
        reborn = 0
        if missing < 0:
            keep = np.sort(generator.permutation(points.shape[0])[:number])
            points = points[keep]
        elif missing > 0 and law is not None:
            reborn = missing
            born = draws_from(law, generator, missing, self.axes)
            points = np.concatenate([points, born])
        elif missing > 0:
            if points.shape[0] == 0:
                raise NumericalFailure("every particle was killed in one step: take a shorter dt")
            clones = generator.integers(points.shape[0], size=missing)
            points = np.concatenate([points, points[clones]])
        return replace(self, points=points, draws=self.draws + 1, reborn=self.reborn + reborn)

    def reweighted(self, factors: Array, mass: float | None = None) -> ParticleMeasure:
        """Weights times exp(factors), then scaled to a mass if one is given."""
        assert self.log_weights is not None
        moved = self.log_weights + factors
        if mass is not None:
            moved += math.log(mass / self.weight) - log_sum(moved)
        return replace(self, log_weights=moved)

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        share = self.values * (self.weight / self.mass)
        return point_moments(self.points, share, self.axes)

    def wall_mass(self) -> float:
        """Mass of the particles on a wall."""
        return self.weight * float(np.sum(self.values[on_walls(self.points, self.axes)]))


@dataclass(frozen=True)
class Particles:
    """`number` particles drawn from the initial law, moved in steps of `dt`.

    Parameters
    ----------
    number : int
    dt : float
        Time step; transport first, then birth and death.
    seed : int
    algorithm : "jumps", "notebook" or "weights"
        "jumps" is Algorithm 1 where the mean of V is subtracted, and Algorithm 2 where neurons are
        reborn from a law. "notebook" is what was published with them: particles are killed or
        cloned with probability alpha dt |V|, V never less its mean, and brought back to their
        number. "weights" multiplies weights instead, without any chance but that of the start.
    batch : int, optional
        Points of the data, drawn anew for each sub-step, that V is estimated from.
    """

    number: int = 10000
    dt: float = 0.01
    seed: int = 0
    algorithm: Algorithm = "jumps"
    batch: int | None = None
    kind: Literal["particles"] = "particles"

    def __post_init__(self) -> None:
        whole = isinstance(self.number, Integral) and self.number >= 1
        require(whole, "number", self.number, "a whole number, at least 1")
        require(self.dt > 0, "dt", self.dt, "a positive time step")
        known = isinstance(self.seed, Integral) and 0 <= self.seed < 2**64
        require(known, "seed", self.seed, "a whole number >= 0, below 2^64")
        known = self.algorithm in get_args(Algorithm)
        require(known, "algorithm", self.algorithm, "one of " + ", ".join(get_args(Algorithm)))
        fits = self.batch is None or (isinstance(self.batch, Integral) and self.batch >= 1)
        require(fits, "batch", self.batch, "a whole number, at least 1")

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
        start = ParticleMeasure(space.axes, np.empty((self.number, 0)), self)
        points = draws_from(law, start.generator(), self.number, space.axes)
        weights = np.zeros(self.number) if self.algorithm == "weights" else None
        return replace(start, points=points, log_weights=weights, draws=1)
