"""Runs beside each other: two of the same physics, and a run of the user's own.

A run of N particles with steps of dt is off the mean field by chance (of N draws and of jumps), by
its steps, and by the error of the mean field itself. With g a measure of the gap, mu the solution,
mu' the same by other nodes and mu_dt, by these nodes, the limit of infinitely many particles at
steps of dt (`ParticleLimit`),

    g(run, mu) = g(run, mu_dt) + [g(run, mu') - g(run, mu_dt)] + [g(run, mu) - g(run, mu')]
                 sampling        time step                       solver

The first part is as sampled if it lies where those of independent runs of the package do: within
the interval for one more of them, as if the square roots of distances, energies and variances (of
sums of squares) and everything else were normal, to which the part of the solver is added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from meanfield_pde.case import Case
from meanfield_pde.errors import InputError, require, require_type
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.time_unit import TimeUnit
from meanfield_pde.results.trajectory import Trajectory
from meanfield_pde.results.trajectory_files import read_trajectory
from meanfield_pde.studies.counterparts import (
    MeanField,
    State,
    at_save_times,
    fitted,
    limit_of,
    mean_field_of_case,
    mean_field_of_solution,
    particles_like,
    sampled,
    solved_again,
    states_of_run,
)
from meanfield_pde.studies.gaps import Comparison, Gap
from meanfield_pde.studies.measures import Measure, exactly, measures_of

Array = NDArray[np.float64]

FALSE_ALARM = 0.01
"""Chance that any entry of a comparison is off, of a run like those of the package.

Measured, by runs of the package among themselves, it is 0.8 to 2.3 per cent.
"""

LEAST_RUNS = 8
"""Of the package: fewer know their own deviation so badly that hardly any run is off.

Measured, of 40 runs at half the learning rate all are off by 8 runs, 25 by 4, and 9 by 3.
"""

SOLUTIONS = 3
"""Besides the runs: mean field, mean field again, limit of many particles."""

ROUNDING = 1e-12
"""Smallest gap that is seen, over the values that differ by it."""

SMALLEST = 1e-100
"""Of values that are seen."""


def comparison_table(first: Solution, second: Solution) -> str:
    """Energies of both at the save times of the first, and their difference."""
    rows = [
        f"{'t':>8}  {'E, ' + first.layout.representation:>18}  "
        f"{'E, ' + second.layout.representation:>14}  {'difference':>11}"
    ]
    times = [t for t in first.snapshot_time if np.any(np.isclose(second.time, t, rtol=1e-9))]
    pairs = zip(times, first.at("energy", times), second.at("energy", times), strict=True)
    for time, one, two in pairs:
        rows.append(f"{time:8.4g}  {one:18.6e}  {two:14.6e}  {two - one:11.2e}")
    return "\n".join(rows)


@dataclass(frozen=True)
class Expected:
    """What runs that are alike are compared with.

    Attributes
    ----------
    known : MeanField
    again, limit : list of State, one a time, or None
        The mean field by other nodes, and the limit of infinitely many particles.
    particles : Particles
        How the runs of the package went, the first of them.
    measures : tuple of Measure
    chance : array (runs, measures, times)
        Gaps of the runs of the package.
    notes : tuple of str
    """

    known: MeanField
    again: list[State] | None
    limit: list[State] | None
    particles: Particles
    measures: tuple[Measure, ...]
    chance: Array
    notes: tuple[str, ...]

    @property
    def nearest(self) -> list[State]:
        """What particles are off by chance alone."""
        return self.limit or self.again or self.known.states

    @property
    def tail(self) -> float:
        """Chance of an entry of a distance to be off; of other entries, on each side half of it."""
        _, measures, times = self.chance.shape
        return FALSE_ALARM / (measures * times)


def compare(
    mean_field: Solution | Case,
    run: Trajectory | Solution,
    *,
    runs: int = 16,
    times: int = 8,
    start: AnyLaw | None = None,
    like: Particles | None = None,
    tell: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare particles of the user's own with the mean field.

    Parameters
    ----------
    mean_field : Solution or Case
        A solution is compared at those of its save times that are times of the run; a case is
        solved at the run's own times, along characteristics if its method is particles.
    run : Trajectory or Solution
        A solution must be one of particles.
    runs : int
        Of the package, with as many particles, the same steps where they are known, and weights
        that change if those of the run do.
    times : int
        The most at which they are compared, of those there are.
    start : Law, optional
        The initial law, of a solution that was not read from the file of a case; without it
        particles are drawn from the density at time 0.
    like : Particles, optional
        Algorithm, batch and steps (where those of the run are not known) of the runs of the
        package; unless given, those of the case, or of `Particles()`.
    tell : callable, optional
        Called with a few words after each solution.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If run and mean field do not fit together.
    NumericalFailure
        If a solution breaks.
    """
    require_type("mean_field", mean_field, (Solution, Case), "a Solution or a Case")
    require_type("run", run, (Trajectory, Solution), "a Trajectory, or a Solution of particles")
    require(runs >= LEAST_RUNS, "runs", runs, f"at least {LEAST_RUNS}")
    say = tell or (lambda words: None)
    own = Trajectory.from_solution(run) if isinstance(run, Solution) else run
    if isinstance(mean_field, Case):
        own = fitted(own.thinned(times), mean_field.equation(mean_field.method))
        known = mean_field_of_case(mean_field, own.time)
    else:
        own = at_save_times(own, mean_field).thinned(times)
        known = mean_field_of_solution(mean_field, own.time, start)
        own = fitted(own, known.equation)
    say("mean field")
    return _beside(_expected(known, own, runs, like, say), own)


