r"""The minimum of E over measures on the whole space, with a bound on how far it may be.

E is convex in mu, and its minimum over probability, non-negative or signed measures is a convex
problem without a grid. It is solved by the fully corrective Frank-Wolfe method with moving atoms::

    add       the places where V = dE/dmu is lowest on the space
    correct   minimise E over the masses of all atoms                    (convex)
    move      minimise E over masses and places together                 (from there on)

until the duality gap, which bounds E - min E, is below a tolerance. Signed measures are those on
two copies of the space: charges between -1 and 1 with the unit.

Source: Denoyelle, Duval, Peyré & Soubies (2019), "The sliding Frank-Wolfe algorithm and its
application to super-resolution microscopy"; Jaggi (2013) for the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize, root
from threadpoolctl import threadpool_limits

from meanfield_pde.errors import NumericalFailure, require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.energy import (
    AnyEnergy,
    Energy,
    PotentialEnergy,
    unit_derivative,
    unit_value,
)
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.losses import Huber, Logistic, NegativeLogLikelihood, Squared
from meanfield_pde.problem.lowest import Scan, scan
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.penalties import AnyPenalty, ConstantPenalty, WeightDecay
from meanfield_pde.problem.spaces import Interval, Product
from meanfield_pde.problem.units import Charged

Array = NDArray[np.float64]

Measures = Literal["probability", "nonnegative", "signed"]

LARGEST = 1e6
"""Of a mass or a charge that is given."""

SHARPENED = 60
"""Most unknowns of Newton's method."""

SPREAD = 400
"""Atoms to start from where one is too few."""

ADDED = 8
"""How many of the lowest places are added at a time."""

LEAST = 1e-13
"""Masses below this part of the whole are dropped."""

CLOSE = 1e-6
"""Atoms closer than this, as a part of the range, are one."""

BUDGET = 2.0
"""Of a free mass: the bound holds over measures of this many times the mass found, at least 1."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best measure that was found, and what is known of the best there is.

    Attributes
    ----------
    energy : float
        E of this measure.
    gap : float
        At least E - min E, the minimum over the measures named in `over`.
    points : array (atoms, parameters)
    masses : array (atoms,)
        Of either sign, of signed measures.
    over : "probability", "nonnegative" or "signed"
    mass : float
        The largest total mass of the measures the bound holds for.
    potential : array (atoms,)
        V at the atoms: equal at all of them at an optimum; of signed measures, at sign and place.
    iterations : int
    nodes : tuple of arrays
        Along each parameter, of a grid over the space; of signed measures the signs are the last.
    landscape : array
        V on that grid: at a minimum nowhere less than at the atoms.
    floor : float
        Below which no energy is, whatever the measure: by earlier gaps, or zero for losses that
        are not negative.
    """

    energy: float
    gap: float
    points: Array
    masses: Array
    over: Measures
    mass: float
    potential: Array
    iterations: int
    nodes: tuple[Array, ...] = field(default=(), repr=False)
    landscape: Array = field(default_factory=lambda: np.empty(0), repr=False)
    floor: float = -math.inf

    @property
    def least(self) -> float:
        """No such measure has less energy."""
        return max(self.energy - self.gap, self.floor)


@dataclass(frozen=True, eq=False)
class _Masses:
    """Point masses: a `Discrete` measure."""

    values: Array
    weight: float = 1.0


@dataclass(frozen=True)
class _OfBase:
    """A penalty on all parameters but the last."""

    penalty: AnyPenalty
    kind: str = "own"

    def check(self, parameters: tuple[str, ...]) -> None:
        self.penalty.check(parameters[:-1])

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        return self.penalty.value(theta[:-1], parameters[:-1])

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        inner = self.penalty.gradient(theta[:-1], parameters[:-1])
        return (*inner, np.zeros(theta[0].shape))


