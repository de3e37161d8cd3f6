"""Tables of a unit and its derivatives at all pairs of inputs and nodes, or of their modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from meanfield_pde.errors import InputError
from meanfield_pde.kernels.reductions import dot, dot3, matvec, transposed_matvec
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.modes import Modes, blocks, find_modes
from meanfield_pde.problem.units import UnitLike

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """One table: phi or a derivative of it, at all pairs of inputs and nodes, or its modes."""

    make: Callable[[slice], Array]
    size: int
    modes: Modes | None

    @cached_property
    def values(self) -> Array:
        """(data points or modes, nodes)."""
        if self.modes is None:
            return np.ascontiguousarray(self.make(slice(None)))
        table = np.empty((self.modes.rank, self.size))
        with threadpool_limits(limits=1, user_api="blas"):
            for part in blocks(self.size):
                table[:, part] = self.modes.project.T @ self.make(part)
        return table

    @cached_property
    def squares(self) -> Array:
        """values^2."""
        return self.values**2


@dataclass(frozen=True, eq=False)
class Table:
    """A unit and its derivatives at all pairs of inputs and nodes.

    Attributes
    ----------
    unit : UnitLike
    inputs, data_weights : arrays
        The data quadrature.
    theta : tuple of arrays (nodes,)
    shape : tuple of int
        Of the nodes.
    modes : Modes, optional
        What the tables are compressed by.
    """

    unit: UnitLike
    inputs: Array
    data_weights: Array
    theta: Theta
    shape: tuple[int, ...]
    modes: Modes | None = None

    def _values(self, part: NDArray[np.intp] | slice) -> Array:
        theta = tuple(t[part] for t in self.theta)
        result = self.unit.value(self.inputs, theta)
        if not np.isfinite(np.sum(result)) and all(np.all(np.isfinite(t)) for t in theta):
            where = np.argwhere(~np.isfinite(result))
            if where.size:
                q, i = where[0]
                values = ", ".join(f"{t[i]:g}" for t in theta)
                raise InputError(
                    f"the unit {self.unit.kind!r} is {result[q, i]} at x = {self.inputs[q]}, "
                    f"({', '.join(self.unit.parameters)}) = ({values}): expected a finite number"
                )
        return result

    def _derivative(self, k: int, part: NDArray[np.intp] | slice) -> Array:
        theta = tuple(t[part] for t in self.theta)
        return self.unit.derivative(k, self.inputs, theta, self._values(part))

    def tables(self, part: NDArray[np.intp] | slice) -> tuple[Array, ...]:
        """phi and its derivatives at some nodes, (data points, nodes) each."""
        return (self._values(part), *(self._derivative(k, part) for k in self._parameters))

    def compressed(self) -> Table:
        """The same by modes, where that pays."""
        return self.by_modes(find_modes(self.tables, self.theta[0].size, self.data_weights))

    def by_modes(self, modes: Modes | None) -> Table:
        """The same by given modes."""
        return replace(self, modes=modes)

    @cached_property
    def phi(self) -> Rows:
        """phi(x_q, theta_i)."""
        return Rows(self._values, self.theta[0].size, self.modes)

    @cached_property
    def slopes(self) -> tuple[Rows, ...]:
        """d phi / d theta_k (x_q, theta_i), each formed when first used."""

        def rows(k: int) -> Rows:
            return Rows(lambda part: self._derivative(k, part), self.theta[0].size, self.modes)

        return tuple(rows(k) for k in self._parameters)

    @property
    def _parameters(self) -> range:
        return range(len(self.theta))

    def _down(self, residual: Array) -> Array:
        """What a residual does to the rows."""
        return residual if self.modes is None else transposed_matvec(self.modes.lift, residual)

    def prediction(self, values: Array, weight: float) -> Array:
        """Sum over nodes."""
        rows = matvec(self.phi.values, values.ravel())
        return weight * (rows if self.modes is None else matvec(self.modes.lift, rows))

    def potential(self, residual: Array) -> Array:
        """Sum over inputs."""
        return transposed_matvec(self.phi.values, self._down(residual)).reshape(self.shape)

    def slope(self, k: int, residual: Array) -> Array:
        """Sum over inputs."""
        rows = self.slopes[k].values
        return transposed_matvec(rows, self._down(residual)).reshape(self.shape)

    def mean_squares(
        self, values: Array, weight: float, residual: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over nodes."""
        arrays = [self.potential(residual), *(self.slope(k, residual) for k in self._parameters)]
        flat = values.ravel()
        square, *slopes = [weight * dot3(flat, a.ravel(), a.ravel()) for a in arrays]
        return square, tuple(slopes)

    def square_norms(self, curvature: Array) -> tuple[Array, ...]:
        """int l'' phi^2 dnu at each node, and int l'' (d_k phi)^2 dnu for each parameter."""
        first = float(curvature[0])
        if np.all(curvature == first):
            return tuple(first * norm for norm in self._unit_square_norms)
        tables = (self.phi, *self.slopes)
        weights = self.data_weights * curvature
        if self.modes is None:
            return tuple(transposed_matvec(table.squares, weights) for table in tables)
        form = _curved(self.modes.lift, weights)
        return tuple(_quadratic(form, table.values) for table in tables)

    @cached_property
    def _unit_square_norms(self) -> tuple[Array, ...]:
        # Modes are orthonormal in L2(nu).
        weights = self.data_weights if self.modes is None else np.ones(self.modes.rank)
        return tuple(
            transposed_matvec(table.values**2, weights) for table in (self.phi, *self.slopes)
        )

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over nodes."""
        flat = values.ravel()
        square, *slopes = [weight * dot(flat, norm) for norm in self.square_norms(curvature)]
        return square, tuple(slopes)


def _curved(lift: Array, weights: Array) -> Array:
    """lift^T diag(weights) lift."""
    return np.stack([transposed_matvec(lift, weights * column) for column in lift.T])


def _quadratic(form: Array, rows: Array) -> Array:
    """b_i . form b_i for each column b_i of the rows."""
    result = np.zeros(rows.shape[1])
    for k, row in enumerate(rows):
        result += row * transposed_matvec(rows, form[k])
    return result