def compare_all(
    case: Case,
    given: Mapping[Path, Trajectory],
    runs: int,
    progress: Callable[[str, int], AbstractContextManager[Callable[[str], None]]],
) -> Iterator[tuple[Path, Comparison]]:
    """Compare what `read_runs` has read; those that are alike, with the same runs of the package.

    Parameters
    ----------
    case : Case
    given : mapping of path to Trajectory
    runs : int
        Of the package.
    progress : callable
        Called with a name and a number of solutions: what `compare` calls after each of them.
    """
    expected: dict[Hashable, Expected] = {}
    for path, run in given.items():
        alike = _likeness(run)
        if alike not in expected:
            with progress(path.name, runs + SOLUTIONS) as tell:
                known = mean_field_of_case(case, run.time)
                tell("mean field")
                expected[alike] = _expected(known, run, runs, None, tell)
        yield path, _beside(expected[alike], run)


def _likeness(run: Trajectory) -> Hashable:
    """What a run is compared with depends on this of it alone."""
    weights = None if run.weights is None else run.weights.tobytes()
    return run.time.tobytes(), run.particles, run.step, weights


def _expected(
    known: MeanField,
    run: Trajectory,
    runs: int,
    like: Particles | None,
    tell: Callable[[str], None],
) -> Expected:
    particles = particles_like(run, like or known.like)
    again, why_not = solved_again(known, run.time)
    tell("mean field again")
    limit, unknown = limit_of(known, particles, run)
    tell("limit of many particles")
    nearest = limit or again or known.states
    exact, sliced = exactly([s.cloud for s in (*known.states, *nearest)], run.particles)
    measures = tuple(measures_of(known.equation.energy, exact))
    chance = np.empty((runs, len(measures), run.time.size))
    for k in range(runs):
        states = sampled(known, replace(particles, seed=particles.seed + k), run)
        chance[k] = [measure.gaps(states, nearest) for measure in measures]
        tell(f"run {k + 1} of {runs}")
    notes = (*_notes(run, particles, runs, unknown, why_not), *sliced)
    return Expected(known, again, limit, particles, measures, chance, notes)


def _beside(expected: Expected, run: Trajectory) -> Comparison:
    """A run that fits the equation beside what is expected of those like it."""
    states = states_of_run(run, expected.known.equation.energy)
    runs, side = len(expected.chance), 0.5 * expected.tail
    width = _width(runs, side)
    reach = (
        f"Off by x: x times as far out as a run like these may be, {width:.2g} of their deviations "
        f"({ndtri(1.0 - side):.2g} by infinitely many runs); any entry would be by chance in about "
        f"one of {1.0 / FALSE_ALARM:.0f} comparisons."
    )
    return Comparison(
        time=run.time,
        gaps=tuple(_parted(expected, k, states) for k in range(len(expected.measures))),
        particles=expected.particles,
        runs=runs,
        width=width,
        notes=(*expected.notes, reach),
    )


