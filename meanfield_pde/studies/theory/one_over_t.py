"""Runs of birth and death alone, with what their laws ask for: see `birth_death_rate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.evolution import solve
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.law_problems import (
    OTHERS,
    PER_DECADE,
    ROOTS,
    SPIKES,
    WELLS,
    Curve,
    Terms,
)
from meanfield_pde.studies.laws import Limit, extrapolated
from meanfield_pde.studies.theory.kinks import COARSE, KINKED, THIRDS
from meanfield_pde.studies.theory.local_exponent import window
from meanfield_pde.studies.theory.misfits import AT_A_WALL, MISFITS, SMALL, Family
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

GROUPS: Mapping[str, tuple[Any, ...]] = {
    "kinked": KINKED,
    "fitted": SPIKES,
    "unfitted": MISFITS,
    "wall": (AT_A_WALL,),
    "fixed": WELLS,
}
"""Problems, by which law is theirs; those that last longest first."""

TERMS: Mapping[str, Terms] = {
    "unfitted": SMALL,
    "wall": SMALL,
    "fitted": ROOTS,
    "kinked": THIRDS,
}
"""How limits are reached; each fixed potential has its own."""

QUICK: Mapping[str, Sequence[int]] = {
    "unfitted": (0, 1, 2, 3),
    "wall": (0,),
    "fitted": (0, 1, 2),
    "kinked": (0,),
    "fixed": (0, 1, 2, 3, 6),
}
"""Those that are measured if quick."""

COMPARED = 1e2
"""Until when families are compared with runs of the equation."""

ALPHAS = (0.1, 1.0, 10.0, 100.0)
TOLERANCES = (1e-8, 1e-7)
"""Of steps of runs, the second to see what it changes."""

COLLAPSED = 1e3
"""alpha t at the end of runs with several alpha."""

CONCENTRATIONS = np.concatenate([[0.0], np.geomspace(1e-2, 1e8, 401)])
"""Of the von Mises laws that the atoms of nu are made smooth by; 0 is mu_0."""

FEW_UNTIL = 1e6
"""alpha t at which the problem with few data points is looked at."""


@dataclass(frozen=True, eq=False)
class Course:
    """alpha t (E - E*) of one problem.

    Attributes
    ----------
    group : str
    name : str
    curve : Curve
    limit : Limit
        Extrapolated; the bar holds the window of the fit, coarser quadratures, looser tolerances,
        the difference from a run of the equation, and what E* may be off.
    law : float
        What is claimed of the limit.
    """

    group: str
    name: str
    curve: Curve
    limit: Limit
    law: float

    @property
    def begin(self) -> float:
        """From when on the local exponent of E - E* is that of 1/t."""
        return window(self.curve.times, self.curve.values / self.curve.times, 1.0)


@dataclass(frozen=True)
class Problem:
    """Which problem of `GROUPS`."""

    group: str
    index: int

    def answer(self) -> Course:
        """Solve it."""
        one = GROUPS[self.group][self.index]
        if self.group == "fixed":
            curve = one.run(1e4)
            limit = extrapolated(curve, one.terms, [one.run(1e4, coarser=1)])
            return Course(self.group, one.name, curve, limit, one.limit)
        curve = one.family(one.last)
        against = [one.family(one.last, coarser=1, tolerance=1e-7)]
        if self.group == "kinked":
            against.append(COARSE[self.index].family(one.last))
        fit = extrapolated(curve, TERMS[self.group], against)
        unsure = abs(fit.value) * curve.difference(one.run(COMPARED))
        if self.group in ("unfitted", "wall"):
            unsure += one.best.gap * one.last
        return Course(self.group, one.name, curve, Limit(fit.value, fit.bar + unsure), one.limit)


@dataclass(frozen=True)
class Collapse:
    """The problem with noisy samples, with one of `ALPHAS` and a tolerance."""

    alpha: float
    tolerance: float

    def answer(self) -> Curve:
        """alpha t (E - E*) at times alpha t, along characteristics."""
        problem = MISFITS[0]
        scaled = 10.0 ** (np.arange(1 + round(PER_DECADE * np.log10(COLLAPSED))) / PER_DECADE)
        times = scaled / self.alpha
        mu = Characteristics(problem.nodes, redistribute=None)
        solution = solve(
            Equation(problem.energy, [BirthDeath(self.alpha)]),
            mu.project(Uniform(), problem.energy.space),
            float(times[-1]),
            step=Controlled(self.tolerance),
            record=AtTimes(tuple(times.tolist())),
            save=AtTimes(()),
        )
        return Curve(scaled, scaled * (solution.energy[1:] - problem.best.energy))


def smoothed(family: Family, atoms: Array, weights: Array, concentration: float) -> Array:
    """Masses at the nodes of atoms on the circle, each made a von Mises law."""
    (theta,) = family.theta
    logs = concentration * (np.cos(theta[None, :] - atoms[:, None]) - 1.0)
    each = np.stack([family.normalised(row) for row in logs])
    return np.asarray(weights @ each)


@dataclass(frozen=True)
class Bound:
    """The bound by KL for the problem with noisy samples."""

    coarser: int

    def answer(self) -> Array:
        """Times, E - E* and the least bound, in rows."""
        problem = MISFITS[0]
        curve = problem.family(problem.last, self.coarser, 1e-7 if self.coarser else 1e-8)
        family, best = problem.around(self.coarser), problem.best
        laws = [
            smoothed(family, best.points[:, 0], best.masses, concentration)
            for concentration in CONCENTRATIONS
        ]
        excess = np.array([family.excess(nu) for nu in laws])
        divergence = np.array([family.divergence(nu) for nu in laws])
        least = np.min(excess + divergence / curve.times[:, None], axis=1)
        return np.stack([curve.times, curve.values / curve.times, least])


@dataclass(frozen=True)
class Few:
    """The problem with fewer data points than the law asks for."""

    coarser: int

    def answer(self) -> Curve:
        """alpha t E."""
        return OTHERS[0].family(FEW_UNTIL, self.coarser, 1e-7 if self.coarser else 1e-8)


Task = Problem | Collapse | Bound | Few


def answer(task: Task) -> Any:
    """Of a task."""
    return task.answer()


def tasks(quick: bool) -> list[Task]:
    """All of them, the longest first."""
    problems = [
        Problem(group, index)
        for group, those in GROUPS.items()
        for index in (QUICK[group] if quick else range(len(those)))
    ]
    runs = [Collapse(alpha, tolerance) for alpha in ALPHAS for tolerance in TOLERANCES]
    return [*problems, *runs, Bound(0), Bound(1), Few(0), Few(1)]