def optimum(
    energy: AnyEnergy,
    over: Measures = "probability",
    *,
    charge: float | None = None,
    mass: float | None = None,
    tolerance: float = 1e-10,
    most: int = 60,
) -> Optimum:
    """The minimum of an energy over measures on its space, in up to three parameters.

    Parameters
    ----------
    energy : Energy or PotentialEnergy
    over : "probability", "nonnegative" or "signed"
        Which measures: of mass one, of any mass, or of any sign.
    charge : float, optional
        The largest |c| of charged units, in place of the walls.
    mass : float, optional
        Over non-negative or signed measures the gap bounds E - min E over those of at most this
        total mass; `BUDGET` times the mass found, at least 1, unless given.
    tolerance : float
        Of the gap.
    most : int
        Iterations; what was found by then is returned, with its gap.

    Returns
    -------
    Optimum

    Raises
    ------
    InputError
        If there are too many parameters, or nothing to bound the energy from below.
    """
    kinds = ", ".join(get_args(Measures))
    require(over in get_args(Measures), "over", over, f"one of {kinds}")
    for name, value in (("charge", charge), ("mass", mass)):
        positive = value is None or 0.0 < value <= LARGEST
        require(positive, name, value, f"a positive number, at most {LARGEST:g}")
    require(0.0 <= tolerance < math.inf, "tolerance", tolerance, "a number >= 0")
    if over == "signed":
        return _signed(energy, charge, mass, tolerance, most)
    if isinstance(energy, PotentialEnergy):
        return _of_potential(energy, over, mass)
    whole = scan(energy, charge)
    whole.warn_if_coarse()
    if over == "probability":
        return _minimum(_Solver(energy, whole, 1.0, None), tolerance, most)
    return _nonnegative(energy, whole, mass, tolerance, most)


def _nonnegative(
    energy: Energy, whole: Scan, mass: float | None, tolerance: float, most: int
) -> Optimum:
    """Of a mass that is free, or as large as it may be if the free one is larger."""
    bounded = not isinstance(energy.loss, NegativeLogLikelihood)
    expected = "probability, for a likelihood: its energy falls with the mass for ever"
    require(bounded, "over", "nonnegative", expected)
    free = _minimum(_Solver(energy, whole, None, mass), tolerance, most)
    if mass is None or float(np.sum(free.masses)) <= mass:
        return free
    held = _minimum(_Solver(energy, whole, mass, mass), tolerance, most)
    return replace(held, over="nonnegative")


def _minimum(solver: _Solver, tolerance: float, most: int) -> Optimum:
    """Atoms added, corrected and moved until the gap is small enough."""
    # The same bits for any number of threads; and small matrices are slower in several.
    with threadpool_limits(limits=1, user_api="blas"):
        atoms = solver.first()
        best = solver.state(atoms, 0)
        for iteration in range(1, most + 1):
            if best.gap <= tolerance:
                break
            atoms = solver.improved(atoms)
            state = solver.state(atoms, iteration)
            states = [best, state]
            if state.gap > tolerance:
                states.append(solver.state(solver.sharpened(atoms), iteration))
            floor = max(one.least for one in states)
            best = replace(min(states, key=lambda found: found.gap), floor=floor)
    return best


def best_units(
    energy: Energy,
    units: int,
    charge: float | None = None,
    starts: int = 24,
    seed: int = 0,
) -> list[Optimum]:
    """The least energies that 1, 2, ... units reach, of mass one in all.

    Not convex: each is the best of several starts, the best of one unit fewer with one added where
    V is lowest among them, the others random. It bounds the true one from above.

    Parameters
    ----------
    energy : Energy
    units : int
        The most.
    charge : float, optional
        The largest |c| of charged units, in place of the walls.
    starts, seed : int
        Random ones, for each number of units.

    Returns
    -------
    list of Optimum
        One for each number; the gap is over all measures of mass one.
    """
    require(units >= 1, "units", units, "at least 1")
    require(isinstance(energy, Energy), "energy", energy, "one of units")
    solver = _Solver(energy, scan(energy, charge), 1.0, None)
    lower = np.array([axis.lower for axis in solver.scan.axes])
    lengths = np.array([axis.length for axis in solver.scan.axes])
    generator = np.random.default_rng(seed)
    found: list[Optimum] = []
    atoms: _Atoms | None = None
    with threadpool_limits(limits=1, user_api="blas"):
        for count in range(1, units + 1):
            points = [
                lower + lengths * generator.random((count, lengths.size)) for _ in range(starts)
            ]
            if atoms is not None:
                places = solver.scan.lowest(solver.field(atoms))[0][:3]
                points += [np.concatenate([atoms.points, place[None, :]]) for place in places]
            tried = [solver.moved(_Atoms(p, np.full(len(p), 1.0 / len(p)))) for p in points]
            atoms = min(tried, key=lambda one: solver.field(one).energy)
            found.append(solver.state(atoms, 0))
    return found


