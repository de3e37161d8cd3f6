r"""Where the optimum is not degenerate, transport with birth and death converges exponentially.

Fixed potential V, lowest at theta* with Hessian H, from a density that is positive everywhere:
E - E* decays at the smallest of::

    2 lambda_min(H)                                         the variance about theta*
    alpha (V_i - V*)                                        mass at another minimum i dies
    alpha (V_s - V*) + (sum of unstable eigenvalues)        mass at a saddle or maximum s

so that alpha stops to help beyond the alpha_c where the first is the smallest. With units and
E* > 0, the same holds for V* = dE/dmu at an optimum of atoms, with twice the first eigenvalue of
the map by which weights and places return as one more rate (`studies.linearised`).

Rates are those of - dE/dt, which is recorded as integrals over mu and needs no E*: local slopes of
its logarithm, their limit by Aitken's rule. The bar is the difference between the limits of three
windows plus that of a run with fewer nodes and looser steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.energy import Energy, PotentialEnergy
from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.optimum import optimum
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.initial_nodes import tensor_log_weights, tensor_points
from meanfield_pde.representations.rules import GaussPanels
from meanfield_pde.results.evidence import Number
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.laws import Limit
from meanfield_pde.studies.theory.aitken import aitken
from meanfield_pde.studies.theory.exponential_problems import (
    FALLS_OF_UNITS,
    LANDSCAPES,
    UNITS,
    A,
    C,
)
from meanfield_pde.studies.theory.linearised import rates_at
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

LOOKS = 32
"""Equal intervals of a run, at the ends of which it is looked at."""


ALPHAS: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Of runs with units."""


@dataclass(frozen=True)
class Run:
    """A problem by its name, at an alpha; fewer nodes and looser steps if coarse."""

    problem: str
    alpha: float
    last: float
    coarse: bool = False

    @property
    def energy(self) -> Energy | PotentialEnergy:
        """Of the problem."""
        name = self.problem
        return LANDSCAPES[name].energy if name in LANDSCAPES else UNITS[name]


@dataclass(frozen=True, eq=False)
class Course:
    """E and - dE/dt at equidistant times."""

    run: Run
    times: Array
    energy: Array
    loss: Array

    @property
    def slopes(self) -> Array:
        """Rates between the times."""
        return np.asarray(-np.diff(np.log(self.loss)) / np.diff(self.times))


def graded(axis: Axis, count: int, times: int) -> GaussPanels:
    """Gauss points on panels that halve so many times towards the upper end."""
    halved = axis.upper - axis.length / 4.0 * 0.5 ** np.arange(times + 1)
    coarse = np.linspace(axis.lower, halved[0], 5)[:-1]
    return GaussPanels(np.concatenate([coarse, halved, [axis.upper]]), count)


def started(run: Run) -> CharacteristicsMeasure:
    """The uniform law, in two parameters with nodes that are dense where mass stays behind."""
    energy = run.energy
    axes = energy.space.axes
    if len(axes) == 1:
        nodes, limit = (64, 1e-6) if run.coarse else (96, 1e-8)
        method = Characteristics(nodes, redistribute=limit, picture=0)
        return method.project(Uniform(), energy.space)
    # What stays behind at a maximum was within exp(- (A + C) t) of it at the start.
    halvings = math.ceil((A + C) * run.last / math.log(2.0))
    rules = tuple(graded(axis, 2 if run.coarse else 3, halvings) for axis in axes)
    log_weights = tensor_log_weights(rules)
    return CharacteristicsMeasure(
        axes=axes,
        rules=(rules,),
        points=tensor_points(rules),
        log_masses=log_weights - math.log(float(np.sum(np.exp(log_weights)))),
        method=Characteristics(redistribute=None, picture=0),
    )


