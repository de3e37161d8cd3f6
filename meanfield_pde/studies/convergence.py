"""A case refined, one direction at a time, until its answer has converged: values with error bars.

The directions are the cells, nodes or modes (`space`), the steps (`time`), the quadrature of the
data (`data`), the walls and the reach that cut off a line (`cuts`), and the ends of data on a line
(`range`). Each run is finer than the one before it in one direction, and as fine in all others: the
last is the answer, and the moves of each direction tell how far it still is (`accuracy.remaining`).
Every direction is refined once, then that with the largest part of the bar, again and again; a
direction whose part matters is refined twice at least, since one move alone says little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.accuracy import Accuracy, enough, remaining, rounding
from meanfield_pde.case import Case, Method
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.problem.data import Data, Line, OneInput, ProductData
from meanfield_pde.problem.density_laws import TableLaw
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.laws import MixtureLaw, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Normal, Point, Uniform
from meanfield_pde.problem.samples import SampleFile
from meanfield_pde.problem.spaces import Axis, Box, Circle, Factor, Interval, Product, Space
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import SCALARS, Solution
from meanfield_pde.timestepping.choices import estimate_order

Array = NDArray[np.float64]
Moves = Mapping[str, tuple[Array, ...]]
"""Of each observable, from coarse to fine."""

SHORTER, EMBEDDED = 2.0, 1.5
"""Times as many steps; the second of a method of order 8."""

SPECTRAL = 1e3
"""Gain by a quarter more nodes or modes, or by shorter steps of order 8; its square by twice the
data points and by wider cuts."""

TRIES = 3
"""Refinements in a row that may change nothing at all before their direction has converged."""

MATTERS = 0.1
"""Part of the bar from which a direction matters."""

ROOM = 1.5
"""Walls that only cut a line are this many reaches from the mean: nodes must not run into them."""

RESCUE = 16.0
"""Times the nodes up to which a first run that stops is refined in space."""


@dataclass(frozen=True)
class Direction:
    """One way to refine a case.

    Attributes
    ----------
    name : str
    finer : callable
        From a case to a finer one.
    gain : float
        By which one refinement can shrink an error at most.
    """

    name: str
    finer: Callable[[Case], Case]
    gain: float


def directions(case: Case) -> tuple[Direction, ...]:
    """Those in which a case can be refined."""
    splitting = case.numerics(case.method)["splitting"]
    in_time = SPECTRAL if splitting.embedded else SHORTER**splitting.order
    in_space = "number" if isinstance(case.method, Particles) else "space"
    found = [
        Direction(in_space, _finer_space, _gain_in_space(case)),
        Direction("time", _shorter_steps, in_time),
    ]
    if case.data is not None and case.data.refined() is not None:
        found.append(Direction("data", _finer_data, SPECTRAL**2))
    if _cut(case) is not None:
        found.append(Direction("cuts", _wider_space, SPECTRAL**2))
    if case.data is not None and _stretched_data(case.data) != case.data:
        found.append(Direction("range", _wider_data, SPECTRAL**2))
    return tuple(found)


def _gain_in_space(case: Case) -> float:
    """Of cells by their order, 1 on a density with jumps; of nodes exponential; of particles 2."""
    method, axes = case.method, case.space.axes
    if isinstance(method, Particles):
        return 2.0
    if not isinstance(method, FiniteVolumes):
        return SPECTRAL
    ratio = method.finer(axes).grid(axes).cells[0] / method.grid(axes).cells[0]
    smooth = all(map(_smooth, _factors(case), axes))
    return float(ratio ** (method.reconstruction.order if smooth else 1))


def _smooth(law: object, axis: Axis) -> bool:
    """Whether a law has no jump, now or when its mass leaves a wall."""
    if isinstance(law, MixtureLaw):
        return all(_smooth(part, axis) for part in law.parts)
    if isinstance(law, Uniform):
        whole = np.allclose(law.bounds(axis), (axis.lower, axis.upper))
        return axis.periodic and bool(whole)
    return isinstance(law, Normal) or (axis.periodic and not isinstance(law, Point | TableLaw))


def _finer_space(case: Case) -> Case:
    return replace(case, method=case.method.finer(case.space.axes))


def _shorter_steps(case: Case) -> Case:
    numerics = case.numerics(case.method)
    splitting, step = numerics["splitting"], numerics["step"]
    factor = EMBEDDED if splitting.embedded else SHORTER
    if isinstance(case.method, Particles):
        dt = min(case.method.dt, longest_span(case)) / factor
        return replace(case, method=replace(case.method, dt=dt))
    shorter = step.shorter(factor, estimate_order(splitting), longest_span(case))
    return replace(case, time=replace(case.time, step=shorter))


def longest_span(case: Case) -> float:
    """The longest a step can be: every one ends where something is recorded or saved."""
    numerics = case.numerics(case.method)
    ends = {t for name in ("record", "save") for t in numerics[name].times(case.time.t_end)}
    return float(np.max(np.diff(sorted(ends))))


def _finer_data(case: Case) -> Case:
    assert case.data is not None
    return replace(case, data=case.data.refined())


def _cut(case: Case) -> tuple[tuple[bool, ...], tuple[bool, ...]] | None:
    """Which parameters have walls that cut a line, and which something else that does."""
    axes, names = case.space.axes, case.energy().parameters
    normal = tuple(_normal(factor) for factor in _factors(case))
    named = None if case.accuracy is None else case.accuracy.walls
    walls = normal if named is None else tuple(name in named for name in names)
    walls = tuple(w and not axis.periodic for w, axis in zip(walls, axes, strict=True))
    reaching = normal if isinstance(case.method, Characteristics) else (False,) * len(axes)
    return (walls, reaching) if any(walls + reaching) else None


def _factors(case: Case) -> tuple[object, ...]:
    """The initial law of each parameter."""
    law, count = case.initial, len(case.space.axes)
    return law.factors if isinstance(law, ProductLaw) else (law,) * count


def _normal(law: object) -> bool:
    if isinstance(law, MixtureLaw):
        return all(map(_normal, law.parts))
    return isinstance(law, Normal)


def _wider_space(case: Case) -> Case:
    walls, reaching = _cut(case) or ((), ())
    chosen = tuple(wall or reach for wall, reach in zip(walls, reaching, strict=True))
    method: Method
    assert not isinstance(case.method, Fourier), "a circle has no walls"
    method, factors = case.method.wider(case.space.axes, chosen)
    moved = tuple(f if wall else 1.0 for f, wall in zip(factors, walls, strict=True))
    return replace(case, method=method, space=_stretched(case.space, moved))


def _unbound(case: Case) -> Case:
    """With walls that only cut a line out of the way of nodes that move."""
    walls, reaching = _cut(case) or ((), ())
    if not any(wall and reach for wall, reach in zip(walls, reaching, strict=True)):
        return case
    assert isinstance(case.method, Characteristics)
    axes, factors = case.space.axes, _factors(case)
    room = ROOM * case.method.reach
    stretches = []
    for axis, factor, wall, reach in zip(axes, factors, walls, reaching, strict=True):
        middle = 0.5 * (axis.lower + axis.upper)
        wanted = _extent(factor, middle, room) if wall and reach else 0.0
        stretches.append(max(1.0, 2.0 * wanted / axis.length))
    return replace(case, space=_stretched(case.space, tuple(stretches)))


def _extent(law: object, middle: float, deviations: float) -> float:
    """How far from a middle normal laws go."""
    if isinstance(law, MixtureLaw):
        return max(_extent(part, middle, deviations) for part in law.parts)
    assert isinstance(law, Normal)
    return abs(law.mean - middle) + deviations * law.deviation


def _stretched(space: Space, factors: tuple[float, ...]) -> Space:
    """A space with its walls moved outwards from its middle by factors."""
    if not isinstance(space, Product):
        return _stretched_factor(space, factors)
    parts, rest = [], factors
    for part in space.factors:
        count = len(part.axes)
        parts.append(_stretched_factor(part, rest[:count]))
        rest = rest[count:]
    return replace(space, factors=tuple(parts))


def _stretched_factor(space: Factor, factors: tuple[float, ...]) -> Factor:
    if isinstance(space, Circle):
        return space
    ends = [
        (0.5 * (axis.lower + axis.upper), 0.5 * axis.length * factor)
        for axis, factor in zip(space.axes, factors, strict=True)
    ]
    lower, upper = (tuple(m + sign * half for m, half in ends) for sign in (-1.0, 1.0))
    return Interval(lower[0], upper[0]) if isinstance(space, Interval) else Box(lower, upper)


def _stretched_data(data: Data) -> Data:
    """Lines with an eighth of their points more beyond each end; all else as it is."""
    if isinstance(data, ProductData):
        return replace(data, factors=tuple(map(_stretched_line, data.factors)))
    return data if isinstance(data, SampleFile) else _stretched_line(data)


def _stretched_line(data: OneInput) -> OneInput:
    if not isinstance(data, Line):
        return data
    added = max(1, round((data.points - 1) / 8))
    room = added * (data.upper - data.lower) / (data.points - 1)
    return replace(
        data, lower=data.lower - room, upper=data.upper + room, points=data.points + 2 * added
    )


def _wider_data(case: Case) -> Case:
    assert case.data is not None
    return replace(case, data=_stretched_data(case.data))


@dataclass(frozen=True)
class Refined:
    """The answer so far.

    Attributes
    ----------
    case : Case
        The finest so far.
    solution : Solution
        Of that case.
    accuracy : Accuracy
    ways : tuple of Direction
    refined : str
        The direction in which it is finer than the run before; empty of the first.
    runs : int
    moves : mapping of str to mapping of str to tuple of arrays
        By direction and observable: how much each refinement moved the answer.
    ended : mapping of str to str
        Directions that go no further, and why.
    """

    case: Case
    solution: Solution
    accuracy: Accuracy
    ways: tuple[Direction, ...]
    refined: str = ""
    runs: int = 1
    moves: Mapping[str, Moves] = field(default_factory=dict)
    ended: Mapping[str, str] = field(default_factory=dict)

    def values(self, observable: str) -> Array:
        """An observable at the record times; the size of the prediction at the save times."""
        return _values(observable, self.case, self.solution)

    @cached_property
    def shares(self) -> dict[str, dict[str, Array]]:
        """By observable and direction: what is still missing; inf where nothing is known."""
        return {
            name: {
                way.name: remaining(moves, way.gain)
                if (moves := self.moves[way.name][name])
                else np.full(self.values(name).shape, np.inf)
                for way in self.ways
            }
            for name in self.accuracy.observables
        }

    @cached_property
    def bars(self) -> dict[str, Array]:
        """By observable: the error bar at each time."""
        return {
            name: np.sum(list(shares.values()), axis=0) + rounding(self.values(name))
            for name, shares in self.shares.items()
        }

    def largest(self, name: str, bar: Array) -> float:
        """A bar over the largest size of its observable along the run."""
        scale = float(np.max(np.abs(self.values(name))))
        return float(np.max(bar)) / scale if scale > 0.0 else float(np.max(bar))

    @property
    def error(self) -> float:
        """The largest bar of all observables, relative to their sizes."""
        return max(self.largest(name, bar) for name, bar in self.bars.items())

    def part(self, direction: str) -> float:
        """The largest share of a direction, relative to sizes."""
        shares = ((name, by[direction]) for name, by in self.shares.items())
        return max(self.largest(name, share) for name, share in shares)

    @property
    def known(self) -> bool:
        """Whether the bar rests on two moves of every direction that matters."""
        return math.isfinite(self.error) and not self.unknown

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """The directions that matter and have moved too little to know their decay by.

        So has space where nodes do not resolve what is integrated over them: errors of E are about
        the square of the tail, or less, and moves small by chance.
        """
        least = MATTERS * self.error
        rough = {"space"} if self.solution.unresolved[-1] ** 2 > self.accuracy.tolerance else set()
        little = {
            way.name
            for way in self.ways
            if self.part(way.name) > least
            and not all(enough(moves, way.gain) for moves in self.moves[way.name].values())
        }
        return tuple(way for way in self.moves if way in rough | little and not self.settled(way))

    def count(self, way: str) -> int:
        """How many moves of a direction there have been."""
        return min(len(moves) for moves in self.moves[way].values())

    def settled(self, way: str) -> bool:
        """Whether a direction has ended, or its last move was rounding."""
        moves = self.moves[way]
        return way in self.ended or all(
            bool(moves[name]) and bool(np.all(moves[name][-1] <= rounding(self.values(name))))
            for name in moves
        )

    @property
    def reached(self) -> bool:
        """Whether the answer is within the tolerance, and that is known."""
        return self.known and self.error <= self.accuracy.tolerance

    @property
    def hopeless(self) -> bool:
        """Whether directions that have ended alone are above the tolerance."""
        return sum(self.part(way) for way in self.ended) > self.accuracy.tolerance


def refinements(
    case: Case, accuracy: Accuracy, run: Callable[[Case], Solution]
) -> Iterator[Refined]:
    """The answer after each run, until it has converged, or all directions have ended.

    Parameters
    ----------
    case : Case
        The coarsest; not of particles (`studies.particle_bars`).
    accuracy : Accuracy
    run : callable
        From a case to its solution.

    Raises
    ------
    InputError
        Whatever the first run raises.
    NumericalFailure
        If no run of the case comes to its end.
    """
    case = _unbound(replace(case, accuracy=accuracy))
    ways = directions(case)
    best = _first(case, accuracy, ways, run)
    most = accuracy.most * _work(best.case, best)
    yield best
    for way in ways:
        best = _step(best, way, run, most)
        yield best
    while not best.reached and not (best.known and best.hopeless):
        within = best.error <= accuracy.tolerance
        useful = [
            way
            for way in ways
            if (way.name in best.unknown if within else not best.settled(way.name))
        ]
        if not useful:
            return
        best = _step(best, max(useful, key=lambda way: best.part(way.name)), run, most)
        yield best


def _first(
    case: Case, accuracy: Accuracy, ways: tuple[Direction, ...], run: Callable[[Case], Solution]
) -> Refined:
    """The first run that comes to its end: finer ones after one that does not."""
    most = RESCUE * _nodes(case)
    nothing: Moves = dict.fromkeys(accuracy.observables, ())
    moves = {way.name: nothing for way in ways}
    while True:
        try:
            return Refined(case, run(case), accuracy, ways, moves=moves)
        except NumericalFailure:
            case = _finer_space(case)
            if _nodes(case) > most:
                raise


def _step(best: Refined, way: Direction, run: Callable[[Case], Solution], most: float) -> Refined:
    """One refinement in a direction, or the reason why there is none."""
    finer = best.case
    runs, moves = best.runs, best.moves[way.name]
    for _ in range(TRIES):
        finer = way.finer(finer)
        work = _work(finer, best)
        if work > most:
            return _ended(best, way, too_much(work / most))
        try:
            solution = run(finer)
        except (InputError, NumericalFailure) as error:
            return _ended(best, way, str(error))
        except MemoryError:
            return _ended(best, way, "not enough memory")
        runs += 1
        change = {
            name: _change(name, (best.case, best.solution), (finer, solution)) for name in moves
        }
        if any(np.any(size > 0.0) for size in change.values()):
            grown = {name: (*moves[name], change[name]) for name in moves}
            return replace(
                best,
                case=finer,
                solution=solution,
                refined=way.name,
                runs=runs,
                moves={**best.moves, way.name: grown},
            )
    unmoved = {name: (*moves[name], np.zeros(best.values(name).shape)) for name in moves}
    best = replace(best, runs=runs, moves={**best.moves, way.name: unmoved})
    return _ended(best, way, "nothing changes any more")


def _ended(best: Refined, way: Direction, why: str) -> Refined:
    return replace(best, refined=way.name, ended={**best.ended, way.name: why})


def too_much(times: float) -> str:
    """Why there is no further refinement."""
    return f"the work would be {times:.3g} times what `most` allows"


def _work(case: Case, known: Refined) -> float:
    """Nodes times steps times data points; steps and growth of nodes as of a known run."""
    points = max(case.energy().inputs.shape[0], 1)
    solution, before = known.solution, _nodes(known.case)
    grown = max([before, *map(len, solution.nodes)]) / before
    return _nodes(case) * grown * points * float(solution.steps[-1] + solution.rejections[-1])


def _nodes(case: Case) -> int:
    return int(case.method.project(case.start(), case.space).values.size)


def _values(observable: str, case: Case, solution: Solution) -> Array:
    if observable in SCALARS:
        return solution.scalars[observable]
    return np.sqrt(solution.prediction**2 @ _weights(case))


def _weights(case: Case) -> Array:
    energy = case.energy()
    assert isinstance(energy, Energy)
    return energy.data_weights


def _change(observable: str, coarse: tuple[Case, Solution], fine: tuple[Case, Solution]) -> Array:
    """How far apart two runs are; predictions in L2 of the data, or by their sizes.

    Where the points of the coarser data are not among those of the finer, only the sizes of the
    predictions can be compared.
    """
    if observable == "prediction":
        shared = places(coarse[1].layout.inputs, fine[1].layout.inputs)
        if shared is not None:
            apart = coarse[1].prediction - fine[1].prediction[:, shared]
            return np.sqrt(apart**2 @ _weights(coarse[0]))
    return np.abs(_values(observable, *coarse) - _values(observable, *fine))


def places(coarse: Array, fine: Array) -> NDArray[np.intp] | None:
    """Where points are among others; None if they are not."""
    if coarse.shape == fine.shape and np.array_equal(coarse, fine):
        return np.arange(len(coarse))
    if coarse.ndim > 1:
        return None
    order = np.argsort(fine)
    places = order[np.clip(np.searchsorted(fine[order], coarse - 1e-9), 0, fine.size - 1)]
    return places if np.allclose(fine[places], coarse, rtol=0.0, atol=1e-9) else None
