"""A student of ReLU neurons in two input dimensions: does birth and death pay, from equal draws?

Units c max(0, w . x) with x on the unit circle; the teacher has four neurons. (w, c) starts uniform
on [-1, 1]^3, where |w| and |c| stay bounded. Gradient descent, (A), and birth and death, (C), start
from the same draws, seed by seed.

Killing and cloning goes on by chance when all has been learnt, and keeps E up; and it makes many
neurons one, as a clone stays where its original is. Weighted particles, which follow (C) without
chance, and runs that end as gradient descent show what either costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.coefficients import PiecewiseLinear
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.plotting.student_teacher import Line, save_student_teacher_figure
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.laws import ProductLaw
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.ridge import Ridge
from meanfield_pde.problem.samples import Samples
from meanfield_pde.problem.spaces import Box
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Charged
from meanfield_pde.representations.jumps import Algorithm
from meanfield_pde.representations.particles import Particles
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.tables import table
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]

ALPHAS = (0.5, 2.0, 8.0, 32.0)

ANGLES = (0.4, 2.1, 3.5, -1.2)
"""Of the teacher's w."""

CHARGES = (1.0, -1.0, 0.8, -0.6)
"""Of the teacher's neurons."""

POINTS = 64

START = ProductLaw((Uniform(-1.0, 1.0),) * 3)

WALL = 20.0
"""No neuron gets there."""

STABLE = 0.4
"""Largest alpha dt: with more, steps overshoot once the charges have grown."""

CORNER = 1e-6
"""Before a quench alpha falls to zero within this time."""

CHUNK = 5
"""Seeds a process is given at a time."""

TIMES = (1.0, 3.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0)
"""Of the tables."""

STUCK = 0.005
"""With an energy above this at the end a neuron of the teacher is missing."""

EQUAL = 9
"""Decimals to which equal neurons agree."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seeds.

    Attributes
    ----------
    alpha : float
        0 is gradient descent.
    algorithm : "jumps" or "weights"
    number, seeds : int
        Particles, and runs.
    dt, t_end : float
    quench : float
        From then on (C) is gradient descent.
    """

    alpha: float
    algorithm: Algorithm = "jumps"
    number: int = 200
    seeds: int = 50
    dt: float = 0.05
    t_end: float = 200.0
    quench: float = math.inf

    @property
    def name(self) -> str:
        """As tables have it."""
        if self.alpha == 0.0:
            return "(A)"
        until = f" until t = {self.quench:g}" if math.isfinite(self.quench) else ""
        weights = ", weights" if self.algorithm == "weights" else ""
        return f"(C) alpha = {self.alpha:g}{until}{weights}"

    @property
    def terms(self) -> list[Transport | BirthDeath]:
        """Of the equation; a step that begins at the quench is of gradient descent alone."""
        if self.alpha == 0.0:
            return [Transport()]
        if math.isinf(self.quench):
            return [Transport(), BirthDeath(self.alpha)]
        times = (self.quench - CORNER, self.quench)
        return [Transport(), BirthDeath(PiecewiseLinear(times, (self.alpha, 0.0)))]

    @property
    def times(self) -> Array:
        """Of the records: 0, and multiples of 0.1 that are about equidistant in log t."""
        last = round(self.t_end / 0.1)
        spread = np.geomspace(1.0, last, 15 * math.ceil(math.log10(last)))
        wanted = [round(t / 0.1) for t in TIMES if t <= self.t_end]
        return 0.1 * np.unique(np.concatenate([[0, *wanted], np.round(spread)]))


@dataclass(frozen=True, eq=False)
class Runs:
    """What is kept of a group.

    Attributes
    ----------
    time : array (times,)
    energy : array (seeds, times)
    neurons : array (seeds,)
        Different ones at the end, or 1 / sum of the squares of shares of the mass.
    """

    time: Array
    energy: Array
    neurons: Array

    def at(self, time: float) -> Array:
        """E of all seeds at a record."""
        values: Array = self.energy[:, int(np.argmin(np.abs(self.time - time)))]
        return values


