"""Runs of the user's own: positions of particles in time, from arrays or from files.

Times of training become those of the mean-field equation by a unit that is stated, never guessed
(`TimeUnit`). Of gradient descent with a learning rate eta,

    theta_i <- theta_i - eta dL/dtheta_i,      L = l/2 int |f - f*|^2 dnu,      l = 1 or 2,

one step takes, for f = 1/N sum_i phi(x, theta_i), the time eta l / N. For f = N^-1/2 sum_i c_i
psi(x, y_i) the particles of the mean-field equation are (y_i, sqrt(N) c_i): one step takes the time
eta l, in which the mobility of y is 1 / N where that of the charge is 1.
"""

from __future__ import annotations

import csv
import math
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.files import read_arrays
from meanfield_pde.results import schema
from meanfield_pde.results.hdf5 import opened, solution_in
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

Kind = Literal["mean_field", "steps"]
Output = Literal["1/N", "1/sqrt(N)"]
Loss = Literal["1/2", "1", "case"]

AXES = ("times", "particles", "parameters")
"""What the axes of positions are, in the order that is read unless another one is named."""

WHOLE = 1e-5
"""Largest distance of the sum of weights from one."""

EQUAL = 1e-12
"""Relative difference up to which all weights are one and the same."""

SUFFIXES = (".npz", ".npy", ".csv", ".h5", ".hdf5")

NO_UNIT = (
    "the time unit is missing: expected 'mean_field' (times are those of the equation), or 'steps' "
    "with a learning rate, the output of the network ('1/N' or '1/sqrt(N)') and the loss ('1/2', "
    "'1' or 'case')"
)


@dataclass(frozen=True)
class TimeUnit:
    """What the times of a run are.

    Parameters
    ----------
    kind : "mean_field" or "steps"
        Times of the mean-field equation, or numbers of steps of gradient descent.
    step : float, optional
        The mean-field time of one step, of "mean_field", where it is known.
    learning_rate : float
        Of "steps": eta in theta_i <- theta_i - eta dL/dtheta_i. Where the code multiplies it by N,
        it is the product; where parameters have rates of their own, it is that of mobility 1.
    output : "1/N" or "1/sqrt(N)"
        Of "steps": f = 1/N sum_i phi(x, theta_i), or f = N^-1/2 sum_i c_i psi(x, y_i).
    loss : "1/2", "1" or "case"
        Of "steps": L = 1/2 int |f - f*|^2 dnu, L = int |f - f*|^2 dnu, or the loss of the case,
        penalty included, whatever it is.

    Raises
    ------
    InputError
        If something is missing or too much: the sentence lists the choices.
    """

    kind: Kind
    step: float | None = None
    learning_rate: float | None = None
    output: Output | None = None
    loss: Loss | None = None

    def __post_init__(self) -> None:
        kinds = "'mean_field' or 'steps'"
        require(self.kind in get_args(Kind), "time unit", self.kind, kinds)
        descent = {
            "learning_rate": "eta of theta <- theta - eta dL/dtheta, a positive number",
            "output": "'1/N' (f = 1/N sum phi) or '1/sqrt(N)' (f = 1/sqrt(N) sum c psi)",
            "loss": "'1/2' (L = 1/2 int |f - f*|^2 dnu), '1' (L = int |f - f*|^2 dnu) or 'case' "
            "(that of the case)",
        }
        if self.kind == "mean_field":
            for name in descent:
                absent = getattr(self, name) is None
                expected = "none with the time unit 'mean_field', or the time unit 'steps'"
                require(absent, name, getattr(self, name), expected)
            known = self.step is None or 0.0 < self.step < math.inf
            require(known, "step", self.step, "a positive time")
            return
        require(self.step is None, "step", self.step, "none with the time unit 'steps'")
        for name, expected in descent.items():
            if getattr(self, name) is None:
                raise InputError(f"{name} of the time unit is missing: expected {expected}")
        rate = self.learning_rate
        fits = rate is not None and 0.0 < rate < math.inf
        require(fits, "learning_rate", rate, descent["learning_rate"])
        require(self.output in get_args(Output), "output", self.output, descent["output"])
        require(self.loss in get_args(Loss), "loss", self.loss, descent["loss"])

    def time_of_step(self, particles: int) -> float | None:
        """The mean-field time of one step of so many particles; None where it is not known."""
        if self.learning_rate is None:
            return self.step
        factor = 2.0 if self.loss == "1" else 1.0
        share = 1.0 / particles if self.output == "1/N" else 1.0
        return self.learning_rate * factor * share


MEAN_FIELD = TimeUnit("mean_field")


@dataclass(frozen=True, eq=False)
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
            if np.allclose(self.weights, 1.0 / particles, rtol=EQUAL, atol=0.0):
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
        given = _numbers("positions", positions)
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
        masses = None if weights is None else _numbers("weights", weights)
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


