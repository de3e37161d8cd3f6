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

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from meanfield_pde.case import Case
from meanfield_pde.distances import (
    Cloud,
    heavy,
    prediction_distance,
    sliced_wasserstein,
    wasserstein,
)
from meanfield_pde.errors import InputError, require, require_type
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.trajectory import TimeUnit, Trajectory, read_trajectory
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
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]

FALSE_ALARM = 0.01
"""Chance that any entry of a comparison is off, of a run like those of the package.

Measured, by runs of the package among themselves, it is 0.8 to 2.3 per cent.
"""

MOST_PAIRS = 500_000
"""Of points of two clouds of several parameters, above which they are compared by slices."""

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


@dataclass(frozen=True, eq=False)
class Gap:
    """How far a run is from the mean field by one measure, and of which that is expected.

    Attributes
    ----------
    name : str
    run, mean_field : array (times,)
        What differs by the gap; nan for distances.
    gap : array (times,)
        A difference with its sign, or a distance.
    sampling, spread : array (times,)
        Mean and deviation of the gap of runs of the package, from the limit at their steps.
    time_step : array (times,)
        The part of the gap that comes of steps; nan where it is not known.
    solver : array (times,)
        How much the gap changes with the nodes of the mean field, or the error bar of that; nan
        where it is not known.
    low, high : array (times,)
        Between which the gap of a run as sampled is; a distance may be below.
    excess : array (times,)
        How far the run is out, over how far a run as sampled may be: off where it is above 1.
    """

    name: str
    run: Array
    mean_field: Array
    gap: Array
    sampling: Array
    spread: Array
    time_step: Array
    solver: Array
    low: Array
    high: Array
    excess: Array

    @property
    def is_distance(self) -> bool:
        """Whether it is one, and not a difference of two values."""
        return bool(np.all(np.isnan(self.run)))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run beside the mean field; printed, a table for each measure.

    Attributes
    ----------
    time : array (times,)
    gaps : tuple of Gap
        E, f[mu], moments, Wasserstein distances.
    particles : Particles
        How the runs of the package went, the first of them.
    runs : int
        Their number.
    notes : tuple of str
        What to know of how it was compared.
    """

    time: Array
    gaps: tuple[Gap, ...]
    particles: Particles
    runs: int
    notes: tuple[str, ...]

    @property
    def as_sampled(self) -> bool:
        """Whether all gaps are, at all times."""
        return all(bool(np.all(gap.excess <= 1.0)) for gap in self.gaps)

    def __getitem__(self, name: str) -> Gap:
        """The gap by a measure, by its name."""
        for gap in self.gaps:
            if gap.name == name:
                return gap
        names = ", ".join(gap.name for gap in self.gaps)
        raise InputError(f"measure = {name!r}: expected one of {names}")

    def __str__(self) -> str:
        parts = [_gap_table(self.time, gap) for gap in self.gaps]
        parts += ["", *self.notes, self.verdict]
        return "\n".join(parts)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.as_sampled:
            return "All gaps are as sampled: the run follows the mean field."
        worst = max(self.gaps, key=lambda gap: float(np.max(gap.excess)))
        at = int(np.argmax(worst.excess))
        first = min(self.time[np.argmax(gap.excess > 1.0)] for gap in self.gaps if _off(gap))
        return (
            f"The run is off the mean field, first at t = {first:.4g}, most in {worst.name}: "
            f"{worst.excess[at]:.3g} times what a run as sampled may be at t = {self.time[at]:.4g}."
        )


def _off(gap: Gap) -> bool:
    return bool(np.any(gap.excess > 1.0))


def _gap_table(time: Array, gap: Gap) -> str:
    columns = {
        "t": [f"{t:.6g}" for t in time],
        "run": [f"{value:.5e}" for value in gap.run],
        "mean field": [f"{value:.5e}" for value in gap.mean_field],
        "gap": [f"{value:.2e}" for value in gap.gap],
        "of which sampling": [
            f"{m:.1e} +- {s:.1e}" for m, s in zip(gap.sampling, gap.spread, strict=True)
        ],
        "time step": [_part(value) for value in gap.time_step],
        "solver": [_part(value) for value in gap.solver],
        "": ["as sampled" if x <= 1.0 else f"off by {x:.3g}" for x in gap.excess],
    }
    if gap.is_distance:
        del columns["run"], columns["mean field"]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return table(TITLES.get(gap.name, gap.name), list(columns), rows)


TITLES = {
    "energy": "energy E",
    "prediction": "prediction: |f[run] - f[mean field]| in L2 of the data, the distance by K",
    "W1": "Wasserstein distance W1",
    "W2": "Wasserstein distance W2",
}


def _part(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.1e}"


@dataclass(frozen=True)
class _Measure:
    """A gap between two states: a difference of values, or a distance.

    Attributes
    ----------
    root : bool
        Whether distances, or values, are like sums of squares.
    """

    name: str
    gap: Callable[[State, State], float]
    value: Callable[[State], float] | None = None
    root: bool = True

    def gaps(self, run: Sequence[State], reference: Sequence[State]) -> Array:
        """At each time."""
        return np.array([self.gap(*pair) for pair in zip(run, reference, strict=True)])

    def values(self, states: Sequence[State]) -> Array:
        """At each time; nan of a distance."""
        if self.value is None:
            return np.full(len(states), np.nan)
        return np.array([self.value(state) for state in states])


@dataclass(frozen=True)
class _Fields:
    """The mean field, the same again and the limit of many particles, where they are known."""

    known: MeanField
    again: list[State] | None
    limit: list[State] | None

    @property
    def nearest(self) -> list[State]:
        """What particles are off by chance alone."""
        return self.limit or self.again or self.known.states


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
    require(runs >= 2, "runs", runs, "at least 2")
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
    energy, particles = known.equation.energy, particles_like(own, like or known.like)
    again, why_not = solved_again(known, own.time)
    say("mean field again")
    limit, unknown = limit_of(known, particles, own)
    say("limit of many particles")
    fields = _Fields(known, again, limit)
    clouds = [state.cloud for state in (*known.states, *fields.nearest)]
    exact, sliced = _exactly(clouds, own.particles)
    measures = tuple(_measures(energy, exact))
    chance = []
    for k in range(runs):
        states = sampled(known, replace(particles, seed=particles.seed + k), own)
        chance.append([measure.gaps(states, fields.nearest) for measure in measures])
        say(f"run {k + 1} of {runs}")
    mine = states_of_run(own, energy)
    entries = len(measures) * own.time.size
    gaps = tuple(
        _parted(measure, mine, fields, np.array([one[k] for one in chance]), entries)
        for k, measure in enumerate(measures)
    )
    notes = (*_notes(own, particles, runs, unknown, why_not), *sliced)
    return Comparison(own.time, gaps, particles, runs, notes)


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


def _measures(energy: AnyEnergy, exact: bool) -> Iterator[_Measure]:
    yield _difference("energy", lambda state: state.energy)
    if isinstance(energy, Energy):

        def apart(one: State, two: State) -> float:
            return prediction_distance(one.prediction, two.prediction, energy.data_weights)

        yield _Measure("prediction", apart)
    for k, (name, axis) in enumerate(zip(energy.parameters, energy.space.axes, strict=True)):
        mean, variance = partial(_moment, 0, k), partial(_moment, 1, k)
        yield replace(_difference(f"mean of {name}", mean, axis), root=False)
        yield _difference(f"variance of {name}", variance)
    for order in (1, 2):
        distance = partial(_transport, wasserstein if exact else sliced_wasserstein, order)
        yield _Measure(f"W{order}" if exact else f"sliced W{order}", distance)


def _difference(name: str, value: Callable[[State], float], axis: Axis | None = None) -> _Measure:
    """Of two values; the shorter way round a circle."""

    def gap(one: State, two: State) -> float:
        apart = value(one) - value(two)
        if axis is None or not axis.periodic:
            return apart
        return apart - axis.length * round(apart / axis.length)

    return _Measure(name, gap, value)


def _moment(which: int, parameter: int, state: State) -> float:
    return float(state.cloud.moments()[which][parameter])


def _transport(distance: Callable[..., float], order: int, one: State, two: State) -> float:
    return distance(one.cloud, two.cloud, order)


def _exactly(clouds: list[Cloud], particles: int) -> tuple[bool, tuple[str, ...]]:
    """Whether Wasserstein distances are exact, and why not."""
    if len(clouds[0].axes) == 1:
        return True, ()
    nodes = max(heavy(cloud).masses.size for cloud in clouds)
    if nodes * particles > MOST_PAIRS:
        pairs = f"between {nodes} nodes and {particles} particles they would take long"
        return False, (f"W1 and W2 are sliced: {pairs}.",)
    if importlib.util.find_spec("ot") is None:
        install = 'pip install "meanfield_pde[transport]"'
        return False, (f"W1 and W2 are sliced: exact ones of several parameters take {install}.",)
    return True, ()


def _parted(
    measure: _Measure,
    run: list[State],
    fields: _Fields,
    chance: Array,
    entries: int,
) -> Gap:
    """A gap and its parts.

    Parameters
    ----------
    measure : Measure
    run : list of State
    fields : Fields
    chance : array (runs, times)
        Gaps of the runs of the package.
    entries : int
        Of all tables.
    """
    known, again, limit = fields.known, fields.again, fields.limit
    gap, values = measure.gaps(run, known.states), measure.values(run)
    size = float(np.max(np.abs(np.nan_to_num(values)) + np.abs(gap), initial=0.0))
    unknown = np.full(gap.shape, np.nan)
    once_more = gap if again is None else measure.gaps(run, again)
    by_chance = measure.gaps(run, fields.nearest)
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
        measure.values(fields.nearest) if measure.root and not distance else 0.0,
        FALSE_ALARM / (entries if distance else 2 * entries),
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
    count = len(chance)
    values = chance + origin
    root = root and bool(np.all(values >= 0.0))
    values = np.sqrt(values) if root else values
    middle, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    reach = float(stdtrit(count - 1, 1.0 - tail)) * math.sqrt(1.0 + 1.0 / count) * spread
    ends = middle, middle - reach, middle + reach
    if root:
        ends = middle**2, np.maximum(middle - reach, 0.0) ** 2, (middle + reach) ** 2
    return ends[0] - origin, ends[1] - origin, ends[2] - origin


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
    yield (
        "Off by x: x times as far out as a run like these may be; any entry would be by chance in "
        f"about one of {1.0 / FALSE_ALARM:.0f} comparisons."
    )
