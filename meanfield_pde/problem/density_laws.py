"""Laws given by a density, up to a factor, at the points of a space of one or two parameters.

Where a density is asked for in names, they are theta on one parameter, and theta_1 and theta_2 on
two, whatever the unit calls them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.problem.coordinates import Theta, component_names
from meanfield_pde.problem.files import InFile, read_arrays
from meanfield_pde.problem.formula import parsed
from meanfield_pde.problem.own import Own, load_function
from meanfield_pde.problem.quadrature import cell_averages
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]
Edges = tuple[Array, ...]

POINTS = {1: 20, 2: 8}
"""Gauss points of a cell along each of so many parameters."""

UNRESOLVED = 0.05
"""Largest part of the mass that may change with half the Gauss points.

A density that is smooth on the scale of a cell and passes has been integrated far better than this;
one with jumps passes unless most of its mass lies in the cells of the jumps. A spike that falls
between all points of both rules is not seen.
"""

DRAW_CELLS = {1: 4096, 2: 512}
"""Cells along each of so many parameters of the grid from which draws are made."""


class _DensityLaw(ABC):
    """A law by its density: averaged over cells, and drawn from the averages of a fine grid."""

    parameters: ClassVar[int | None] = None

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        # A law from which neurons are born is asked for the same averages at every step.
        return {}

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    @abstractmethod
    def _cells(self, edges: Edges, axes: Axes, points: int) -> Array:
        """Averages over cells, with 1 - `mass_outside` as their mass."""

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Averages of the density over the cells of a grid."""
        key = (axes, *(ends.tobytes() for ends in edges))
        result: Array = self._once(key, lambda: self._cells(edges, axes, POINTS[len(axes)]))
        return result

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """Independent draws (number, parameters): a cell by its mass, uniform inside.

        The cells are those of `DRAW_CELLS`; with widths h_k the mean of a function g over draws is
        off by sum_k h_k^2 / 12 int |d_k g d_k rho| at most, to leading order, rho the density.
        """
        count = DRAW_CELLS[len(axes)]
        sums = np.cumsum(self._cells(_draw_edges(axes), axes, 2))
        cells = np.searchsorted(sums, sums[-1] * generator.random(number), side="right")
        indices = np.unravel_index(np.minimum(cells, sums.size - 1), (count,) * len(axes))
        places = np.column_stack(indices) + generator.random((number, len(axes)))
        lower, length = np.array([(axis.lower, axis.length) for axis in axes]).T
        return lower + length / count * places