def course(run: Run) -> Course:
    """Solve it."""
    times = np.linspace(0.0, run.last, LOOKS + 1)[1:]
    solution = solve(
        Equation(run.energy, [BirthDeath(run.alpha), Transport()]),
        started(run),
        run.last,
        step=Controlled(1e-9 if run.coarse else 1e-10),
        record=AtTimes(tuple(times.tolist())),
        save=AtTimes(()),
    )
    loss = solution.transport_dissipation + solution.birth_death_dissipation
    return Course(run, times, solution.energy[1:], loss[1:])


def settled(slopes: Array) -> Limit:
    """The limit of local rates, and its largest difference from two that are taken earlier."""
    stride = slopes.size // 8
    last = slopes.size - 1
    ends = (last, last - stride, last - 2 * stride)
    limits = [aitken(*(float(slopes[end - k * stride]) for k in (2, 1, 0))) for end in ends]
    return Limit(limits[0], max(abs(limit - limits[0]) for limit in limits))


def measured(fine: Course, coarse: Course) -> Limit:
    """The rate of a problem from two runs."""
    value, other = settled(fine.slopes), settled(coarse.slopes)
    return Limit(value.value, value.bar + abs(value.value - other.value))


@dataclass(frozen=True)
class Law:
    """What is expected of a run: its rate, and by what it is limited."""

    run: Run
    rate: float
    limited_by: str


def laws(quick: bool) -> list[Law]:
    """Of all fine runs."""
    every = slice(1, None, 2) if quick else slice(None)
    found = []
    for name, landscape in LANDSCAPES.items():
        for alpha in landscape.alphas[every]:
            way = landscape.way(alpha)
            run = Run(name, alpha, landscape.last(alpha))
            found.append(Law(run, way.rate(alpha), way.name))
    for name, energy in UNITS.items():
        best = optimum(energy)
        for alpha in ALPHAS[every]:
            rates = rates_at(energy, best, alpha)
            run = Run(name, alpha, FALLS_OF_UNITS / rates.slowest)
            found.append(Law(run, rates.slowest, rates.limited_by))
    return found


def crossing(first: tuple[float, float], second: tuple[float, float], level: float) -> float:
    """Where the line through two points (alpha, rate) reaches a level."""
    return first[0] + (level - first[1]) * (second[0] - first[0]) / (second[1] - first[1])


def threshold(alphas: Array, rates: Array, bars: Array, below: float) -> Limit:
    """alpha_c: the line through the last two rates below it, where it meets the last rate."""
    j = int(np.searchsorted(alphas, below)) - 1

    def at(signs: tuple[int, ...]) -> float:
        low, high, level = (
            rates[k] + s * bars[k] for k, s in zip((j - 1, j, -1), signs, strict=True)
        )
        return crossing((float(alphas[j - 1]), low), (float(alphas[j]), high), level)

    value = at((0, 0, 0))
    worst = max(abs(at(signs) - value) for signs in product((-1, 1), repeat=3))
    return Limit(float(value), float(worst))


