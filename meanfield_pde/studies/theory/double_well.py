"""Birth and death in a double well: mass changes sides, and none is ever in between.

    V = b (theta^2 - 1)^2 - theta / 5,       mu_t = mu_0 exp(- alpha V t) / Z     without transport

From the higher well V between the wells is above Vbar at the start, and Vbar falls: mass between
only falls, with transport too, since that leaves the ridge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.energy import PotentialEnergy
from meanfield_pde.problem.laws import MixtureLaw
from meanfield_pde.problem.one_parameter_laws import Normal, Uniform
from meanfield_pde.problem.potentials import DoubleWell
from meanfield_pde.problem.spaces import Interval
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

WELL, BARRIER, TILT = 5.0, 3.0, -0.2
"""alpha, and the shape of V."""

THIRD = 2.0 / 3.0
"""The middle third of [-2, 2] ends here."""

WELL_END = 30.0


@dataclass(frozen=True, eq=False)
class Wells:
    """Masses left of, in and right of the middle third, (3, times)."""

    time: Array
    masses: Array

    @property
    def most_kept(self) -> float:
        """The largest part of the mass between that is left after any interval of records."""
        return float(np.max(self.masses[1, 1:] / self.masses[1, :-1]))

    @property
    def between_at_half(self) -> float:
        """The mass between over the first, when half of all mass is right."""
        logs = np.log(self.masses)
        k = int(np.flatnonzero(self.masses[2] >= 0.5)[0])
        near = slice(k - 1, k + 1)
        odds = logs[2, near] - np.log1p(-self.masses[2, near])
        return float(np.exp(np.interp(0.0, odds, logs[1, near]) - logs[1, 0]))


def wells(cells: int, birth_death: bool, mobility: float) -> Wells:
    """From the higher well, and a thousandth from everywhere."""
    energy = PotentialEnergy(DoubleWell(BARRIER, TILT), Interval(-2.0, 2.0))
    law = MixtureLaw((0.999, 0.001), (Normal(-1.0, 0.15), Uniform()))
    terms: list[AnyTerm] = [BirthDeath(WELL)] if birth_death else []
    if mobility:
        terms.append(Transport((mobility,)))
    solution = solve(
        Equation(energy, terms),
        FiniteVolumes(cells).project(law, energy.space),
        WELL_END,
        step=Controlled(1e-6),
        record=AtTimes(()),
        save=EveryTime(0.25),
    )
    width = 4.0 / cells
    edges = [0, round((2.0 - THIRD) / width), round((2.0 + THIRD) / width)]
    masses = np.add.reduceat(solution.measure * width, edges, axis=1)
    return Wells(solution.snapshot_time, masses.T)


def exact_masses(time: float, points: int = 200_001) -> Array:
    """Left of, in and right of the middle third: mu_0 exp(- alpha V t) / Z, by quadrature."""
    places = np.linspace(-2.0, 2.0, points)
    well = DoubleWell(BARRIER, TILT).value((places,))
    bell = np.exp(-0.5 * ((places + 1.0) / 0.15) ** 2) / (0.15 * math.sqrt(2.0 * math.pi))
    density = (0.999 * bell + 0.00025) * np.exp(-WELL * time * (well - well.min()))
    parts = (places <= -THIRD, np.abs(places) <= THIRD, places >= THIRD)
    masses = np.array([np.trapezoid(density[part], places[part]) for part in parts])
    return np.asarray(masses / masses.sum())


def exact_between_at_half() -> float:
    """The mass between over the first, when half of all mass is right."""
    time = float(brentq(lambda t: exact_masses(t)[2] - 0.5, 0.0, WELL_END, xtol=1e-12))
    return float(exact_masses(time)[1] / exact_masses(0.0)[1])
