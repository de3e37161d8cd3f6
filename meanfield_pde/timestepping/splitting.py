"""Operator splitting: a step of the equation as a sequence of steps of its terms.

    Lie      A(dt) B(dt)                 first order
    Strang   A(dt/2) B(dt) A(dt/2)       second order (Strang 1968)

for terms A, B in the order of the equation. One term alone is its own step.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator

from meanfield_pde.dynamics.equation import Equation, Term
from meanfield_pde.errors import StepTooLong
from meanfield_pde.problem.landscape import Landscape
from meanfield_pde.representations.measure import Measure, Moved

Seconds = MutableMapping[str, float]
"""Wall time per part of the work."""


@dataclass(frozen=True)
class Lie:
    """One full step of each term in turn."""

    kind: Literal["lie"] = "lie"

    order: ClassVar[int] = 1

    def fractions(self, terms: int) -> tuple[tuple[int, float], ...]:
        """(term, fraction of dt) in the order in which they are taken."""
        return tuple((index, 1.0) for index in range(terms))


@dataclass(frozen=True)
class Strang:
    """Half a step of the first term, a full step of the last, half a step of the first."""

    kind: Literal["strang"] = "strang"

    order: ClassVar[int] = 2

    def fractions(self, terms: int) -> tuple[tuple[int, float], ...]:
        """(term, fraction of dt) in the order in which they are taken."""
        return ((0, 1.0),) if terms == 1 else ((0, 0.5), (1, 1.0), (0, 0.5))


Splitting = Annotated[Lie | Strang, Discriminator("kind")]


def largest_fraction(splitting: Splitting, equation: Equation, term: Term) -> float:
    """The longest sub-step of a term, as a fraction of the step."""
    return max(
        fraction
        for index, fraction in splitting.fractions(len(equation.terms))
        if equation.terms[index] is term
    )


def advance(
    splitting: Splitting,
    equation: Equation,
    mu: Measure,
    landscape: Landscape,
    dt: float,
    seconds: Seconds,
) -> Moved:
    """One step of the equation; the time spent in each term is added to `seconds`.

    Raises
    ------
    StepTooLong
        If a sub-step breaks its bound.
    """
    drift = 0.0
    for index, fraction in splitting.fractions(len(equation.terms)):
        term = equation.terms[index]
        start = time.perf_counter()
        try:
            mu, moved_drift = term.flow(mu, landscape, fraction * dt)
        except StepTooLong as limit:
            raise StepTooLong(limit.reason, limit.limit / fraction) from None
        finally:
            elapsed = time.perf_counter() - start
            seconds[term.kind] = seconds.get(term.kind, 0.0) + elapsed
        drift = max(drift, moved_drift)
    return Moved(mu, drift)