def _law_curve(name: str, alphas: Array) -> Array:
    """Rates by the law, between the alphas."""
    between = np.geomspace(alphas.min(), alphas.max(), 60)
    if name in LANDSCAPES:
        landscape = LANDSCAPES[name]
        rates = [landscape.way(alpha).rate(alpha) for alpha in between.tolist()]
    else:
        best = optimum(UNITS[name])
        rates = [rates_at(UNITS[name], best, alpha).slowest for alpha in between.tolist()]
    return np.stack([between, np.array(rates)])


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """Rates over alpha, of fixed potentials and of units."""
    expected = laws(quick)
    runs = [run for law in expected for run in (law.run, replace(law.run, coarse=True))]
    courses = all_answers(
        course, runs, lambda one: tell(f"{one.run.problem}, alpha = {one.run.alpha:g}")
    )
    pairs = list(zip(courses[::2], courses[1::2], strict=True))
    rates = [measured(*pair) for pair in pairs]
    curves: dict[str, Array] = {}
    thresholds, told = [], []
    for name in (*LANDSCAPES, *UNITS):
        mine = [k for k, law in enumerate(expected) if law.run.problem == name]
        rows = np.array(
            [(expected[k].run.alpha, rates[k].value, rates[k].bar, expected[k].rate) for k in mine]
        ).T
        curves[f"rates, {name}"] = rows[:3]
        curves[f"law, {name}"] = _law_curve(name, rows[0])
        if name in LANDSCAPES and LANDSCAPES[name].energy.space.axes[1:] == ():
            below = LANDSCAPES[name].threshold
            found = threshold(rows[0], rows[1], rows[2], below)
            thresholds.append(Number(f"alpha_c, {name}", found.value, found.bar, below, "="))
        seen: set[str] = set()
        for k in mine:
            law, rate = expected[k], rates[k]
            if law.limited_by not in seen:
                seen.add(law.limited_by)
                what = f"rate, {name}, alpha = {law.run.alpha:g}, by {law.limited_by}"
                told.append(Number(what, rate.value, rate.bar, law.rate, "="))
    off = np.array([abs(r.value / law.rate - 1.0) for r, law in zip(rates, expected, strict=True)])
    bars = np.array([r.bar / law.rate for r, law in zip(rates, expected, strict=True)])
    worst = int(np.argmax(off))
    inside = int(np.sum(off <= bars))
    exact, exact_bar = 0.0, 0.0
    for fine, coarse in pairs:
        if fine.run.problem == "circle":
            solution = CircleFamily(fine.run.alpha)
            truth = np.array([1.0 + solution.energy(t) for t in fine.times])
            exact = max(exact, float(np.max(np.abs(fine.energy - truth))))
            exact_bar = max(exact_bar, float(np.max(np.abs(fine.energy - coarse.energy))))
            curves[f"energy, {fine.run.alpha:g}"] = np.stack([fine.times, fine.energy])
    numbers = (
        *thresholds,
        *told,
        Number("largest |E - exact|, circle", exact, exact_bar, 0.0, "="),
        Number(
            "largest relative difference of a rate from its law",
            float(off[worst]),
            float(bars[worst]),
        ),
        Number("rates within their bars, of all", inside / off.size, 0.0),
    )
    first, circle = thresholds[0], curves["rates, circle"]
    sentences = (
        "While mass elsewhere or the weights of atoms limit it, the rate grows with alpha, then "
        f"no more: with V = 1 - cos theta it is {circle[1][0]:.4g} at alpha = {circle[0][0]:g} and "
        f"{circle[1][-1]:.4g} at {circle[0][-1]:g}.",
        f"{inside} of {off.size} rates differ from their laws by no more than their bars, all by "
        f"at most {off[worst]:.1e}, relative; alpha_c of 1 - cos theta is {first.value:.4f} +- "
        f"{first.bar:.0e} (1/2 by the law); bars are the change of the limit from one window of "
        "local rates to the next plus that with fewer nodes and looser steps.",
        "The law needs mass near the optimum at the start and an optimum that is not degenerate "
        "(units with E* = 0 decay like t^-2); where two rates are nearly equal the local rate "
        "settles slowly, and bars are widest there.",
    )
    return Findings(numbers, curves, sentences)


CLAIM = Claim(
    name="exponential_rates",
    title="Exponential convergence, and where alpha stops to help",
    statement=(
        "With transport and birth-death, E - E* decays exponentially where the optimum is not "
        "degenerate; the rate is the smallest of a few explicit ones, and grows with alpha only up "
        "to some alpha_c."
    ),
    hypotheses=(
        "V (or V* = dE/dmu at the optimum, E* > 0) lowest in points inside the space with positive "
        "definite Hessian, other critical points non-degenerate, a start positive everywhere."
    ),
    source="derived",
    minutes=(0.3, 1.0),
    measure=measure,
)