def problem() -> Energy:
    """Points equidistant on the circle; (w_1, w_2, c)."""
    angle = 2.0 * np.pi * np.arange(POINTS) / POINTS
    centres = tuple((math.cos(a), math.sin(a)) for a in ANGLES)
    return Energy(
        unit=Charged(Ridge("relu", inputs=2, bias=False)),
        target=Teacher(centres, CHARGES),
        data=Samples(np.column_stack([np.cos(angle), np.sin(angle)])),
        space=Box((-WALL,) * 3, (WALL,) * 3),
    )


def follow(task: tuple[Group, tuple[int, ...]]) -> list[tuple[Array, float]]:
    """E at the records, and how many neurons are left, for each seed."""
    group, seeds = task
    energy = problem()
    equation = Equation(energy, group.terms)
    record = AtTimes(tuple(group.times[:-1]))
    found = []
    for seed in seeds:
        mu = Particles(group.number, group.dt, seed, group.algorithm).project(START, energy.space)
        solution = solve(equation, mu, group.times[-1], record=record, save=AtTimes(()))
        if group.algorithm == "weights":
            share = np.exp(solution.nodes[-1][:, -1])
            neurons = float(np.sum(share) ** 2 / np.sum(share**2))
        else:
            neurons = len(np.unique(np.round(solution.measure[-1], EQUAL), axis=0))
        found.append((solution.energy, neurons))
    return found


def conduct(groups: Sequence[Group]) -> dict[Group, Runs]:
    """All groups; seed k draws the same start in all with as many particles."""
    from tqdm import tqdm

    tasks = [
        (group, tuple(range(first, min(first + CHUNK, group.seeds))))
        for group in sorted(groups, key=lambda group: -group.number)
        for first in range(0, group.seeds, CHUNK)
    ]
    with tqdm(total=sum(len(seeds) for _, seeds in tasks), desc="runs", disable=None) as bar:
        answers = all_answers(follow, tasks, lambda answer: bar.update(len(answer)))
    found = {}
    for group in groups:
        pairs = zip(tasks, answers, strict=True)
        mine = [one for task, answer in pairs if task[0] == group for one in answer]
        energies, neurons = zip(*mine, strict=True)
        found[group] = Runs(group.times, np.array(energies), np.array(neurons))
    return found


def median_interval(values: Array, confidence: float = 0.95) -> tuple[float, float, float]:
    """The median, and order statistics between which that of the law is; of few, infinity."""
    k = int(binom.ppf(0.5 * (1.0 - confidence), len(values), 0.5))
    ordered = np.sort(values)
    if k == 0:
        return float(np.median(values)), -math.inf, math.inf
    return float(np.median(values)), float(ordered[k - 1]), float(ordered[-k])


def comparison_table(title: str, found: Mapping[Group, Runs], base: Runs) -> str:
    """E, and E_C / E_A by seed: its median with an interval; in how many seeds (C) is lower."""
    t_end = next(iter(found)).t_end
    shown = [t for t in TIMES if t <= t_end]
    rows = []
    for group, runs in found.items():
        for t in shown:
            low, median, high = np.quantile(runs.at(t), (0.05, 0.5, 0.95))
            name = group.name if t == shown[0] else ""
            row = [name, f"{t:g}", f"{median:.2e}", f"{low:.1e} to {high:.1e}"]
            if group.alpha:
                ratio = runs.at(t) / base.at(t)
                middle, least, largest = median_interval(ratio)
                lower = int(np.count_nonzero(ratio < 1.0))
                row += [f"{middle:.3g}", f"{least:.3g} to {largest:.3g}"]
                row += [f"{lower} of {len(ratio)}", f"{binomtest(lower, len(ratio)).pvalue:.0e}"]
            rows.append(row + [""] * (8 - len(row)))
    header = ["", "t", "E", "5 to 95 %", "E_C / E_A", "95 %", "(C) lower", "sign test"]
    return table(title, header, rows)


def crossing(runs: Runs, base: Runs) -> tuple[float, float, float]:
    """The least median ratio and when it is; from when on the median ratio is above 1."""
    ratio = np.median(runs.energy / base.energy, axis=0)
    best = int(np.argmin(ratio))
    above = np.flatnonzero(ratio[best:] > 1.0)
    if not above.size:
        return float(ratio[best]), float(runs.time[best]), math.inf
    k = best + int(above[0])
    if ratio[max(k - 1, 0)] >= 1.0 or k == best:
        return float(ratio[best]), float(runs.time[best]), float(runs.time[best])
    share = math.log(ratio[k - 1]) / math.log(ratio[k - 1] / ratio[k])
    lead = math.log(runs.time[k] / runs.time[k - 1])
    return (
        float(ratio[best]),
        float(runs.time[best]),
        float(runs.time[k - 1] * math.exp(share * lead)),
    )