def _of_potential(energy: PotentialEnergy, over: Measures, mass: float | None) -> Optimum:
    """All mass at the lowest place that the scan finds, which is all that is known of the gap."""
    whole = scan(energy)
    middle = np.array([[0.5 * (axis.lower + axis.upper) for axis in whole.axes]])
    anywhere = energy.on(PointNodes(middle)).at(_Masses(np.ones(1)))
    points, values = whole.lowest(anywhere)
    lowest = float(values[0])
    landscape = anywhere.potential_in(whole.landscape).reshape(whole.shape)
    if over == "nonnegative":
        expected = "a potential that is nowhere negative, or a largest mass"
        require(lowest >= 0.0 or mass is not None, "over", over, expected)
        most = 0.0 if lowest >= 0.0 or mass is None else mass
        held, there = np.full(1, most), (whole.nodes, landscape)
        largest = math.inf if mass is None else mass
        return Optimum(most * lowest, 0.0, points[:1], held, over, largest, values[:1], 0, *there)
    return Optimum(
        lowest, 0.0, points[:1], np.ones(1), over, 1.0, values[:1], 0, whole.nodes, landscape
    )


def _signed(
    energy: AnyEnergy, charge: float | None, mass: float | None, tolerance: float, most: int
) -> Optimum:
    """Non-negative measures of charges between -1 and 1: at an optimum they are at the ends."""
    expected = "probability or nonnegative, for a potential"
    require(isinstance(energy, Energy), "over", "signed", expected)
    assert isinstance(energy, Energy)
    charged = isinstance(energy.unit, Charged)
    require(not charged, "over", "signed", "the others, for units that are charged already")
    require(charge is None, "charge", charge, "none, for units without charges c")
    paid = not (isinstance(energy.penalty, ConstantPenalty) and energy.penalty.price < 0.0)
    require(paid, "penalty", str(energy.penalty), "a price >= 0, for signed measures")
    extended: Any = None if energy.penalty is None else _OfBase(energy.penalty)
    base: Any = energy.unit
    space: Any = energy.space
    factors = space.factors if isinstance(space, Product) else (space,)
    both = replace(
        energy,
        unit=Charged(base),
        space=Product((*factors, Interval(-1.0, 1.0))),
        penalty=extended,
    )
    whole = scan(both, linear=True)
    whole.warn_if_coarse()
    found = _nonnegative(both, whole, mass, tolerance, most)
    return replace(
        found,
        points=found.points[:, :-1],
        masses=found.masses * found.points[:, -1],
        over="signed",
    )


@dataclass(frozen=True, eq=False)
class _Atoms:
    points: Array
    masses: Array


