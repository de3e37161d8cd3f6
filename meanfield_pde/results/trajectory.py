"""Runs of the user's own: positions of particles in time, from arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.time_unit import MEAN_FIELD, NO_UNIT, TimeUnit

Array = NDArray[np.float64]

AXES = ("times", "particles", "parameters")
"""What the axes of positions are, in the order that is read unless another one is named."""

WHOLE = 1e-5
"""Largest distance of the sum of weights from one, and of equal ones from their mean, over it."""


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """Particles at some times, in the units of the mean-field equation; see `Trajectory.of`.

    Attributes
    ----------
    time : array (times,)
        Mean-field time.
    positions : array (times, particles, parameters)
        Of "1/sqrt(N)" outputs the last parameter is sqrt(N) times the charge that was given.
    weights : array (times, particles), or (particles,) if they stay, or None if all are 1 / N
        Their sum is one.
    unit : TimeUnit
        What was stated of the times.
    parameters : tuple of str
        Names, where the file had some.

    Raises
    ------
    InputError
        If numbers are not finite, shapes do not fit, times do not increase, or weights do not sum
        to one.
    """

    time: Array
    positions: Array
    weights: Array | None = None
    unit: TimeUnit = MEAN_FIELD
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        times, particles, count = _checked_shape(self.positions)
        require(self.time.shape == (times,), "shape of times", self.time.shape, f"({times},)")
        _require_finite("times", self.time)
        for index in range(1, times):
            before, after = self.time[index - 1 : index + 1].tolist()
            name = f"time number {index + 1}"
            require(after > before, name, after, f"more than the one before it, {before:g}")
        require(self.time[0] >= 0.0, "first time", float(self.time[0]), "a time >= 0")
        _require_finite("positions", self.positions)
        named = len(self.parameters) in (0, count)
        require(named, "parameters", self.parameters, f"{count} names, one a parameter")
        if self.weights is not None:
            self._check_weights(self.weights, times, particles)
            if np.allclose(self.weights, 1.0 / particles, rtol=WHOLE, atol=0.0):
                object.__setattr__(self, "weights", None)

    def _check_weights(self, weights: Array, times: int, particles: int) -> None:
        shapes = (particles,), (times, particles)
        expected = f"(particles,) = ({particles},) or (times, particles) = ({times}, {particles})"
        require(weights.shape in shapes, "shape of weights", weights.shape, expected)
        _require_finite("weights", weights)
        lightest = float(weights.min())
        require(lightest >= 0.0, "smallest weight", lightest, "a number >= 0")
        sums = np.atleast_1d(weights.sum(axis=-1))
        worst = float(sums[np.argmax(np.abs(sums - 1.0))])
        require(abs(worst - 1.0) <= WHOLE, "sum of weights", worst, "1, at every time")

    def __repr__(self) -> str:
        return (
            f"Trajectory of {self.particles} particles, {self.time.size} times, "
            f"t = {self.time[0]:.6g} to {self.time[-1]:.6g}"
        )

    @classmethod
    def of(
        cls,
        positions: ArrayLike,
        unit: TimeUnit | None = None,
        *,
        time: ArrayLike | None = None,
        steps: ArrayLike | None = None,
        every: float | None = None,
        weights: ArrayLike | None = None,
        order: str | Sequence[str] | None = None,
        parameters: Sequence[str] = (),
    ) -> Trajectory:
        """A run from arrays.

        Parameters
        ----------
        positions : array (times, particles, parameters)
        unit : TimeUnit
            Of the times; there is no default.
        time : array (times,)
            Mean-field times, of a unit "mean_field".
        steps : array (times,)
            Instead of `time`: numbers of steps; of "mean_field" with a `step`, too.
        every : float
            Instead of `steps`: 0, every, 2 every, ...
        weights : array (times, particles) or (particles,), optional
        order : str or sequence of str, optional
            Of the axes of positions where it is another one, such as "particles, times,
            parameters"; "parameters" may be left out where there is one and no such axis. Weights
            of two axes have theirs in the same order.
        parameters : sequence of str, optional
            Names.

        Raises
        ------
        InputError
            If something is missing, ambiguous or wrong: one sentence, with the choices.
        """
        if unit is None:
            raise InputError(NO_UNIT)
        given = numbers("positions", positions)
        named = None if order is None else _named_order(order)
        if named is None:
            known = next((np.size(part) for part in (time, steps) if part is not None), None)
            _require_unambiguous(given.shape, known)
            named = AXES
        require(given.ndim == len(named), "shape of positions", given.shape, f"axes {named}")
        if "parameters" not in named:
            given, named = given[..., np.newaxis], (*named, "parameters")
        arranged = np.moveaxis(given, [named.index(name) for name in AXES], range(3))
        count, particles, _ = arranged.shape
        masses = None if weights is None else numbers("weights", weights)
        if masses is not None and masses.ndim == 2 and named.index("times") > named.index(AXES[1]):
            masses = masses.T
        if unit.output == "1/sqrt(N)":
            arranged = arranged.copy()
            arranged[..., -1] *= math.sqrt(particles)
        when = _mean_field_times(unit, count, particles, time, steps, every)
        return cls(when, arranged, masses, unit, tuple(parameters))

    @classmethod
    def from_solution(cls, solution: Solution) -> Trajectory:
        """The particles of a solution at its save times; `InputError` if it has none."""
        layout = solution.layout
        expected = "particles, to be compared with a mean field"
        require(layout.particles > 0, "representation", layout.representation, expected)
        weights = None
        if solution.nodes:
            weights = np.exp([nodes[:, -1] for nodes in solution.nodes])
        step = float(np.max(solution.scalars["step"]))
        unit = TimeUnit("mean_field", step if step > 0.0 else None)
        return cls(solution.snapshot_time, solution.measure, weights, unit, layout.parameters)

    @property
    def particles(self) -> int:
        """Their number."""
        return self.positions.shape[1]

    @property
    def step(self) -> float | None:
        """The mean-field time of one step, where it is known."""
        return self.unit.time_of_step(self.particles)

    def weights_at(self, index: int) -> Array:
        """The masses of the particles at one of the times, (particles,)."""
        if self.weights is None:
            return np.full(self.particles, 1.0 / self.particles)
        return self.weights if self.weights.ndim == 1 else self.weights[index]

    def at(self, chosen: NDArray[np.intp]) -> Trajectory:
        """At those of the times that have these indices."""
        changing = self.weights is not None and self.weights.ndim == 2
        weights = self.weights[chosen] if changing and self.weights is not None else self.weights
        return replace(
            self, time=self.time[chosen], positions=self.positions[chosen], weights=weights
        )

    def thinned(self, most: int) -> Trajectory:
        """At most so many of the times, the first and the last among them."""
        require(most >= 2, "times", most, "at least 2 to compare at")
        even = np.linspace(0, self.time.size - 1, min(most, self.time.size)).round()
        return self.at(even.astype(np.intp))

    def arranged(self, names: Sequence[str]) -> Trajectory:
        """With its parameters in this order; raises `InputError` unless it has all of them."""
        count = self.positions.shape[2]
        expected = f"{len(names)}, of {', '.join(names)}"
        require(count == len(names), "number of parameters of positions", count, expected)
        if not self.parameters or self.parameters == tuple(names):
            return self
        same = sorted(self.parameters) == sorted(names)
        require(same, "parameters", ", ".join(self.parameters), ", ".join(names))
        columns = [self.parameters.index(name) for name in names]
        return replace(self, positions=self.positions[..., columns], parameters=tuple(names))


def _mean_field_times(
    unit: TimeUnit,
    count: int,
    particles: int,
    time: ArrayLike | None,
    steps: ArrayLike | None,
    every: float | None,
) -> Array:
    given = [
        name
        for name, value in (("time", time), ("steps", steps), ("every", every))
        if value is not None
    ]
    expected = "one of 'time', 'steps' and 'every'"
    require(len(given) < 2, "times by", " and ".join(given), expected)
    if not given:
        raise InputError(
            f"times are missing: expected {expected} (positions are saved every so many steps)"
        )
    if time is not None:
        wanted = "'steps' (their numbers), since the time unit is 'steps'"
        require(unit.kind == "mean_field", "times by", "time", wanted)
        return numbers("time", time)
    dt = unit.time_of_step(particles)
    if dt is None:
        raise InputError("step is missing: expected the mean-field time of one, to count steps by")
    if steps is not None:
        return dt * numbers("steps", steps)
    assert every is not None
    require(0.0 < every < math.inf, "every", every, "a positive number of steps")
    return dt * every * np.arange(count, dtype=np.float64)


def _named_order(order: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(n.strip() for n in (order.split(",") if isinstance(order, str) else order))
    complete = sorted(names) in (sorted(AXES), sorted(AXES[:2]))
    require(complete, "order", ", ".join(names), f"{', '.join(AXES)} in some order")
    return names


def _require_unambiguous(shape: tuple[int, ...], times: int | None) -> None:
    """Raise `InputError` unless a shape can be read as `AXES` say, and in no other way."""
    if len(shape) != 3:
        raise InputError(
            f"shape of positions = {shape}: expected (times, particles, parameters), or an order "
            "that is named, such as 'times, particles' of one parameter"
        )
    if times is not None and shape[0] != times:
        readings = [p for p in permutations(AXES) if shape[p.index("times")] == times]
        choices = _listed(readings) or f"an axis of {times} times"
        raise InputError(
            f"shape of positions = {shape}: expected (times, particles, parameters) with {times} "
            f"times, or as order {choices}"
        )
    same = [p for p in permutations(AXES) if tuple(shape[p.index(n)] for n in AXES) == shape]
    # Axes of one entry may change places: nothing else does.
    same = [p for p in same if p == AXES or any(shape[k] > 1 and p[k] != AXES[k] for k in range(3))]
    if len(same) > 1:
        raise InputError(
            f"shape of positions = {shape} can be read in more than one way: expected as order "
            + _listed(same)
        )


def _listed(orders: Iterable[tuple[str, ...]]) -> str:
    return " or ".join(repr(", ".join(names)) for names in orders)


def numbers(name: str, values: Any) -> Array:
    """An array of real numbers; `InputError` if values are none, or there are none."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name}: expected an array of numbers, all rows of one length") from None
    real = array.dtype.kind in "iufb" and array.size > 0
    require(real, f"type of {name}", f"{array.dtype}, {array.size} entries", "real numbers")
    return np.asarray(array, dtype=float)


def _checked_shape(positions: Array) -> tuple[int, int, int]:
    shape = positions.shape
    whole = positions.ndim == 3 and min(shape) > 0
    require(whole, "shape of positions", shape, "(times, particles, parameters), none of them 0")
    return shape[0], shape[1], shape[2]


def _require_finite(name: str, values: Array) -> None:
    wrong = np.argwhere(~np.isfinite(values))
    if wrong.size:
        place = ", ".join(str(index + 1) for index in wrong[0])
        value = float(values[tuple(wrong[0])])
        require(False, f"{name} at entry {place}", value, "a finite number")