def read_runs(
    case: Case,
    paths: Sequence[str | Path],
    unit: TimeUnit | None,
    every: float | None,
    order: str | None,
    times: int,
) -> dict[Path, Trajectory]:
    """Runs from files (`read_trajectory`), at so many of their times.

    Raises
    ------
    InputError
        If one of them cannot be read, or is no run of the case: the sentence names the file.
    """
    equation, runs = case.equation(case.method), {}
    for path in map(Path, paths):
        run = read_trajectory(path, unit, every=every, order=order)
        try:
            runs[path] = fitted(run.thinned(times), equation)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return runs


def _parted(expected: Expected, number: int, run: list[State]) -> Gap:
    """The gap by one of the measures, and its parts."""
    known, again, limit = expected.known, expected.again, expected.limit
    measure, chance = expected.measures[number], expected.chance[:, number]
    gap, values = measure.gaps(run, known.states), measure.values(run)
    size = float(np.max(np.abs(np.nan_to_num(values)) + np.abs(gap), initial=0.0))
    unknown = np.full(gap.shape, np.nan)
    once_more = gap if again is None else measure.gaps(run, again)
    by_chance = measure.gaps(run, expected.nearest)
    solver = unknown if again is None else gap - once_more
    time_step = unknown if again is None or limit is None else once_more - by_chance
    solver, time_step, mean_field = (
        np.where(np.abs(part) < ROUNDING * size, 0.0, part)
        for part in (solver, time_step, measure.values(known.states))
    )
    solver = known.bars.get(measure.name, solver)
    slack = np.abs(np.nan_to_num(solver)) + ROUNDING * max(size, SMALLEST)
    distance = measure.value is None
    centre, low, high = _interval(
        chance,
        measure.values(expected.nearest) if measure.root and not distance else 0.0,
        expected.tail if distance else 0.5 * expected.tail,
        measure.root,
    )
    low, high = low - slack, high + slack
    above = (by_chance - centre) / (high - centre)
    below = (centre - by_chance) / (centre - low)
    return Gap(
        name=measure.name,
        run=values,
        mean_field=mean_field,
        gap=gap,
        sampling=chance.mean(axis=0),
        spread=chance.std(axis=0, ddof=1),
        time_step=time_step,
        solver=solver,
        low=low + gap - by_chance,
        high=high + gap - by_chance,
        excess=by_chance / high if distance else np.maximum(above, below),
    )


def _interval(
    chance: Array, origin: Array | float, tail: float, root: bool
) -> tuple[Array, Array, Array]:
    """Middle and ends of the interval that one more value is in, but for a tail on each side.

    Parameters
    ----------
    chance : array (runs, times)
    origin : array (times,)
        What is added to have numbers that are positive by nature.
    tail : float
    root : bool
        Whether the square roots of the sums are taken as normal, where they have some.
    """
    values = chance + origin
    root = root and bool(np.all(values >= 0.0))
    values = np.sqrt(values) if root else values
    middle, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    reach = _width(len(values), tail) * spread
    ends = middle, middle - reach, middle + reach
    if root:
        ends = middle**2, np.maximum(middle - reach, 0.0) ** 2, (middle + reach) ** 2
    return ends[0] - origin, ends[1] - origin, ends[2] - origin


def _width(runs: int, tail: float) -> float:
    """How many deviations of so many runs one more is from their mean, but for a tail."""
    return float(stdtrit(runs - 1, 1.0 - tail)) * math.sqrt(1.0 + 1.0 / runs)


def _notes(
    run: Trajectory, particles: Particles, runs: int, no_limit: str, not_again: str
) -> Iterator[str]:
    step = f"steps of {particles.dt:g}"
    if run.step is None:
        step += " (those of the run are not known)"
    elif particles.dt > run.step:
        step += f" (those of the run, {run.step:g}, are too many)"
    yield (
        f"Sampling: mean and deviation of {runs} runs of the package, {run.particles} particles, "
        f"{step}, algorithm {particles.algorithm!r}."
    )
    if not_again:
        yield f"The part of the solver is unknown: {not_again}."
    if no_limit:
        yield f"The part of the time step is unknown, and in the sampling: {no_limit}."
