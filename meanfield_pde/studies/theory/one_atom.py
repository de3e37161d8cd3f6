"""Runs whose target is one atom on the circle, with transport and birth and death.

E = K4 s^2 / 8 of a variance s that follows the curve u(tau) of `universal`: see
`claims.transport_rate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.units import Cosine
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.law_problems import BUMP, KERNEL, ONE, PER_DECADE, Curve, OneUnit
from meanfield_pde.studies.theory.local_exponent import local_exponent
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

WAVE = Energy(Cosine(1.0), ONE, UniformCircle(8), Circle())
CENTRE = float(np.ravel(ONE.centres)[0])
UNITS = {
    "von Mises": OneUnit("von Mises", BUMP, 1.0, 1.0),
    "exp(cos)": OneUnit("exp(cos)", KERNEL, 1.0, 1.0),
    "cosine": OneUnit("cosine", WAVE, 1.0, 1.0),
}
"""By what their kernel is called; alpha and the end of a run are set for each run."""


POWER = 4
"""Mass elsewhere is counted with the weight ((1 - cos d) / 2)^POWER, d the distance to the atom."""

FLAT = 0.1
"""V opposite the atom is nearly flat if V'' there is less than this part of that at the atom."""

NODES = {"cosine": 512}
"""For units whose V is bent opposite the atom, so that nodes leave; 128 for others."""

MOST_STRETCH = 32.0
"""By how much distances between nodes elsewhere may have grown."""


@dataclass(frozen=True)
class Run:
    """A unit, with an alpha and a mobility, from about time 1 on; fewer nodes if coarse."""

    unit: str
    alpha: float
    mobility: float
    last: float
    coarse: bool = False

    @property
    def one(self) -> OneUnit:
        """The unit, with alpha / b in place of alpha: on the clock b t no more matters."""
        return replace(UNITS[self.unit], alpha=self.alpha / self.mobility, last=self.last)

    @property
    def fourth(self) -> float:
        """K4."""
        return UNITS[self.unit].kernel(0.0, 4)

    @property
    def crossover(self) -> float:
        """The t where tau = 1."""
        return self.alpha / (2.0 * self.mobility**2 * self.fourth)


@dataclass(frozen=True, eq=False)
class Course:
    """E, the mass elsewhere and the density opposite the atom, in time."""

    run: Run
    times: Array
    energy: Array
    remote: Array
    opposite: Array

    @property
    def constant(self) -> Curve:
        """8 K4 b^2 t^2 E."""
        scale = 8.0 * self.run.fourth * self.run.mobility**2
        return Curve(self.times, scale * self.times**2 * self.energy)

    @property
    def inverse_root(self) -> Curve:
        """Of that: 1 + log(tau) / tau + const / tau + ..., the next term log(tau) / tau^2.

        The next term of its inverse square is log(tau)^2 / tau^2, which is harder to extrapolate.
        """
        return Curve(self.times, self.constant.values**-0.5)

    @property
    def bend(self) -> float:
        """V'' opposite the atom over that at the atom."""
        return UNITS[self.run.unit].kernel(math.pi, 4) / (2.0 * self.run.fourth)

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """At which times there still are nodes enough elsewhere: they leave like t^bend."""
        return np.asarray(self.times ** -min(self.bend, 0.0) <= MOST_STRETCH)

    @property
    def remote_exponent(self) -> Curve:
        """- d log (mass elsewhere) / d log t."""
        local = local_exponent(self.times[self.resolved], self.remote[self.resolved])
        return Curve(local.times, local.values)

    @property
    def exponent(self) -> Curve:
        """q, on the clock K4 s dt of the atom, with K4 s = sqrt(8 K4 E).

        The clock is that of 1 / t up to log t / t. Where V is bent opposite the atom, q is read
        from the mass there; where it is nearly flat, the shape of the mass settles like a small
        power of t, and q is read from the density. That also grows at a minimum of V, where mass
        gathers, which is no part of q.
        """
        flat = abs(self.bend) < FLAT
        falling = (self.opposite if flat else self.remote)[self.resolved]
        times = self.times[self.resolved]
        ticks = np.sqrt(8.0 * self.run.fourth * self.energy[self.resolved]) * times
        passed = 0.5 * (ticks[1:] + ticks[:-1]) * np.diff(np.log(times))
        values = flat * max(self.bend, 0.0) - np.diff(np.log(falling)) / passed
        return Curve(np.sqrt(times[1:] * times[:-1]), values)

    @property
    def scaled(self) -> tuple[Array, Array]:
        """tau, and E over its value on the universal curve."""
        tau = self.times / self.run.crossover
        unit = self.run.fourth * self.run.mobility**2 / (2.0 * self.run.alpha**2)
        return tau, self.energy / (unit * universal(tau) ** 2)


def course(run: Run) -> Course:
    """Solve from the uniform law."""
    energy = UNITS[run.unit].energy
    equation = Equation(energy, [BirthDeath(run.alpha), Transport((run.mobility,))])
    nodes = NODES.get(run.unit, 128) * (3 if run.coarse else 4) // 4
    limit = 1e-6 if run.coarse else 1e-8
    method = Characteristics(nodes, redistribute=limit, picture=0)
    count = round(PER_DECADE * np.log10(run.last))
    times = run.last * 10.0 ** (np.arange(-count, 1) / PER_DECADE)
    solution = solve(
        equation,
        method.project(Uniform(), energy.space),
        run.last,
        step=Controlled(1e-9 if run.coarse else 1e-10),
        record=AtTimes(()),
        save=AtTimes(tuple(times.tolist())),
    )
    elsewhere = [(remote(nodes), opposite(nodes)) for nodes in solution.nodes[1:]]
    return Course(run, times, solution.energy[1:], *np.array(elsewhere).T)


def remote(nodes: Array) -> float:
    """The mass elsewhere, of nodes and log-masses."""
    return float(np.exp(nodes[:, 1]) @ (0.5 - 0.5 * np.cos(nodes[:, 0] - CENTRE)) ** POWER)


def opposite(nodes: Array) -> float:
    """The density opposite the atom, up to a factor: masses over the distance of two nodes."""
    distance = np.mod(nodes[:, 0] - CENTRE, 2.0 * math.pi)
    order = np.argsort(distance)
    k = int(np.searchsorted(distance[order], math.pi))
    below, above = order[k - 1], order[k]
    mean = 0.5 * (nodes[below, 1] + nodes[above, 1])
    return math.exp(mean) / float(distance[above] - distance[below])


def universal(tau: Array) -> Array:
    """u(tau), the solution of tau = 1/u - log(1 + 1/u)."""

    def defect(log_u: float, value: float) -> float:
        inverse = np.exp(-log_u)
        return float(inverse - np.log1p(inverse) - value)

    return np.exp([brentq(defect, -60.0, 30.0, args=(value,), xtol=1e-14) for value in tau])