def crossing_table(found: Sequence[tuple[str, Mapping[Group, Runs], Runs]]) -> str:
    """Until when (C) wins, by how much at best, and what is left at the end."""
    rows = []
    for number, groups, base in found:
        for group, runs in groups.items():
            least, when, until = crossing(runs, base)
            numbers = [f"{least:.3g}", f"{when:.3g}", f"{until:.3g}"]
            stuck = int(np.count_nonzero(runs.energy[:, -1] > STUCK))
            left = [f"{np.median(runs.neurons):.0f}", f"{stuck} of {len(runs.energy)}"]
            rows.append([number, group.name, *numbers, *left])
    header = ["N", "", "least median E_C / E_A", "at t", "above 1 from t"]
    header += ["neurons at the end", f"E > {STUCK:g} then"]
    return table("Until when birth and death wins", header, rows)


def step_table(found: Mapping[Group, Runs], halved: Mapping[Group, Runs]) -> str:
    """What half the step does to E, seed by seed: the median of the change."""
    shown = [t for t in TIMES if t <= next(iter(halved)).t_end]
    rows = []
    for group, finer in halved.items():
        coarse = next(found[one] for one in found if one.name == group.name)
        cells = []
        for t in shown:
            change = finer.at(t) / coarse.at(t)[: group.seeds] - 1.0
            middle, low, high = median_interval(change)
            cells.append(f"{middle:+.1%} ({low:+.1%}, {high:+.1%})")
        rows.append([group.name, f"{2.0 * group.dt:g}", *cells])
    title = "Change of E by steps half as long: median and its 95 % interval"
    return table(title, ["", "dt", *(f"t = {t:g}" for t in shown)], rows)


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure, output/student_teacher.png and .pdf."""
    seeds, many = (8, 4) if quick else (50, 10)
    t_end = 50.0 if quick else 200.0
    base = Group(0.0, seeds=seeds, t_end=t_end)
    jumps = [replace(base, alpha=alpha, dt=min(base.dt, STABLE / alpha)) for alpha in ALPHAS]
    weights = [replace(group, algorithm="weights") for group in jumps]
    quenched = [replace(group, quench=0.25 * t_end) for group in jumps]
    larger = [replace(group, number=1000, seeds=many) for group in (base, *jumps)]
    sure = [replace(group, seeds=many) for group in weights]
    halved = [replace(g, dt=0.5 * g.dt, t_end=50.0) for g in (base, *jumps, *sure)]
    found = conduct([base, *jumps, *weights, *quenched, *larger, *halved])
    plain, more = found[base], found[larger[0]]
    drawn, without, ended, rest, finer = (
        {group: found[group] for group in part}
        for part in (jumps, weights, quenched, larger[1:], halved)
    )
    print(step_table({base: plain, **drawn, **without}, finer))
    print(comparison_table(f"200 neurons, {seeds} seeds", {base: plain, **drawn}, plain))
    print(comparison_table(f"200 neurons with weights, {seeds} seeds", without, plain))
    print(
        comparison_table(f"200 neurons, gradient descent at the end, {seeds} seeds", ended, plain)
    )
    print(comparison_table(f"1000 neurons, {many} seeds", {larger[0]: more, **rest}, more))
    every = [("200", drawn, plain), ("200", without, plain), ("200", ended, plain)]
    print(crossing_table([*every, ("1000", rest, more)]))
    lines, dashed, dotted = (
        [Line.of(group.name, runs.time, runs.energy, plain.energy) for group, runs in part.items()]
        for part in ({base: plain, **drawn}, without, ended)
    )
    later = [line.since(0.25 * t_end) for line in dotted]
    for path in save_student_teacher_figure(lines, dashed, later, Path("output"), ("png", "pdf")):
        print(f"wrote {path}")
