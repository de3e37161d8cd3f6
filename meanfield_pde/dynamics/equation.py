"""The equation: an energy and the terms by which it is descended."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import reduce
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.dynamics.birth_death import BirthDeath, Free
from meanfield_pde.dynamics.forcing import Forcing
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.errors import require, require_type
from meanfield_pde.problem.energy import AnyEnergy, Energy, PotentialEnergy
from meanfield_pde.problem.gradients import require_gradients
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.measure import Gridded, Measure, Weighted

Array = NDArray[np.float64]

Term = Annotated[Transport | BirthDeath, Discriminator("kind")]
"""Those of case files."""

AnyTerm = Term | Forcing


@dataclass(frozen=True, init=False)
class Equation:
    """d_t mu = the sum of the terms, in the order in which splitting takes them.

    Printing an equation prints the PDE.

    Raises
    ------
    InputError
        If a term appears twice or a mobility has the wrong number of entries.
    """

    energy: AnyEnergy
    terms: tuple[AnyTerm, ...]

    def __init__(self, energy: AnyEnergy, terms: Iterable[AnyTerm]) -> None:
        require_type("energy", energy, (Energy, PotentialEnergy), "an Energy or a PotentialEnergy")
        require_type("terms", terms, Iterable, "a list of terms")
        require_gradients(energy)
        object.__setattr__(self, "energy", energy)
        object.__setattr__(self, "terms", tuple(terms))
        for term in self.terms:
            expected = "Transport(...), BirthDeath(...) or Forcing(...)"
            require_type("term", term, (Transport, BirthDeath, Forcing), expected)
        kinds = [term.kind for term in self.terms]
        once = 0 < len(set(kinds)) == len(kinds)
        require(once, "terms", kinds, "transport, birth_death or both, each once")
        birth_death = self.birth_death
        if birth_death is not None and isinstance(energy, Energy) and energy.loss.relative:
            bounded = not isinstance(birth_death.balance, Free)
            expected = "'mean' or 'reinjection' for a likelihood: E falls without end with the mass"
            require(bounded, "balance", birth_death.balance.kind, expected)
        count = len(energy.parameters)
        for term in self.terms:
            if isinstance(term, Transport):
                fits = term.mobility is None or len(term.mobility) == count
                require(fits, "mobility", term.mobility, f"{count} number(s), one a parameter")

    @property
    def transport(self) -> Transport | None:
        """The transport term, if there is one."""
        return next((term for term in self.terms if isinstance(term, Transport)), None)

    @property
    def birth_death(self) -> BirthDeath | None:
        """The birth-death term, if there is one."""
        return next((term for term in self.terms if isinstance(term, BirthDeath)), None)

    @property
    def forcing(self) -> Forcing | None:
        """The given rate of growth, if there is one."""
        return next((term for term in self.terms if isinstance(term, Forcing)), None)

    def transport_first(self) -> Equation:
        """The same equation with transport before all other terms, as particles take them."""
        first = copy(self)
        ordered = sorted(self.terms, key=lambda term: term.kind != "transport")
        object.__setattr__(first, "terms", tuple(ordered))
        return first

    @property
    def keeps_mass(self) -> bool:
        """Whether no term changes the mass."""
        birth_death = self.birth_death
        balanced = birth_death is None or not isinstance(birth_death.balance, Free)
        return balanced and self.forcing is None

    def require_until(self, t_end: float) -> None:
        """Raise `InputError` if a coefficient is seen not to be >= 0 at a time up to t_end."""
        for term in self.terms:
            term.require_until(t_end)

    def corners(self, start: float, end: float) -> tuple[float, ...]:
        """Times between start and end at which a coefficient has a corner."""
        every = {corner for term in self.terms for corner in term.corners()}
        return tuple(sorted(corner for corner in every if start < corner < end))

    def rate(self, mu: Weighted, field: Field, time: float) -> Array:
        """The right-hand side: cell averages per unit time, a new array."""
        return reduce(np.add, (term.rate(mu, field, time) for term in self.terms))

    def image_rate(self, mu: Gridded, field: Field, landscape: Landscape, time: float) -> Array:
        """What `rate` does to the problem per unit time (`Landscape.image`).

        Term by term, so that one array of rates is held at a time.
        """
        rates = (term.rate(mu, field, time) for term in self.terms)
        points = map(mu.point_rates, rates)
        return np.sum([landscape.image(rate, mu.weight) for rate in points], axis=0)

    def dissipation(self, mu: Measure, field: Field, time: float) -> tuple[float, float, float]:
        """What transport, birth-death and forcing take from the energy per unit time.

        dE/dt = - int grad V . M grad V dmu - alpha int (V - Vbar)^2 dmu under the mean balance;
        see `dynamics.birth_death` for the others.
        """
        transport, birth_death, forcing = self.transport, self.birth_death, self.forcing
        return (
            transport.dissipation(field, time) if transport else 0.0,
            birth_death.dissipation(field, mu, time) if birth_death else 0.0,
            forcing.dissipation(field, mu, time) if forcing else 0.0,
        )

    def feedback_rate(self, field: Field, time: float, dt: float = 0.0) -> float:
        """A bound on the rate at which f[mu] - f* feeds back on itself (see the terms)."""
        return sum(term.feedback_rate(field, time, dt) for term in self.terms)

    def emptying_rate(self, mu: Weighted, field: Field, time: float, dt: float = 0.0) -> float:
        """The largest part of a cell that the terms together take out of it, per unit time.

        An Euler step of at most its reciprocal keeps cell averages >= 0.
        """
        return sum(term.emptying_rate(mu, field, time, dt) for term in self.terms)

    def __str__(self) -> str:
        right = " ".join(str(term) for term in self.terms).removeprefix("+ ")
        symbols = [term.symbols() for term in self.terms]
        lines = [f"d_t mu = {right}", str(self.energy), ", ".join(s for s in symbols if s)]
        return "\n".join(line for line in lines if line)
