"""What a step of infinitely many particles does: gradient descent, then jumps in the mean.

    theta <- theta - dt M grad V[mu]
    mass  <- mass times the mean number of copies of a particle (`representations.jumps`), balanced

The limit of the particle algorithms for N -> infinity at fixed dt. It is of first order, as Lie
splitting is, with another constant: particles compared with it differ by chance alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import require
from meanfield_pde.problem.landscape import Landscape
from meanfield_pde.representations.jumps import Algorithm
from meanfield_pde.representations.measure import CharacteristicsMeasure, Moved


@dataclass(frozen=True)
class ParticleLimit:
    """The limit of the steps of an algorithm (`Particles`), along characteristics."""

    algorithm: Algorithm = "jumps"
    kind: Literal["particle_limit"] = "particle_limit"

    order: ClassVar[int] = 1
    embedded: ClassVar[bool] = False
    coefficient: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        known = self.algorithm in get_args(Algorithm)
        require(known, "algorithm", self.algorithm, "one of " + ", ".join(get_args(Algorithm)))

    def advance(
        self,
        equation: Equation,
        mu: CharacteristicsMeasure,
        landscape: Landscape,
        time: float,
        dt: float,
    ) -> Moved:
        """mu at time + dt."""
        transport, birth_death = equation.transport, equation.birth_death
        if transport is not None:
            factors = transport.factors(mu.parameters, time)
            rate = mu.transport_rate(landscape.at(mu), factors)
            mu = mu.with_state(mu.state + dt * rate)
        if birth_death is None:
            return Moved(mu)
        return birth_death.mean_jump(mu, landscape, time, dt, self.algorithm)