def read_trajectory(
    path: str | Path,
    unit: TimeUnit | None = None,
    *,
    every: float | None = None,
    order: str | Sequence[str] | None = None,
) -> Trajectory:
    """A run from a file; other arguments as in `Trajectory.of`.

    .npz, .h5   arrays `positions`, `time` or `steps`, and `weights` if there are some
    .npy        positions alone: `every` says how many steps apart they are
    .csv        one particle at one time a row: columns `time` or `steps`, `particle`, `weight` if
                there are some, and one for each parameter, by name
    .h5         a result of particles of this package, which needs no unit

    Raises
    ------
    InputError
        If the file cannot be read, or as `Trajectory.of`: one sentence that names the file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    require(suffix in SUFFIXES, "run", str(path), f"a file {', '.join(SUFFIXES)}")
    try:
        if suffix in (".h5", ".hdf5"):
            return _from_hdf5(path, unit, every, order)
        if suffix == ".csv":
            return _from_csv(path, unit, every, order)
        arrays = _npz(path) if suffix == ".npz" else {"positions": _npy(path)}
        return _from_arrays(arrays, unit, every, order)
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(str(path)) else f"{path}: {told}") from None


def _from_arrays(
    arrays: dict[str, Array],
    unit: TimeUnit | None,
    every: float | None,
    order: str | Sequence[str] | None,
) -> Trajectory:
    return Trajectory.of(
        arrays["positions"],
        unit,
        time=arrays.get("time"),
        steps=arrays.get("steps"),
        every=every,
        weights=arrays.get("weights"),
        order=order,
    )


def _npz(path: Path) -> dict[str, Array]:
    read_arrays(str(path), ("positions",))
    with zipfile.ZipFile(path) as archive:
        there = {name.removesuffix(".npy") for name in archive.namelist()}
    names = [name for name in ("positions", "time", "steps", "weights") if name in there]
    return dict(zip(names, read_arrays(str(path), names), strict=True))


def _npy(path: Path) -> Array:
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"is not a npy file of plain numbers, or cut off ({reason})") from None
    require(isinstance(array, np.ndarray), "file", "named arrays", "one array, or the ending .npz")
    return _numbers("positions", array)


def _from_hdf5(
    path: Path, unit: TimeUnit | None, every: float | None, order: str | Sequence[str] | None
) -> Trajectory:
    with opened(path) as file:
        if file.attrs.get("format") == schema.FORMAT:
            return Trajectory.from_solution(solution_in(file))
        # Asking the file itself for a name would already follow a link out of it.
        there = file.id.links.exists
        names = [n for n in ("positions", "time", "steps", "weights") if there(n.encode())]
        if "positions" not in names:
            listed = ", ".join(list(file)[:10]) or "nothing"
            raise InputError(f"there is no data set 'positions'; it has {listed}")
        arrays = {name: _numbers(name, schema.get_values(file, name)) for name in names}
    return _from_arrays(arrays, unit, every, order)


def _from_csv(
    path: Path, unit: TimeUnit | None, every: float | None, order: str | Sequence[str] | None
) -> Trajectory:
    require(order is None and every is None, "order, every", (order, every), "none for CSV")
    header = _header(path)
    clock = [name for name in ("time", "steps") if name in header]
    if len(clock) != 1 or "particle" not in header:
        found = ", ".join(header) or "none"
        raise InputError(
            "expected columns 'particle', either 'time' or 'steps', and one for each parameter, "
            f"not {found}"
        )
    names = tuple(name for name in header if name not in (*clock, "particle", "weight"))
    require(len(names) > 0, "columns", ", ".join(header), "one for each parameter besides")
    table = dict(zip(header, read_arrays(str(path), header), strict=True))
    when, counts = np.unique(table[clock[0]], return_counts=True)
    whole = np.flatnonzero(counts != counts[0])
    if whole.size:
        raise InputError(
            f"at {clock[0]} {when[whole[0]]:g} there are {counts[whole[0]]} particles: expected "
            f"{counts[0]}, as at {when[0]:g}"
        )
    rows = np.lexsort((table["particle"], table[clock[0]])).reshape(when.size, counts[0])
    numbers = table["particle"][rows]
    if not np.all(numbers == numbers[0]) or np.any(np.diff(numbers[0]) == 0.0):
        raise InputError("expected each particle once at each time, by the same numbers")
    return Trajectory.of(
        np.stack([table[name][rows] for name in names], axis=2),
        unit,
        time=when if "time" in table else None,
        steps=when if "steps" in table else None,
        weights=table["weight"][rows] if "weight" in table else None,
        order=AXES,
        parameters=names,
    )


def _header(path: Path) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return [cell.strip() for cell in next(csv.reader(file), [])]
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError("is not CSV in UTF-8") from None


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
        return _numbers("time", time)
    dt = unit.time_of_step(particles)
    if dt is None:
        raise InputError("step is missing: expected the mean-field time of one, to count steps by")
    if steps is not None:
        return dt * _numbers("steps", steps)
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


def _numbers(name: str, values: Any) -> Array:
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
