"""Operator splitting: a step of the equation as a sequence of steps of its terms.

    Lie      A(dt) B(dt)                 first order
    Strang   A(dt/2) B(dt) A(dt/2)       second order (Strang 1968)

for terms A, B in the order of the equation; of three, Strang takes half steps of the first two on
either side of the last. One term alone is its own step. Every term has a clock
of its own: its coefficients are those of the times through which its sub-steps have gone.
Without splitting see `unsplit`; what particles tend to, `particle_limit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import StepTooLong
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.measure import (
    CharacteristicsMeasure,
    Measure,
    Moved,
    ParticleMeasure,
    Weighted,
)
from meanfield_pde.timestepping.clock import Seconds, clocked
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.unsplit import Unsplit


@dataclass(frozen=True)
class Lie:
    """One full step of each term in turn."""

    kind: Literal["lie"] = "lie"

    order: ClassVar[int] = 1
    embedded: ClassVar[bool] = False
    coefficient: ClassVar[float] = 1.0

    def fractions(self, terms: int) -> tuple[tuple[int, float], ...]:
        """(term, fraction of dt) in the order in which they are taken."""
        return tuple((index, 1.0) for index in range(terms))


@dataclass(frozen=True)
class Strang:
    """Half steps of all terms but the last, a full step of that, the half steps in reverse."""

    kind: Literal["strang"] = "strang"

    order: ClassVar[int] = 2
    embedded: ClassVar[bool] = False
    coefficient: ClassVar[float] = 1.0

    def fractions(self, terms: int) -> tuple[tuple[int, float], ...]:
        """(term, fraction of dt) in the order in which they are taken."""
        before = tuple((index, 0.5) for index in range(terms - 1))
        return (*before, (terms - 1, 1.0), *reversed(before))


Splitting = Annotated[Lie | Strang | Unsplit | ParticleLimit, Discriminator("kind")]


def emptying_rate(
    splitting: Splitting,
    equation: Equation,
    mu: Weighted,
    field: Field,
    time: float,
    dt: float = 0.0,
) -> float:
    """The reciprocal of the longest step that keeps cell averages >= 0.

    With the largest coefficients in [time, time + dt]. Where terms are split only transport may
    empty a cell, in the longest of its sub-steps.
    """
    if isinstance(splitting, Unsplit):
        return equation.emptying_rate(mu, field, time, dt) / splitting.coefficient
    transport = equation.transport
    if transport is None or isinstance(splitting, ParticleLimit):
        return 0.0
    fractions = splitting.fractions(len(equation.terms))
    longest = max(part for index, part in fractions if equation.terms[index] is transport)
    return longest * transport.emptying_rate(mu, field, time, dt)


def advance(
    splitting: Splitting,
    equation: Equation,
    mu: Measure,
    landscape: Landscape,
    time: float,
    dt: float,
    seconds: Seconds,
) -> Moved:
    """One step of the equation; the wall time of each term is added to `seconds`.

    Raises
    ------
    StepTooLong
        If a sub-step breaks its bound.
    """
    if isinstance(splitting, Unsplit):
        assert not isinstance(mu, ParticleMeasure)
        with clocked(splitting.kind, seconds):
            return splitting.advance(equation, mu, landscape, time, dt)
    if isinstance(splitting, ParticleLimit):
        assert isinstance(mu, CharacteristicsMeasure)
        with clocked(splitting.kind, seconds):
            return splitting.advance(equation, mu, landscape, time, dt)
    drift = 0.0
    clocks = [time] * len(equation.terms)
    for index, fraction in splitting.fractions(len(equation.terms)):
        term = equation.terms[index]
        try:
            with clocked(term.kind, seconds):
                moved = term.flow(mu, landscape, clocks[index], fraction * dt)
        except StepTooLong as limit:
            raise StepTooLong(limit.reason, limit.limit / fraction) from None
        clocks[index] += fraction * dt
        mu, drift = moved.measure, max(drift, moved.mass_drift)
    return Moved(mu, drift)
