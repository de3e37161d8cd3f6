"""Atoms of a measure that lower E: added where V is lowest, weighed, and moved.

The three moves of the sliding Frank-Wolfe method (`optimum`), for measures of a fixed mass or of
any. The masses of given atoms are a convex problem, solved by Newton's method on those that are not
held at zero; masses and places together are not, and are taken down from where they are.

Source: Denoyelle, Duval, Peyré & Soubies (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize, root

from meanfield_pde.errors import NumericalFailure
from meanfield_pde.problem.energy import Energy, unit_derivative, unit_value
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.losses import Squared
from meanfield_pde.problem.lowest import Scan
from meanfield_pde.problem.nodes import PointNodes

Array = NDArray[np.float64]

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


@dataclass(frozen=True, eq=False)
class Masses:
    """Point masses: a `Discrete` measure."""

    values: Array
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Atoms:
    """Places (atoms, parameters) and masses (atoms,)."""

    points: Array
    masses: Array


@dataclass(frozen=True, eq=False)
class MovingAtoms:
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

    def field(self, atoms: Atoms) -> Field:
        """E and V at point masses."""
        return self.energy.on(PointNodes(atoms.points)).at(Masses(atoms.masses))

    def first(self) -> Atoms:
        """The best single atom of those that V asks for; spread ones where one is too few."""
        middle = np.array([[0.5 * (axis.lower + axis.upper) for axis in self.scan.axes]])
        one = np.full(1, self.total or 1.0)
        try:
            places = [middle[0], *self.scan.lowest(self.field(Atoms(middle, one)))[0]]
            starts = [Atoms(place[None, :], one) for place in places]
            return min(starts, key=lambda start: self.field(start).energy)
        except NumericalFailure:
            return self._spread()

    def _spread(self) -> Atoms:
        """Equal atoms on a coarse grid, for a likelihood that one atom makes zero somewhere."""
        axes = self.scan.axes
        along = max(2, round(SPREAD ** (1.0 / len(axes))))
        columns = [axis.lower + axis.length * (np.arange(along) + 0.5) / along for axis in axes]
        points = np.stack([c.ravel() for c in np.meshgrid(*columns, indexing="ij")], axis=1)
        return Atoms(points, self._scaled(np.ones(len(points))))

    def improved(self, atoms: Atoms) -> Atoms:
        """Atoms added, masses corrected, both moved."""
        places = self.scan.lowest(self.field(atoms))[0][:ADDED]
        points = np.concatenate([atoms.points, places])
        masses = np.concatenate([atoms.masses, np.zeros(places.shape[0])])
        corrected = self._pruned(self._corrected(Atoms(points, masses)))
        moved = self._pruned(self.moved(corrected))
        return min(corrected, moved, key=lambda found: self.field(found).energy)

    def _corrected(self, atoms: Atoms) -> Atoms:
        """Minimise E over the masses, by Newton's method on those that are not held at zero."""
        landscape: Any = self.energy.on(PointNodes(atoms.points))
        unit = _rows(self.energy, atoms.points)
        masses = atoms.masses.copy()
        field = landscape.at(Masses(masses))
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
                    field_tried = landscape.at(Masses(tried))
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
        return Atoms(atoms.points, masses)

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

    def moved(self, atoms: Atoms) -> Atoms:
        """Minimise E over masses and places."""
        found = self._descended(atoms)
        if isinstance(self.energy.loss, Squared) and self.energy.penalty is None:
            found = min(found, self._fitted(found), key=lambda a: self.field(a).energy)
        return found

    def sharpened(self, atoms: Atoms) -> Atoms:
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

        def unpacked(x: Array) -> Atoms:
            places = at.ravel().copy()
            places[free] = x[count : count + free.size]
            return Atoms(places.reshape(count, size) * lengths, x[:count])

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
            return Atoms(found.points, self._scaled(found.masses)) if usable else atoms
        except NumericalFailure:
            return atoms

    def _packed(self, atoms: Atoms) -> Array:
        lengths = np.array([axis.length for axis in self.scan.axes])
        return np.concatenate([atoms.masses, (atoms.points / lengths).ravel()])

    def _unpacked(self, x: Array, count: int) -> tuple[Atoms, float]:
        """Atoms, and the sum of the entries that their masses are parts of."""
        lengths = np.array([axis.length for axis in self.scan.axes])
        masses = x[:count]
        whole = float(np.sum(masses)) / self.total if self.total is not None else 1.0
        return Atoms(x[count:].reshape(count, -1) * lengths, masses / whole), whole

    def _bounds(self, count: int) -> tuple[Array, Array]:
        low = [-np.inf if axis.periodic else axis.lower / axis.length for axis in self.scan.axes]
        high = [np.inf if axis.periodic else axis.upper / axis.length for axis in self.scan.axes]
        return (
            np.concatenate([np.zeros(count), np.tile(low, count)]),
            np.concatenate([np.full(count, np.inf), np.tile(high, count)]),
        )

    def _descended(self, atoms: Atoms) -> Atoms:
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

    def _fitted(self, atoms: Atoms) -> Atoms:
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

    def _pruned(self, atoms: Atoms) -> Atoms:
        """Without atoms that have no mass, and with those at one place as one."""
        lengths = np.array([axis.length for axis in self.scan.axes])
        periodic = np.array([axis.periodic for axis in self.scan.axes])
        if not np.any(atoms.masses > 0.0):
            return Atoms(atoms.points[:1], np.zeros(1))
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
        return Atoms(np.array(points), np.array(masses))


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