@dataclass(frozen=True, eq=False)
class _Solver:
    """The three moves, for measures of a fixed mass (`total`), or of any.

    `mass` is the largest that the gap is to hold for.
    """

    energy: Energy
    scan: Scan
    total: float | None
    mass: float | None

    @property
    def balanced(self) -> bool:
        """Whether the mass is fixed."""
        return self.total is not None

    def _scaled(self, masses: Array) -> Array:
        """Masses of the total that is fixed."""
        return masses if self.total is None else masses * (self.total / float(np.sum(masses)))

    def field(self, atoms: _Atoms) -> Field:
        """E and V at point masses."""
        return self.energy.on(PointNodes(atoms.points)).at(_Masses(atoms.masses))

    def state(self, atoms: _Atoms, iterations: int) -> Optimum:
        """With the gap: the mean of V less its minimum on the space."""
        here = self.field(atoms)
        lowest = min(float(self.scan.lowest(here)[1][0]), float(np.min(here.potential)))
        if self.total is not None and self.mass is None:
            budget, gap = self.total, here.integral - self.total * lowest
        else:
            budget = max(BUDGET * here.mass, 1.0) if self.mass is None else self.mass
            gap = here.integral - budget * min(lowest, 0.0)
        return Optimum(
            energy=here.energy,
            gap=max(gap, 0.0),
            points=self._inside(atoms.points),
            masses=atoms.masses,
            over="probability" if self.mass is None and self.balanced else "nonnegative",
            mass=budget,
            potential=here.potential,
            iterations=iterations,
            nodes=self.scan.nodes,
            landscape=here.potential_in(self.scan.landscape).reshape(self.scan.shape),
            floor=_floor(self.energy),
        )

    def first(self) -> _Atoms:
        """The best single atom of those that V asks for; spread ones where one is too few."""
        middle = np.array([[0.5 * (axis.lower + axis.upper) for axis in self.scan.axes]])
        one = np.full(1, self.total or 1.0)
        try:
            places = [middle[0], *self.scan.lowest(self.field(_Atoms(middle, one)))[0]]
            starts = [_Atoms(place[None, :], one) for place in places]
            return min(starts, key=lambda start: self.field(start).energy)
        except NumericalFailure:
            return self._spread()

    def _spread(self) -> _Atoms:
        """Equal atoms on a coarse grid, for a likelihood that one atom makes zero somewhere."""
        axes = self.scan.axes
        along = max(2, round(SPREAD ** (1.0 / len(axes))))
        columns = [axis.lower + axis.length * (np.arange(along) + 0.5) / along for axis in axes]
        points = np.stack([c.ravel() for c in np.meshgrid(*columns, indexing="ij")], axis=1)
        return _Atoms(points, self._scaled(np.ones(len(points))))

    def improved(self, atoms: _Atoms) -> _Atoms:
        """Atoms added, masses corrected, both moved."""
        places = self.scan.lowest(self.field(atoms))[0][:ADDED]
        points = np.concatenate([atoms.points, places])
        masses = np.concatenate([atoms.masses, np.zeros(places.shape[0])])
        corrected = self._pruned(self._corrected(_Atoms(points, masses)))
        moved = self._pruned(self.moved(corrected))
        return min(corrected, moved, key=lambda found: self.field(found).energy)

    def _corrected(self, atoms: _Atoms) -> _Atoms:
        """Minimise E over the masses, by Newton's method on those that are not held at zero."""
        landscape: Any = self.energy.on(PointNodes(atoms.points))
        unit = _rows(self.energy, atoms.points)
        masses = atoms.masses.copy()
        field = landscape.at(_Masses(masses))
        for _ in range(60):
            multiplier = field.integral / field.mass if self.balanced else 0.0
            excess = field.potential - multiplier
            free = (masses > 0.0) | (excess < 0.0)
            curvature = self.energy.data_weights * self.energy.loss.curvature(
                field.prediction, self.energy.target_values
            )
            change = np.zeros_like(masses)
            change[free] = self._newton(unit[:, free], curvature, excess[free])
            # Masses at zero that would fall stay there.
            for _ in range(masses.size):
                stuck = (masses <= 0.0) & (change < 0.0)
                if not np.any(stuck):
                    break
                free &= ~stuck
                change[:] = 0.0
                change[free] = self._newton(unit[:, free], curvature, excess[free])
            longest = _longest(masses, change)
            moved, field_moved = None, None
            length = min(1.0, longest)
            for _ in range(40):
                tried = np.maximum(masses + length * change, 0.0)
                tried = self._scaled(tried)
                try:
                    field_tried = landscape.at(_Masses(tried))
                except NumericalFailure:
                    length *= 0.5
                    continue
                if field_tried.energy <= field.energy:
                    moved, field_moved = tried, field_tried
                    break
                length *= 0.5
            if moved is None or field_moved is None:
                break
            done = float(np.max(np.abs(moved - masses))) <= 1e-15 * float(np.sum(moved))
            masses, field = moved, field_moved
            if done:
                break
        return _Atoms(atoms.points, masses)

    def _newton(self, unit: Array, curvature: Array, excess: Array) -> Array:
        """The step of the quadratic model of E, of sum zero if the mass is fixed."""
        count = excess.size
        if count == 0:
            return np.empty(0)
        root = np.sqrt(curvature)[:, None] * unit
        # E changes by excess . d + |root d|^2 / 2; a little is added where that is flat.
        matrix = root.T @ root
        matrix[np.diag_indices(count)] += 1e-14 * max(float(np.trace(matrix)) / count, 1e-300)
        if not self.balanced:
            return np.asarray(np.linalg.lstsq(matrix, -excess, rcond=1e-15)[0])
        bordered = np.zeros((count + 1, count + 1))
        scale = float(np.trace(matrix)) / count
        bordered[:count, :count] = matrix
        bordered[:count, count] = bordered[count, :count] = scale
        right = np.concatenate([-excess, [0.0]])
        return np.asarray(np.linalg.lstsq(bordered, right, rcond=1e-15)[0][:count])

    def moved(self, atoms: _Atoms) -> _Atoms:
        """Minimise E over masses and places."""
        found = self._descended(atoms)
        if isinstance(self.energy.loss, Squared) and self.energy.penalty is None:
            found = min(found, self._fitted(found), key=lambda a: self.field(a).energy)
        return found

    def sharpened(self, atoms: _Atoms) -> _Atoms:
        """By Newton's method on the conditions at the atoms: V equal there, and its slopes zero.

        A descent in E leaves slopes of the root of its rounding; places that a wall holds stay.
        """
        count, size = atoms.points.shape
        if count * (size + 1) > SHARPENED:
            return atoms
        slopes = np.stack(self.field(atoms).gradient, axis=1)
        low, high = (bound[count:].reshape(count, size) for bound in self._bounds(count))
        lengths = np.array([axis.length for axis in self.scan.axes])
        at = atoms.points / lengths
        held = ((at <= low + 1e-9) & (slopes > 0.0)) | ((at >= high - 1e-9) & (slopes < 0.0))
        free = np.flatnonzero(~held.ravel())

        def unpacked(x: Array) -> _Atoms:
            places = at.ravel().copy()
            places[free] = x[count : count + free.size]
            return _Atoms(places.reshape(count, size) * lengths, x[:count])

        def conditions(x: Array) -> Array:
            these = unpacked(x)
            field = self.field(these)
            down = (np.stack(field.gradient, axis=1) * lengths).ravel()[free]
            if self.total is None:
                return np.concatenate([field.potential, down])
            sums = [float(np.sum(these.masses)) - self.total]
            return np.concatenate([field.potential - x[-1], down, sums])

        start = [atoms.masses, at.ravel()[free]]
        if self.total is not None:
            start.append(np.array([float(np.mean(self.field(atoms).potential))]))
        try:
            x = root(conditions, np.concatenate(start), options={"xtol": 1e-14}).x
            found = unpacked(x)
            lower, upper = low * lengths, high * lengths
            inside = bool(np.all((found.points >= lower) & (found.points <= upper)))
            usable = inside and bool(np.all(found.masses > 0.0)) and bool(np.all(np.isfinite(x)))
            return _Atoms(found.points, self._scaled(found.masses)) if usable else atoms
        except NumericalFailure:
            return atoms

    def _packed(self, atoms: _Atoms) -> Array:
        lengths = np.array([axis.length for axis in self.scan.axes])
        return np.concatenate([atoms.masses, (atoms.points / lengths).ravel()])

    def _unpacked(self, x: Array, count: int) -> tuple[_Atoms, float]:
        """Atoms, and the sum of the entries that their masses are parts of."""
        lengths = np.array([axis.length for axis in self.scan.axes])
        masses = x[:count]
        whole = float(np.sum(masses)) / self.total if self.total is not None else 1.0
        return _Atoms(x[count:].reshape(count, -1) * lengths, masses / whole), whole

    def _bounds(self, count: int) -> tuple[Array, Array]:
        low = [-np.inf if axis.periodic else axis.lower / axis.length for axis in self.scan.axes]
        high = [np.inf if axis.periodic else axis.upper / axis.length for axis in self.scan.axes]
        return (
            np.concatenate([np.zeros(count), np.tile(low, count)]),
            np.concatenate([np.full(count, np.inf), np.tile(high, count)]),
        )

    def _descended(self, atoms: _Atoms) -> _Atoms:
        """By a quasi-Newton method of bounded memory."""
        count = atoms.masses.size
        lengths = np.array([axis.length for axis in self.scan.axes])

        def value(x: Array) -> tuple[float, Array]:
            if not np.sum(x[:count]) > 0.0:
                return math.inf, np.zeros_like(x)
            these, total = self._unpacked(x, count)
            try:
                field = self.field(these)
            except NumericalFailure:
                return math.inf, np.zeros_like(x)
            mean = field.integral / self.total if self.total is not None else 0.0
            slope = np.stack(field.gradient, axis=1) * these.masses[:, None] * lengths
            return field.energy, np.concatenate([(field.potential - mean) / total, slope.ravel()])

        low, high = self._bounds(count)
        result = minimize(
            value,
            self._packed(atoms),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"ftol": 0.0, "gtol": 1e-15, "maxiter": 400, "maxcor": 40},
        )
        return self._unpacked(result.x, count)[0]

    def _fitted(self, atoms: _Atoms) -> _Atoms:
        """By least squares."""
        count = atoms.masses.size
        root = np.sqrt(self.energy.data_weights)
        lengths = np.array([axis.length for axis in self.scan.axes])

        def residuals(x: Array) -> Array:
            these, _ = self._unpacked(x, count)
            rows = _rows(self.energy, these.points)
            return root * (rows @ these.masses - self.energy.target_values)

        def jacobian(x: Array) -> Array:
            these, total = self._unpacked(x, count)
            rows = _rows(self.energy, these.points)
            by_mass = rows
            if self.total is not None:
                by_mass = rows - (rows @ these.masses)[:, None] / self.total
            slopes = np.stack(_slopes(self.energy, these.points), axis=2)
            by_place = slopes * these.masses[:, None] * lengths
            columns = np.concatenate([by_mass / total, by_place.reshape(root.size, -1)], axis=1)
            return root[:, None] * columns

        low, high = self._bounds(count)
        start = np.clip(self._packed(atoms), low, high)
        result = least_squares(
            residuals,
            start,
            jacobian,
            bounds=(low, high),
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=60,
        )
        return self._unpacked(result.x, count)[0]

    def _pruned(self, atoms: _Atoms) -> _Atoms:
        """Without atoms that have no mass, and with those at one place as one."""
        lengths = np.array([axis.length for axis in self.scan.axes])
        periodic = np.array([axis.periodic for axis in self.scan.axes])
        if not np.any(atoms.masses > 0.0):
            return _Atoms(atoms.points[:1], np.zeros(1))
        points: list[Array] = []
        masses: list[float] = []
        for k in np.argsort(-atoms.masses, kind="stable"):
            if atoms.masses[k] <= LEAST * float(np.sum(atoms.masses)):
                continue
            for j, other in enumerate(points):
                apart = (atoms.points[k] - other) / lengths
                apart = np.where(periodic, apart - np.round(apart), apart)
                if float(np.max(np.abs(apart))) < CLOSE:
                    masses[j] += atoms.masses[k]
                    break
            else:
                points.append(atoms.points[k])
                masses.append(atoms.masses[k])
        return _Atoms(np.array(points), np.array(masses))

    def _inside(self, points: Array) -> Array:
        """Angles brought back into the range of their circles."""
        columns = [
            axis.lower + np.mod(column - axis.lower, axis.length) if axis.periodic else column
            for axis, column in zip(self.scan.axes, points.T, strict=True)
        ]
        return np.stack(columns, axis=1)


def _floor(energy: Energy) -> float:
    """Of E, where it is known."""
    known = isinstance(energy.loss, Squared | Huber | Logistic)
    priced = energy.penalty is None or isinstance(energy.penalty, WeightDecay | ConstantPenalty)
    negative = isinstance(energy.penalty, ConstantPenalty) and energy.penalty.price < 0.0
    return 0.0 if known and priced and not negative else -math.inf


def _longest(masses: Array, change: Array) -> float:
    """How many steps until the first mass is zero."""
    falling = change < 0.0
    if not np.any(falling):
        return math.inf
    return float(np.min(masses[falling] / -change[falling]))


def _rows(energy: Energy, points: Array) -> Array:
    """phi at all pairs of data points and atoms."""
    return unit_value(energy.unit, energy.inputs, tuple(np.ascontiguousarray(points.T)))


def _slopes(energy: Energy, points: Array) -> list[Array]:
    """d phi / d theta_k at all pairs."""
    theta = tuple(np.ascontiguousarray(points.T))
    return [unit_derivative(energy.unit, k, energy.inputs, theta) for k in range(len(theta))]
