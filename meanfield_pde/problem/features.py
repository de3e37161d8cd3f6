"""The linear maps between a measure and the prediction, f = Phi m and V = Phi^T r.

Phi[q, i] = phi(x_q, theta_i). A measure has mass weight * values[i] at node i. Several forms share
one interface: a table (any unit); for charged units c psi(x, y) the table of psi alone, since only
the charge density q(y) = int c mu(dy, dc) matters, on a grid of (y, c) and at points; two small
tables where unit and data are products. Tables on grids are compressed to their rank (`modes`), at
points smooth units of one parameter are series (`series`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.kernels.reductions import dot, dot3, matvec, row_moments, total
from meanfield_pde.problem.nodes import GridNodes, Nodes, PointNodes
from meanfield_pde.problem.separable import SeparableOnGrid, tensor_factors
from meanfield_pde.problem.series import Known, SeriesTable, at_points
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.problem.tables import Table
from meanfield_pde.problem.units import AnyUnit, Charged, Gaussian

Array = NDArray[np.float64]


class Features(Protocol):
    """What the energy needs to know of a unit at given nodes."""

    def prediction(self, values: Array, weight: float) -> Array:
        """f[mu](x_q) = sum_i Phi[q, i] weight values[i]."""
        ...

    def potential(self, residual: Array) -> Array:
        """V_i = sum_q Phi[q, i] residual[q], one entry a node."""
        ...

    def slope(self, k: int, residual: Array) -> Array:
        """dV / d theta_k, broadcast to the nodes."""
        ...

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """int int l'' phi^2 dnu dmu, and with (d_k phi)^2 for each parameter k.

        `curvature` is l'' at the data points.
        """
        ...


@dataclass(frozen=True, eq=False)
class ChargedOnGrid:
    """Charged units on a grid of (y, c): every integral is one over row moments in c."""

    base: Table
    charges: Array

    def prediction(self, values: Array, weight: float) -> Array:
        """f from the charge density."""
        return self.base.prediction(matvec(values, self.charges), weight)

    def potential(self, residual: Array) -> Array:
        """V(y, c) = c v(y)."""
        return np.multiply.outer(self.base.potential(residual), self.charges)

    def slope(self, k: int, residual: Array) -> Array:
        """(c v'(y), v(y))."""
        if k == 0:
            return np.multiply.outer(self.base.slope(0, residual), self.charges)
        column = self.base.potential(residual)[:, None]
        return np.broadcast_to(column, (column.size, self.charges.size))

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """V^2 = c^2 v^2, |grad V|^2 = (c v')^2 + v^2."""
        zeroth, _, second = row_moments(values, self.charges)
        potential, slope = self.base.potential(residual), self.base.slope(0, residual)
        return (
            weight * dot3(second, potential, potential),
            (weight * dot3(second, slope, slope), weight * dot3(zeroth, potential, potential)),
        )

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """phi^2 = c^2 psi^2, |grad phi|^2 = (c psi')^2 + psi^2."""
        zeroth, _, second = row_moments(values, self.charges)
        square, square_slope = self.base.square_norms(curvature)
        return (
            weight * dot(second, square),
            (weight * dot(second, square_slope), weight * dot(zeroth, square)),
        )


@dataclass(frozen=True, eq=False)
class ChargedAtPoints:
    """Charged units at points (y_i, c_i)."""

    base: Table | SeriesTable
    charges: Array

    def prediction(self, values: Array, weight: float) -> Array:
        """f from the charges."""
        return self.base.prediction(values * self.charges, weight)

    def potential(self, residual: Array) -> Array:
        """V_i = c_i v(y_i)."""
        return self.charges * self.base.potential(residual)

    def slope(self, k: int, residual: Array) -> Array:
        """(c_i v'(y_i), v(y_i))."""
        if k < len(self.base.theta):
            return self.charges * self.base.slope(k, residual)
        return self.base.potential(residual)

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over points."""
        square, *square_slopes = self.base.square_norms(curvature)
        charged = values * self.charges**2
        return (
            weight * dot(charged, square),
            (
                *(weight * dot(charged, slope) for slope in square_slopes),
                weight * dot(values, square),
            ),
        )


def features_at_points(
    unit: AnyUnit, x: Array, w: Array, nodes: PointNodes, axes: tuple[Axis, ...], known: Known
) -> Features:
    """The linear maps of a unit between a data quadrature (x, w) and points of a space.

    By the series of the unit, or of the base of charged units, where it is smooth and of one
    parameter; `known` keeps them.
    """
    theta, shape = nodes.coordinates(), nodes.shape
    if isinstance(unit, Charged):
        base = Table(unit.psi, x, w, theta[:-1], shape)
        return ChargedAtPoints(_series(base, axes, known), theta[-1])
    return _series(Table(unit, x, w, theta, shape), axes, known)


def _series(table: Table, axes: tuple[Axis, ...], known: Known) -> Table | SeriesTable:
    return at_points(table, axes[0], known) if len(table.theta) == 1 else table


def features(
    unit: AnyUnit, x: Array, w: Array, nodes: Nodes, compressed: bool = True
) -> tuple[Features, ...]:
    """The linear maps of a unit between a data quadrature (x, w) and nodes, then their faces.

    Where f must be exact relative to its own size, however small, tables are not compressed.
    """
    if not isinstance(nodes, GridNodes):
        return (_at_points(unit, x, w, nodes),)
    grids = [GridNodes(axes) for axes in (nodes.axes, *nodes.faces)]
    if isinstance(unit, Charged):
        bases = [Table(unit.psi, x, w, (g.axes[0],), g.shape[:1]) for g in grids]
        tables = _tables(bases, compressed)
        pairs = zip(tables, grids, strict=True)
        return tuple(ChargedOnGrid(table, grid.axes[1]) for table, grid in pairs)
    quadratures = tensor_factors(x, w)
    if isinstance(unit, Gaussian) and quadratures is not None and len(nodes.axes) == 2:
        factor = Gaussian(unit.variance)
        sides = [
            _tables(
                [Table(factor, *q, (g.axes[k],), g.shape[k : k + 1]) for g in grids], compressed
            )
            for k, q in enumerate(quadratures)
        ]
        return tuple(SeparableOnGrid(one, two) for one, two in zip(*sides, strict=True))
    return _tables(
        [Table(unit, x, w, tuple(c.ravel() for c in g.coordinates()), g.shape) for g in grids],
        compressed,
    )


def _tables(tables: list[Table], compressed: bool) -> tuple[Table, ...]:
    """Tables on a grid and on its faces, by the modes of the first where that pays."""
    if not compressed:
        return tuple(tables)
    first = tables[0].compressed()
    return (first, *(table.by_modes(first.modes) for table in tables[1:]))


def _at_points(unit: AnyUnit, x: Array, w: Array, nodes: PointNodes) -> Features:
    theta, shape = nodes.coordinates(), nodes.shape
    if isinstance(unit, Charged):
        return ChargedAtPoints(Table(unit.psi, x, w, theta[:-1], shape), theta[-1])
    return Table(unit, x, w, theta, shape)


def mass_of(values: Array, weight: float) -> float:
    """Total mass, summed in a fixed order."""
    return weight * float(total(values.ravel()))
