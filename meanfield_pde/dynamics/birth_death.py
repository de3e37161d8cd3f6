"""Birth and death of neurons, and what balances them, as one term.

    free mass     d_t mu = - alpha V mu
    mean          d_t mu = - alpha (V - Vbar) mu                    (mass constant)
    reinjection   d_t mu = - alpha V mu + alpha Vbar mu_b   where Vbar > 0
                  d_t mu = - alpha V mu + alpha Vbar mu     where Vbar <= 0

Source: Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.dynamics.coefficients import (
    Coefficient,
    acceptable,
    corners,
    largest_over,
    mean_over,
    require_until,
    text,
    value_at,
)
from meanfield_pde.errors import require, require_type
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import Law
from meanfield_pde.representations.jumps import Algorithm, log_mean_copies
from meanfield_pde.representations.measure import (
    CharacteristicsMeasure,
    Measure,
    Moved,
    ParticleMeasure,
    Weighted,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Free:
    """Nothing balances birth and death: the mass changes by - alpha int V dmu."""

    kind: Literal["free"] = "free"

    def frozen_flow(self, mu: Weighted, field: Field, exposure: float) -> Moved:
        """mu exp(-V exposure), V as in `field`; the exposure is the integral of alpha."""
        return Moved(mu.reweighted(field.potential, -exposure))

    def factors(self, field: Field, exposure: float, algorithm: Algorithm) -> Array:
        """Logarithms of what masses of particles are multiplied by in a step."""
        return -exposure * field.potential

    def rate(self, mu: Weighted, field: Field) -> Array:
        """- V mu."""
        return mu.multiplied(-field.potential)

    def emptying_rate(self, field: Field) -> float:
        """The largest part of a cell that dies, per unit of exposure."""
        return max(float(field.potential.max()), 0.0)

    def dissipation(self, field: Field, mu: Measure) -> float:
        """int V^2 dmu."""
        return field.mean_square

    def __str__(self) -> str:
        return "- alpha V mu"


@dataclass(frozen=True)
class Mean:
    """The mean potential is subtracted: the mass stays."""

    kind: Literal["mean"] = "mean"

    def frozen_flow(self, mu: Weighted, field: Field, exposure: float) -> Moved:
        """mu exp(-(V - Vbar) exposure), then scaled to the mass of mu."""
        mean = field.integral / field.mass
        mass = mu.mass
        changed = mu.reweighted(field.potential, -exposure, shift=mean)
        new_mass = changed.mass
        return Moved(changed.scaled(mass / new_mass), abs(new_mass / mass - 1.0))

    def factors(self, field: Field, exposure: float, algorithm: Algorithm) -> Array:
        """Logarithms of what masses of particles are multiplied by in a step."""
        mean = 0.0 if algorithm == "notebook" else field.integral / field.mass
        return -exposure * (field.potential - mean)

    def rate(self, mu: Weighted, field: Field) -> Array:
        """- (V - Vbar) mu."""
        return mu.multiplied(field.integral / field.mass - field.potential)

    def emptying_rate(self, field: Field) -> float:
        """The largest part of a cell that dies, per unit of exposure."""
        return max(float(field.potential.max()) - field.integral / field.mass, 0.0)

    def dissipation(self, field: Field, mu: Measure) -> float:
        """int (V - Vbar)^2 dmu."""
        return _variance(field)

    def __str__(self) -> str:
        return "- alpha (V - <V>) mu"


@dataclass(frozen=True)
class Reinjection:
    """Lost mass is reborn from `law`; gained mass is taken from everywhere in proportion."""

    law: Law
    kind: Literal["reinjection"] = "reinjection"

    def frozen_flow(self, mu: Weighted, field: Field, exposure: float) -> Moved:
        """mu exp(-V exposure); a deficit is refilled from the law, a surplus scaled away.

        What is injected decays for half of the exposure, which makes it second order. A surplus is
        treated as `Mean` treats it, to the last bit.
        """
        mean = field.integral / field.mass
        mass = mu.mass
        changed = mu.reweighted(field.potential, -exposure, shift=mean)
        decay = math.exp(-mean * exposure)
        new_mass = changed.mass * decay
        if new_mass >= mass:
            return Moved(changed.scaled(mass / changed.mass), abs(changed.mass / mass - 1.0))
        new, potential = mu.born(self.law, field)
        born = new.reweighted(potential, -0.5 * exposure)
        survivors = changed.scaled(decay)
        return Moved(
            survivors.injected(born, (mass - new_mass) / born.mass), abs(new_mass / mass - 1.0)
        )

    def factors(self, field: Field, exposure: float, algorithm: Algorithm) -> Array:
        """Logarithms of what masses of particles are multiplied by in a step."""
        return -exposure * field.potential

    def rate(self, mu: Weighted, field: Field) -> Array:
        """- V mu + Vbar mu_b or - V mu + Vbar mu."""
        mean = field.integral / field.mass
        if mean <= 0.0:
            return mu.multiplied(mean - field.potential)
        return mu.injection_rate(self.law, mean * field.mass) + mu.multiplied(-field.potential)

    def emptying_rate(self, field: Field) -> float:
        """The largest part of a cell that dies, per unit of exposure."""
        mean = field.integral / field.mass
        return max(float(field.potential.max()) - min(mean, 0.0), 0.0)

    def dissipation(self, field: Field, mu: Measure) -> float:
        """int (V - Vbar)^2 dmu + Vbar (Vbar - int V dmu_b) where Vbar > 0 (on grids)."""
        mean = field.integral / field.mass
        variance = _variance(field)
        if mean <= 0.0 or isinstance(mu, ParticleMeasure):
            return variance
        born, potential = mu.born(self.law, field)
        injected = float(np.sum(born.values * potential)) * born.weight
        return variance + mean * field.mass * (mean - injected)

    def __str__(self) -> str:
        return "- alpha V mu + alpha <V> (mu_b if <V> > 0 else mu)"


def _variance(field: Field) -> float:
    """int (V - Vbar)^2 dmu; the difference of its two parts may round below zero."""
    return max(field.mean_square - field.integral * field.integral / field.mass, 0.0)


Balance = Annotated[Free | Mean | Reinjection, Discriminator("kind")]


@dataclass(frozen=True)
class BirthDeath:
    """- alpha V mu and what balances it.

    Parameters
    ----------
    alpha : Coefficient
        Rate of birth and death per unit of V and of time, >= 0: a number, or a function of time.
    balance : Balance
        `Mean()` unless given.
    """

    alpha: Coefficient
    balance: Balance = Mean()
    kind: Literal["birth_death"] = "birth_death"

    def __post_init__(self) -> None:
        expected = "a number >= 0, or a formula or a table in time"
        require(acceptable(self.alpha), "alpha", self.alpha, expected)
        kinds = (Free, Mean, Reinjection)
        require_type("balance", self.balance, kinds, "Free(), Mean() or Reinjection(law)")

    def require_until(self, t_end: float) -> None:
        """Raise `InputError` if alpha is seen to fail before t_end."""
        require_until("alpha", self.alpha, t_end)

    def corners(self) -> tuple[float, ...]:
        """Times at which alpha has a corner."""
        return corners(self.alpha)

    def flow(self, mu: Measure, landscape: Landscape, time: float, dt: float) -> Moved:
        """mu after dt of this term alone, from `time` on.

        alpha(t) only changes the clock: what counts is the exposure, its integral over the step.
        An exponential midpoint rule: half of it with V frozen at the start, then all of it from
        the start with V frozen at the midpoint. Second order, positive, of exact mass if balanced.
        Particles jump instead, with V and alpha frozen at the start (Algorithms 1 and 2).
        """
        if isinstance(mu, ParticleMeasure):
            return Moved(self._jump(mu, landscape, time, dt))
        field = landscape.at(mu)
        exposure = mean_over("alpha", self.alpha, time, dt) * dt
        midpoint = self.balance.frozen_flow(mu, field, 0.5 * exposure).measure
        assert not isinstance(midpoint, ParticleMeasure)
        return self.balance.frozen_flow(mu, landscape.at(midpoint), exposure)

    def _jump(
        self, mu: ParticleMeasure, landscape: Landscape, time: float, dt: float
    ) -> ParticleMeasure:
        algorithm = mu.method.algorithm
        self.require_algorithm(algorithm)
        mu, field = mu.seen(landscape)
        exposure = value_at("alpha", self.alpha, time) * dt
        factors = self.balance.factors(field, exposure, algorithm)
        if algorithm == "weights":
            return mu.reweighted(factors, None if isinstance(self.balance, Free) else mu.mass)
        return mu.jumped(factors, getattr(self.balance, "law", None))

    def mean_jump(
        self,
        mu: CharacteristicsMeasure,
        landscape: Landscape,
        time: float,
        dt: float,
        algorithm: Algorithm,
    ) -> Moved:
        """What a step of particles is in the limit of infinitely many: masses times mean copies.

        V and alpha are frozen at the start. Then the mass is brought back to what it was, by
        scaling, or where it falls short by a law from which neurons are reborn.
        """
        field = landscape.at(mu)
        exposure = value_at("alpha", self.alpha, time) * dt
        factors = self.balance.factors(field, exposure, algorithm)
        changed = mu.reweighted(log_mean_copies(algorithm, factors), 1.0)
        if isinstance(self.balance, Free):
            return Moved(changed)
        mass, new_mass = mu.mass, changed.mass
        drift = abs(new_mass / mass - 1.0)
        if isinstance(self.balance, Reinjection) and new_mass < mass:
            born, _ = mu.born(self.balance.law, field)
            return Moved(changed.injected(born, (mass - new_mass) / born.mass), drift)
        return Moved(changed.scaled(mass / new_mass), drift)

    def require_algorithm(self, algorithm: Algorithm) -> None:
        """Raise `InputError` unless particles of an algorithm have this balance."""
        known = (Mean, Free) if algorithm == "weights" else (Mean, Reinjection)
        expected = "'mean' or " + ("'free'" if algorithm == "weights" else "'reinjection'")
        fits = isinstance(self.balance, known)
        expected += f" for particles of the algorithm {algorithm!r}"
        require(fits, "balance", self.balance.kind, expected)

    def rate(self, mu: Weighted, field: Field, time: float) -> Array:
        """The term per cell."""
        return value_at("alpha", self.alpha, time) * self.balance.rate(mu, field)

    def dissipation(self, field: Field, mu: Measure, time: float) -> float:
        """What this term takes from the energy per unit time."""
        return value_at("alpha", self.alpha, time) * self.balance.dissipation(field, mu)

    def feedback_rate(self, field: Field, time: float, dt: float = 0.0) -> float:
        """alpha int int phi^2 dnu dmu: as for transport, with T = alpha int phi phi' dmu.

        T is at most that where the mean is subtracted; where neurons are reborn from a law the
        energy may rise whatever the step. alpha is the largest in [time, time + dt].
        """
        return largest_over("alpha", self.alpha, time, dt) * field.mean_square_norms[0]

    def emptying_rate(self, mu: Weighted, field: Field, time: float, dt: float = 0.0) -> float:
        """The largest part of a cell that dies per unit time, alpha as in `feedback_rate`."""
        return largest_over("alpha", self.alpha, time, dt) * self.balance.emptying_rate(field)

    def __str__(self) -> str:
        return str(self.balance)

    def symbols(self) -> str:
        """The values of this term's symbols."""
        law = f", mu_b = {self.balance.law}" if isinstance(self.balance, Reinjection) else ""
        return f"alpha = {text(self.alpha)}{law}"
