"""The linear maps between a measure and the prediction, f = Phi m and V = Phi^T r.

Phi[q, i] = phi(x_q, theta_i). A measure has mass weight * values[i] at node i. Three forms share
one interface: a table (any unit without charge, one parameter), and for charged units
c psi(x, y) the table of psi alone, since only the charge density q(y) = int c mu(dy, dc) matters:
on a grid of (y, c), and at points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.kernels.reductions import (
    dot,
    dot3,
    matvec,
    row_moments,
    total,
    transposed_matvec,
)
from meanfield_pde.problem.nodes import GridNodes, Nodes
from meanfield_pde.problem.units import Charged, OneParameterUnit, Unit

Array = NDArray[np.float64]


class Features(Protocol):
    """What the energy needs to know of a unit at given nodes."""

    def prediction(self, values: Array, weight: float) -> Array:
        """f[mu](x_q) = sum_i Phi[q, i] weight values[i]."""
        ...

    def potential(self, residual: Array) -> Array:
        """V_i = sum_q Phi[q, i] residual[q], one entry a node."""
        ...

    def gradient(self, residual: Array) -> tuple[Array, ...]:
        """Derivatives of V, one array (or scalar broadcast to the nodes) a parameter."""
        ...

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """(int V^2 dmu, int (d_k V)^2 dmu for each parameter k)."""
        ...

    def mean_square_norms(self, values: Array, weight: float) -> tuple[float, tuple[float, ...]]:
        """(int int phi^2 dnu dmu, int int (d_k phi)^2 dnu dmu for each parameter k)."""
        ...


@dataclass(frozen=True, eq=False)
class Table:
    """psi and its derivative at all pairs of inputs x and one-parameter nodes."""

    unit: OneParameterUnit
    inputs: Array
    data_weights: Array
    parameter: Array

    @cached_property
    def values_of_unit(self) -> Array:
        """psi(x_q, y_i)."""
        return self.unit.value(self.inputs, self.parameter)

    @cached_property
    def derivatives(self) -> Array:
        """d psi / dy (x_q, y_i)."""
        return self.unit.derivative(self.inputs, self.parameter, self.values_of_unit)

    def prediction(self, values: Array, weight: float) -> Array:
        """Sum over nodes."""
        return weight * matvec(self.values_of_unit, values)

    def potential(self, residual: Array) -> Array:
        """Sum over inputs."""
        return transposed_matvec(self.values_of_unit, residual)

    def gradient(self, residual: Array) -> tuple[Array, ...]:
        """One derivative."""
        return (transposed_matvec(self.derivatives, residual),)

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over nodes."""
        potential = self.potential(residual)
        (slope,) = self.gradient(residual)
        return (
            weight * dot3(values, potential, potential),
            (weight * dot3(values, slope, slope),),
        )

    @cached_property
    def square_norms(self) -> tuple[Array, Array]:
        """int psi^2 dnu and int (d psi)^2 dnu at each node."""
        return (
            transposed_matvec(self.values_of_unit**2, self.data_weights),
            transposed_matvec(self.derivatives**2, self.data_weights),
        )

    def mean_square_norms(self, values: Array, weight: float) -> tuple[float, tuple[float, ...]]:
        """By sums over nodes."""
        square, square_slope = self.square_norms
        return weight * dot(values, square), (weight * dot(values, square_slope),)


@dataclass(frozen=True, eq=False)
class ChargedOnGrid:
    """Charged units on a grid of (y, c): every integral is one over row moments in c."""

    base: Table
    charges: Array

    def prediction(self, values: Array, weight: float) -> Array:
        """f from the charge density."""
        return self.base.prediction(row_moments(values, self.charges)[1], weight)

    def potential(self, residual: Array) -> Array:
        """V(y, c) = c v(y)."""
        return np.multiply.outer(self.base.potential(residual), self.charges)

    def gradient(self, residual: Array) -> tuple[Array, ...]:
        """(c v'(y), v(y))."""
        (slope,) = self.base.gradient(residual)
        return np.multiply.outer(slope, self.charges), self.base.potential(residual)[:, None]

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """V^2 = c^2 v^2, |grad V|^2 = (c v')^2 + v^2."""
        zeroth, _, second = row_moments(values, self.charges)
        potential = self.base.potential(residual)
        (slope,) = self.base.gradient(residual)
        return (
            weight * dot3(second, potential, potential),
            (weight * dot3(second, slope, slope), weight * dot3(zeroth, potential, potential)),
        )

    def mean_square_norms(self, values: Array, weight: float) -> tuple[float, tuple[float, ...]]:
        """phi^2 = c^2 psi^2, |grad phi|^2 = (c psi')^2 + psi^2."""
        zeroth, _, second = row_moments(values, self.charges)
        square, square_slope = self.base.square_norms
        return (
            weight * dot(second, square),
            (weight * dot(second, square_slope), weight * dot(zeroth, square)),
        )


@dataclass(frozen=True, eq=False)
class ChargedAtPoints:
    """Charged units at points (y_i, c_i)."""

    base: Table
    charges: Array

    def prediction(self, values: Array, weight: float) -> Array:
        """f from the charges."""
        return self.base.prediction(values * self.charges, weight)

    def potential(self, residual: Array) -> Array:
        """V_i = c_i v(y_i)."""
        return self.charges * self.base.potential(residual)

    def gradient(self, residual: Array) -> tuple[Array, ...]:
        """(c_i v'(y_i), v(y_i))."""
        (slope,) = self.base.gradient(residual)
        return self.charges * slope, self.base.potential(residual)

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over points."""
        potential = self.base.potential(residual)
        (slope,) = self.base.gradient(residual)
        charged = values * self.charges**2
        return (
            weight * dot3(charged, potential, potential),
            (weight * dot3(charged, slope, slope), weight * dot3(values, potential, potential)),
        )

    def mean_square_norms(self, values: Array, weight: float) -> tuple[float, tuple[float, ...]]:
        """By sums over points."""
        square, square_slope = self.base.square_norms
        charged = values * self.charges**2
        return (
            weight * dot(charged, square),
            (weight * dot(charged, square_slope), weight * dot(values, square)),
        )


def features(unit: Unit, x: Array, w: Array, nodes: Nodes) -> Features:
    """The linear maps of a unit between a data quadrature (x, w) and nodes."""
    base = unit.base if isinstance(unit, Charged) else unit
    if isinstance(nodes, GridNodes):
        table = Table(base, x, w, nodes.axes[0])
        return ChargedOnGrid(table, nodes.axes[1]) if isinstance(unit, Charged) else table
    coordinates = nodes.coordinates()
    table = Table(base, x, w, coordinates[0])
    return ChargedAtPoints(table, coordinates[1]) if isinstance(unit, Charged) else table


def mass_of(values: Array, weight: float) -> float:
    """Total mass, summed in a fixed order."""
    return weight * float(total(values.ravel()))
