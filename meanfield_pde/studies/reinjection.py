"""Bad initialisation with reinjection: when particles leave the plateau, and what they inject.

Under (D) neurons are reborn where the mean of V is positive. Algorithm 2 does so whenever more
particles were killed than cloned, by chance too: it injects where the equation does not. Along a
run the expected number of missing particles, given where all of them are, is known,

    missing = sum_i (1 - mean copies of i),

so that what is injected has two parts: the sum of max(missing, 0) / N, since Vbar is positive, and
the rest, the noise of counts. The equation injects alpha int max(Vbar, 0) dt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath, Reinjection
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.jumps import log_mean_copies
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies import paper
from meanfield_pde.studies.plateau import LEVEL, first_below, leaving_time
from meanfield_pde.studies.tables import table
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import Splitting, Strang
from meanfield_pde.timestepping.step_size import Fixed

Array = NDArray[np.float64]

T_END = 100.0
DT = 0.01
EVERY = 5
"""Steps between two looks at the energy."""

WINDOW = 20.0
"""Until when injections are counted: the mean field is still on the plateau."""

NUMBERS = tuple(100 * 2**k for k in range(8))


class Task(NamedTuple):
    """Some runs of one size."""

    number: int
    seeds: tuple[int, ...]
    t_end: float


@dataclass(frozen=True)
class Run:
    """One run of Algorithm 2.

    Attributes
    ----------
    number : int
    leaves : float
        When E falls below `LEVEL`; infinite if it does not.
    time, injected, expected : arrays (looks,)
        Up to when E fell below: the mass injected so far, and of it what was expected, step by
        step, from where the particles were.
    """

    number: int
    leaves: float
    time: Array
    injected: Array
    expected: Array

    def mass(self, kind: str, until: float = WINDOW) -> float:
        """Injected by a time, or by when the plateau was left; kind: "injected" or "expected"."""
        values: Array = getattr(self, kind)
        return float(np.interp(until, self.time, values))


def problem() -> tuple[Equation, BirthDeath, Transport]:
    """The equation (D) and its terms; walls where no neuron gets."""
    energy = paper.energy(charge_range=14.0, location_range=8.0)
    transport = Transport()
    birth_death = BirthDeath(paper.ALPHA, Reinjection(paper.REBORN))
    return Equation(energy, [transport, birth_death]), birth_death, transport


def mean_field(splitting: Splitting, dt: float, nodes: int, t_end: float) -> Solution:
    """Along characteristics: `nodes` for y, of the start and of the law of rebirth."""
    equation, _, _ = problem()
    method = Characteristics((nodes, 32), picture=0)
    mu = method.project(paper.BAD_INITIALISATION, equation.energy.space)
    return solve(
        equation,
        mu,
        t_end,
        splitting=splitting,
        step=Fixed(dt),
        record=EveryTime(0.25),
        save=AtTimes(()),
    )


def injected_mass(solution: Solution) -> Array:
    """alpha int max(Vbar, 0) dt at the record times."""
    rates = paper.ALPHA * np.maximum(solution.mean_potential, 0.0)
    steps = 0.5 * np.diff(solution.time) * (rates[1:] + rates[:-1])
    return np.concatenate([[0.0], np.cumsum(steps)])


def follow(number: int, seed: int, t_end: float = T_END) -> Run:
    """A run, as `solve` has it, and what each step was expected to inject.

    E is looked at after transport, before particles are killed and cloned.
    """
    equation, birth_death, transport = problem()
    method = Particles(number, DT, seed)
    mu = method.project(paper.BAD_INITIALISATION, equation.energy.space)
    landscape = mu.landscape(equation.energy)
    exposure, law = paper.ALPHA * DT, paper.REBORN
    looks = [(0.0, 0.0, 0.0)]
    expected, energies = 0.0, [landscape.at(mu).energy]
    for step in range(1, round(t_end / DT) + 1):
        time = step * DT
        moved = transport.flow(mu, landscape, time - DT, DT).measure
        field = landscape.at(moved)
        factors = birth_death.balance.factors(field, exposure, method.algorithm)
        missing = -float(np.sum(np.expm1(log_mean_copies(method.algorithm, factors))))
        expected += max(missing, 0.0) / number
        mu = moved.jumped(factors, law)  # type: ignore[union-attr]
        if step % EVERY == 0:
            looks.append((time, mu.reborn / number, expected))
            energies.append(field.energy)
            if field.energy < LEVEL:
                break
    time, injected, expected = np.array(looks).T
    return Run(number, first_below(time, np.array(energies)), time, injected, expected)


def _follow(task: Task) -> list[Run]:
    return [follow(task.number, seed, task.t_end) for seed in task.seeds]


def runs(
    numbers: tuple[int, ...], seeds: int, t_end: float, ended: Callable[[int], object]
) -> dict[int, list[Run]]:
    """By number of particles, in the order of seeds, whatever the number of processes."""
    chunk = 4
    tasks = [
        Task(number, tuple(range(start, min(start + chunk, seeds))), t_end)
        for number in sorted(numbers, reverse=True)
        for start in range(0, seeds, chunk)
    ]
    answers = all_answers(_follow, tasks, lambda answer: ended(len(answer)))
    every = [run for answer in answers for run in answer]
    return {number: [run for run in every if run.number == number] for number in numbers}


def main(quick: bool = False) -> None:
    """Print the tables, draw the figure."""
    from tqdm import tqdm

    from meanfield_pde.plotting import write_figure
    from meanfield_pde.plotting.reinjection import reinjection_figure

    exact, limit = _deterministic(quick)
    numbers = (100, 400) if quick else NUMBERS
    seeds, t_end = (8, 40.0) if quick else (64, T_END)
    with tqdm(total=seeds * len(numbers), desc="runs", disable=None) as bar:
        found = runs(numbers, seeds, t_end, bar.update)
    _times(found, leaving_time(limit), t_end)
    _injections(found, limit)
    figure = reinjection_figure(
        {number: np.array([run.leaves for run in part]) for number, part in found.items()},
        leaving_time(exact),
        {
            number: _paths(part, WINDOW)
            for number, part in found.items()
            if number in (numbers[1], numbers[-1])
        },
        (limit.time, injected_mass(limit)),
        WINDOW,
        LEVEL,
    )
    for form in ("png", "pdf"):
        print(f"wrote {write_figure(figure, Path('output') / f'reinjection.{form}', form)}")


def _deterministic(quick: bool) -> tuple[Solution, Solution]:
    """The equation, and the limit of steps of dt."""
    ladder = ((0.1, 64),) if quick else ((0.1, 64), (0.05, 64), (0.05, 48), (0.05, 96))
    rows, best = [], None
    for dt, nodes in ladder:
        best = mean_field(Strang(), dt, nodes, 24.0)
        rows.append(["equation", f"{dt:g}", f"{nodes}", f"{leaving_time(best):.4f}"])
    limits = [
        mean_field(ParticleLimit(), dt, 64, 24.0) for dt in ((DT,) if quick else (2.0 * DT, DT))
    ]
    for limit in limits:
        dt = float(limit.step[-1])
        rows.append(["limit of Algorithm 2", f"{dt:g}", "64", f"{leaving_time(limit):.4f}"])
    header = ["", "dt", "nodes for y", f"E = {LEVEL:g} at t"]
    print(table("(D) along characteristics", header, rows))
    assert best is not None
    return best, limits[-1]


def _times(found: dict[int, list[Run]], limit: float, t_end: float) -> None:
    rows = []
    for number, part in found.items():
        leaves = np.array([run.leaves for run in part])
        quartiles = np.quantile(leaves, [0.05, 0.25, 0.5, 0.75, 0.95], method="nearest")
        away = leaves[np.isfinite(leaves)]
        rows.append(
            [
                f"{number}",
                *(f"{q:.2f}" for q in quartiles),
                f"{away.mean():.2f}",
                f"{away.std(ddof=1):.2f}",
                f"{np.count_nonzero(np.isinf(leaves))}",
                f"{len(part)}",
            ]
        )
    title = (
        f"Algorithm 2, dt = {DT:g}: E = {LEVEL:g} at t (limit {limit:.2f}; runs end at {t_end:g})"
    )
    header = ["N", "5 %", "25 %", "median", "75 %", "95 %", "mean", "sd", "never", "runs"]
    print(table(title, header, rows))


def _paths(part: list[Run], until: float) -> tuple[Array, Array, Array]:
    """Times, and means over runs of the injected and the expected mass; each stays at its end."""
    time = np.linspace(0.0, until, 201)
    injected, expected = (
        np.mean([np.interp(time, run.time, getattr(run, kind)) for run in part], axis=0)
        for kind in ("injected", "expected")
    )
    return time, injected, expected


def _injections(found: dict[int, list[Run]], limit: Solution) -> None:
    until = min(WINDOW, float(limit.time[-1]))
    known = injected_mass(limit)
    whole = float(np.interp(until, limit.time, known))
    rows = []
    for number, part in found.items():
        ends = np.minimum(until, [run.time[-1] for run in part])
        mass = float(np.mean(np.interp(ends, limit.time, known)))
        injected, expected = (
            np.array([run.mass(kind, until) for run in part]) for kind in ("injected", "expected")
        )
        total, sight = float(injected.mean()), float(expected.mean())
        rows.append(
            [
                f"{number}",
                f"{total:.4f}",
                f"{injected.std(ddof=1) / math.sqrt(len(part)):.4f}",
                f"{sight / total:.1%}",
                f"{1.0 - sight / total:.1%}",
                f"{total / mass:.1f}",
            ]
        )
    title = (
        f"Mass injected until t = {until:g}, or until E = {LEVEL:g}; alpha int max(Vbar, 0) dt = "
        f"{whole:.4f} of the mean field"
    )
    header = ["N", "mass", "s.e.", "Vbar > 0", "noise of counts", "times the mean field's"]
    print(table(title, header, rows))
