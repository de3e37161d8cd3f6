"""Particles with error bars: the mean of independent runs, refined until it has converged.

Beside the runs of the answer stand those with half as many particles, with steps twice as long, and
with coarser data or narrower cuts, of the same seeds. Where d is the mean over R seeds of how far
such a pair is apart, and s and s_d are deviations over seeds, the bar is

    sum |d|  +  q (s + sum s_d) / sqrt(R),      q the quantile of Student's t for R seeds.

The biases of steps and of the number, of first order in dt and in 1/N, are as large as what one
halving moves; all others are smaller than that. The largest part is refined: more seeds for that of
chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from meanfield_pde.accuracy import Accuracy
from meanfield_pde.case import Case
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.problem.energy import Energy
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import SCALARS, Solution
from meanfield_pde.studies.convergence import (
    Direction,
    Refined,
    directions,
    longest_span,
    places,
    too_much,
)

Array = NDArray[np.float64]
Levels = Mapping[str, int]
"""How often each direction has been refined."""

SEEDS = 8
"""To begin with."""

CONFIDENCE = 0.95
"""Of the part of chance, on both sides."""

CHANCE = Direction("seeds", lambda case: case, math.sqrt(2.0))
"""Twice the seeds."""


@dataclass(frozen=True)
class MeanOfRuns(Refined):
    """The answer so far: scalars and predictions are means over runs, positions of the first.

    Attributes
    ----------
    levels : mapping of str to int
        By direction: how often it has been refined.
    parts : mapping of str to mapping of str to array
        By observable and direction: parts of the bar.
    """

    levels: Levels = field(default_factory=dict)
    parts: Mapping[str, dict[str, Array]] = field(default_factory=dict)

    @cached_property
    def shares(self) -> dict[str, dict[str, Array]]:
        """By observable and direction: what is still missing, and chance."""
        return dict(self.parts)

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """None: orders are known, and every answer has moved in every direction."""
        return ()

    def count(self, way: str) -> int:
        """How often a direction has been refined."""
        return self.levels[way]


def refinements(
    case: Case, accuracy: Accuracy, run: Callable[[Case], Solution]
) -> Iterator[MeanOfRuns]:
    """The answer after each refinement, until it has converged, or all directions have ended.

    Parameters
    ----------
    case : Case
        Of particles; the answer has at least their number, and steps that are no longer.
    accuracy : Accuracy
    run : callable
        From a case to its solution.

    Raises
    ------
    InputError, NumericalFailure
        Whatever one of the first runs raises.
    """
    runs = _Runs(case, accuracy, run)
    levels: Levels = {way.name: 1 for way in runs.ways} | {CHANCE.name: 0}
    most, ended = accuracy.most * _work(case), dict[str, str]()
    best = runs.answer(levels)
    while True:
        best = replace(best, ended=dict(ended))
        yield best
        useful = [way for way in best.ways if way.name not in ended]
        if best.reached or best.hopeless or not useful:
            return
        way = max(useful, key=lambda way: best.part(way.name))
        levels = {**best.levels, way.name: best.levels[way.name] + 1}
        work = _seeds(levels) * _work(runs.case(levels))
        if work > most:
            ended[way.name] = too_much(work / most)
            continue
        try:
            best = replace(runs.answer(levels), refined=way.name)
        except (InputError, NumericalFailure) as error:
            ended[way.name] = str(error)


class _Runs:
    """All runs there have been, by how far each direction was refined."""

    def __init__(self, case: Case, accuracy: Accuracy, run: Callable[[Case], Solution]) -> None:
        method = _particles(case)
        # The first refinement of both leads to the case as given.
        coarse = replace(method, number=(method.number + 1) // 2, dt=2.0 * method.dt)
        self._coarsest = replace(case, accuracy=accuracy, method=coarse)
        self._accuracy, self._run = accuracy, run
        self._done: dict[tuple[int, ...], list[Solution]] = {}
        self.ways = directions(self._coarsest)

    def case(self, levels: Levels) -> Case:
        """The coarsest case refined."""
        case = self._coarsest
        for way in self.ways:
            for _ in range(levels[way.name]):
                case = way.finer(case)
        return case

    def answer(self, levels: Levels) -> MeanOfRuns:
        """Means over seeds and their bars."""
        case, names = self.case(levels), self._accuracy.observables
        fine = self._solutions(levels)
        parts: dict[str, dict[str, Array]] = {name: {} for name in names}
        rows = {name: _rows(name, fine) for name in names}
        chance = {name: _deviation(rows[name], _weights(name, case)) for name in names}
        for way in self.ways:
            below = {**levels, way.name: levels[way.name] - 1}
            coarse, coarse_case = self._solutions(below), self.case(below)
            for name in names:
                moves, weights = _moves(name, (case, fine), (coarse_case, coarse))
                parts[name][way.name] = _size(moves.mean(axis=0), weights)
                chance[name] = chance[name] + _deviation(moves, weights)
        quantile = float(stdtrit(len(fine) - 1, 0.5 * (1.0 + CONFIDENCE)))
        for name in names:
            parts[name][CHANCE.name] = quantile * chance[name]
        return MeanOfRuns(
            case=case,
            solution=_mean(fine),
            accuracy=self._accuracy,
            ways=(*self.ways, CHANCE),
            runs=sum(map(len, self._done.values())),
            levels=levels,
            parts=parts,
        )

    def _solutions(self, levels: Levels) -> list[Solution]:
        """One for each seed, run unless they have been before; only the first with positions."""
        case = self.case(levels)
        method = _particles(case)
        done = self._done.setdefault(tuple(levels[way.name] for way in self.ways), [])
        for index in range(len(done), _seeds(levels)):
            solution = self._run(replace(case, method=replace(method, seed=method.seed + index)))
            bare = replace(solution, measure=np.empty(0))
            done.append(bare if done else solution)
        return done[: _seeds(levels)]


def _seeds(levels: Levels) -> int:
    return SEEDS * 2 ** levels[CHANCE.name]


def _particles(case: Case) -> Particles:
    assert isinstance(case.method, Particles)
    return case.method


def _work(case: Case) -> float:
    """Particles times steps times data points, of one run."""
    method = _particles(case)
    points = max(case.energy().inputs.shape[0], 1)
    return method.number * points * case.time.t_end / min(method.dt, longest_span(case))


def _mean(solutions: list[Solution]) -> Solution:
    scalars = {
        name: np.mean([solution.scalars[name] for solution in solutions], axis=0)
        for name in SCALARS
    }
    prediction = np.mean([solution.prediction for solution in solutions], axis=0)
    first = solutions[0]
    seed = first.attributes.get("seed", 0)
    said = f"of {len(solutions)} runs, seeds from {seed} on; positions and moments of the first"
    attributes = {**first.attributes, "mean": said}
    return replace(first, scalars=scalars, prediction=prediction, attributes=attributes)


def _rows(name: str, solutions: list[Solution]) -> Array:
    """An observable of each run, (seeds, times, data points); a scalar is a prediction at one."""
    if name in SCALARS:
        return np.array([solution.scalars[name] for solution in solutions])[..., np.newaxis]
    return np.array([solution.prediction for solution in solutions])


def _weights(name: str, case: Case) -> Array:
    energy = case.energy()
    if name in SCALARS:
        return np.ones(1)
    assert isinstance(energy, Energy)
    return energy.data_weights


def _moves(
    name: str, fine: tuple[Case, list[Solution]], coarse: tuple[Case, list[Solution]]
) -> tuple[Array, Array]:
    """From coarse to fine, of each seed, and the weights of data points.

    Predictions at points that are not among those of the finer data are compared by sizes.
    """
    new, old = _rows(name, fine[1]), _rows(name, coarse[1])
    weights = _weights(name, coarse[0])
    if name in SCALARS:
        return new - old, weights
    known = places(coarse[1][0].layout.inputs, fine[1][0].layout.inputs)
    if known is not None:
        return new[..., known] - old, weights
    sizes = _size(new, _weights(name, fine[0])) - _size(old, weights)
    return sizes[..., np.newaxis], np.ones(1)


def _size(values: Array, weights: Array) -> Array:
    return np.asarray(np.sqrt(values**2 @ weights))


def _deviation(rows: Array, weights: Array) -> Array:
    """Of a mean over seeds, (times,)."""
    return _size(rows.std(axis=0, ddof=1), weights) / math.sqrt(len(rows))