class _EverywhereLaw(_DensityLaw):
    """A density on the whole space: nothing is lost at its walls."""

    @abstractmethod
    def density(self, theta: Theta) -> Array:
        """Up to a factor, at coordinate arrays, one a parameter."""

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """The ends of each axis."""
        return tuple(np.array([axis.lower, axis.upper]) for axis in axes)

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """Up to a constant; minus infinity where there is no mass."""
        with np.errstate(divide="ignore"):
            return np.log(self._checked(*theta))

    def mass_outside(self, axes: Axes) -> float:
        """None; the density is looked at in the middle of the cells of `DRAW_CELLS`."""

        def lost() -> float:
            middles = [0.5 * (ends[1:] + ends[:-1]) for ends in _draw_edges(axes)]
            self._checked(*np.meshgrid(*middles, indexing="ij"))
            return 0.0

        outside: float = self._once(axes, lost)
        return outside

    def _checked(self, *theta: Array) -> Array:
        values = self.density(theta)
        if not (np.min(values) >= 0.0 and np.max(values) < math.inf):
            first = int(np.flatnonzero(~((values >= 0.0) & (values < math.inf)))[0])
            names = ", ".join(component_names("theta", len(theta)))
            place = ", ".join(f"{t.flat[first]:.6g}" for t in theta)
            raise InputError(
                f"law {str(self)!r}: expected a density >= 0 and finite, but it is "
                f"{values.flat[first]:.6g} at {names} = {place}"
            )
        return values

    def _cells(self, edges: Edges, axes: Axes, points: int) -> Array:
        nothing = [np.empty(0)] * len(axes)
        fine, coarse = (
            cell_averages(self._checked, edges, nothing, n) for n in (points, points // 2)
        )
        volumes = _volumes(edges)
        mass = float(np.sum(fine * volumes))
        if mass == 0.0:
            raise InputError(f"law {str(self)!r}: expected a density that is not 0 everywhere")
        if abs(float(np.sum(coarse * volumes)) / mass - 1.0) > UNRESOLVED:
            widths = " x ".join(f"{np.diff(ends).max():g}" for ends in edges)
            raise InputError(
                f"law {str(self)!r}: expected a density that varies little over a cell of width "
                f"{widths}"
            )
        return fine / mass


@dataclass(frozen=True)
class FormulaLaw(_EverywhereLaw):
    """The law whose density is proportional to a formula in theta, or in theta_1 and theta_2."""

    expression: str
    kind: Literal["formula"] = "formula"

    def __str__(self) -> str:
        return f"density {self.expression}"

    def density(self, theta: Theta) -> Array:
        """The formula."""
        return parsed(self.expression, component_names("theta", len(theta))).value(theta)


@dataclass(frozen=True)
class DensityFunction(_EverywhereLaw):
    """The law whose density is proportional to a function of arrays, one a parameter."""

    function: Callable[..., Any]

    kind: ClassVar[str] = "own"

    def __str__(self) -> str:
        return f"density {getattr(self.function, '__name__', 'function')}"

    def density(self, theta: Theta) -> Array:
        """The function."""
        return Own("density", self.function).value(theta, theta[0].shape)


@dataclass(frozen=True)
class FunctionLaw:
    """The same by a function "module:name", of a module beside the case file."""

    function: str
    kind: Literal["function"] = "function"

    def located(self, folder: str) -> DensityFunction:
        """With the function loaded from a folder."""
        return DensityFunction(load_function(self.function, folder))


@dataclass(frozen=True)
class TableLaw(InFile, _DensityLaw):
    """The law whose density is proportional to a table: linear between its points, 0 beyond them.

    The file, .csv or .npz, has theta and density; for two parameters theta_1, theta_2 and density:
    a row for each pair of their values, or in .npz the values of each and an array of all pairs.
    """

    path: str
    kind: Literal["table"] = "table"

    def __str__(self) -> str:
        return f"table {self.path}"

    def _table(self, parameters: int) -> tuple[tuple[Array, ...], Array]:
        """The values of each parameter and the density at all their combinations."""
        result: tuple[tuple[Array, ...], Array] = self._once(
            parameters, lambda: _read_table(self.path, component_names("theta", parameters))
        )
        return result

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """The points of the table, at which its slope jumps, and the ends of each axis."""
        knots, _ = self._table(len(axes))
        ends = (np.array([axis.lower, axis.upper]) for axis in axes)
        pairs = zip(knots, ends, strict=True)
        return tuple(np.union1d(np.clip(k, *e), np.clip(e, k[0], k[-1])) for k, e in pairs)

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """Up to a constant; minus infinity where there is no mass."""
        with np.errstate(divide="ignore"):
            return np.log(self._surface(theta))

    def _surface(self, theta: Theta) -> Array:
        # Imported here since it takes 0.2 s that most runs would spend for nothing.
        from scipy.interpolate import RegularGridInterpolator

        knots, density = self._table(len(theta))
        surface = RegularGridInterpolator(knots, density, bounds_error=False, fill_value=0.0)
        result: Array = surface(np.stack(theta, axis=-1))
        return result

    def _integrals(self, edges: Edges) -> Array:
        """Averages of the interpolant: exact, by the midpoint rule between neighbouring points."""
        knots, _ = self._table(len(edges))
        return cell_averages(lambda *theta: self._surface(theta), edges, knots, 1)

    def _mass(self, edges: Edges) -> float:
        return float(np.sum(self._integrals(edges) * _volumes(edges)))

    def mass_outside(self, axes: Axes) -> float:
        """The part of the law beyond the ends of the axes."""
        knots, _ = self._table(len(axes))
        space = tuple(np.array([axis.lower, axis.upper]) for axis in axes)
        whole = tuple(values[[0, -1]] for values in knots)
        part: float = self._once(axes, lambda: 1.0 - self._mass(space) / self._mass(whole))
        return part

    def _cells(self, edges: Edges, axes: Axes, points: int) -> Array:
        averages = self._integrals(edges)
        inside = 1.0 - self.mass_outside(axes)
        return averages * (inside / float(np.sum(averages * _volumes(edges))))


def _draw_edges(axes: Axes) -> Edges:
    count = DRAW_CELLS[len(axes)] + 1
    return tuple(np.linspace(axis.lower, axis.upper, count) for axis in axes)


def _volumes(edges: Edges) -> Array:
    return reduce(np.multiply.outer, [np.diff(ends) for ends in edges])


def _read_table(path: str, names: tuple[str, ...]) -> tuple[tuple[Array, ...], Array]:
    *coordinates, density = read_arrays(path, (*names, "density"))
    for name, values in zip(names, coordinates, strict=True):
        if values.ndim != 1:
            raise InputError(
                f"{path}: {name!r} has shape {values.shape}: expected one dimension, (points,)"
            )
    if density.ndim == 1:
        knots, density = _from_rows(path, names, coordinates, density)
    else:
        knots = tuple(coordinates)
    shape = tuple(values.size for values in knots)
    if density.shape != shape:
        raise InputError(f"{path}: 'density' has shape {density.shape}: expected {shape}")
    for name, values in zip(names, knots, strict=True):
        if values.size < 2 or np.any(np.diff(values) <= 0):
            raise InputError(f"{path}: expected at least two values of {name!r}, increasing")
    lowest, highest = float(np.min(density)), float(np.max(density))
    if lowest < 0 or highest == 0:
        found = f"is {lowest:g} at its lowest" if lowest < 0 else "is 0 everywhere"
        raise InputError(f"{path}: 'density' {found}: expected numbers >= 0, not all 0")
    return knots, density


def _from_rows(
    path: str, names: tuple[str, ...], coordinates: list[Array], density: Array
) -> tuple[tuple[Array, ...], Array]:
    """From one row a point, in any order."""
    sizes = [density.size, *(values.size for values in coordinates)]
    if len(set(sizes)) > 1:
        raise InputError(f"{path}: has columns of {sizes} entries: expected as many of each")
    pairs = [np.unique(values, return_inverse=True) for values in coordinates]
    knots, places = tuple(k for k, _ in pairs), tuple(place for _, place in pairs)
    table = np.full([values.size for values in knots], np.nan)
    table[places] = density
    if table.size != density.size or np.any(np.isnan(table)):
        combinations = " x ".join(str(n) for n in table.shape)
        raise InputError(
            f"{path}: has {density.size} rows: expected {combinations}, one for each combination "
            f"of the values of {', '.join(names)}"
        )
    return knots, table
