"""Tables of a unit and its derivatives at all pairs of inputs and nodes, or of their modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from meanfield_pde.errors import InputError
from meanfield_pde.kernels.reductions import dot, matvec, transposed_matvec
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.modes import blocks, find_modes
from meanfield_pde.problem.units import UnitLike

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """A unit at all pairs of inputs and some of the nodes.

    Apart from `Table`, which its rows must not refer to: tables of moving nodes are made in every
    step, and one in a cycle of references would stay until the next garbage collection.
    """

    unit: UnitLike
    inputs: Array
    theta: Theta

    def values(self, part: NDArray[np.intp] | slice) -> Array:
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

    def derivative(self, k: int, part: NDArray[np.intp] | slice) -> Array:
        theta = tuple(t[part] for t in self.theta)
        return self.unit.derivative(k, self.inputs, theta, self.values(part))


@dataclass(frozen=True, eq=False)
class Rows:
    """One table: phi or a derivative of it, at all pairs of inputs and nodes, or its modes."""

    make: Callable[[slice], Array]
    size: int
    modes: Array | None

    @cached_property
    def values(self) -> Array:
        """(data points or modes, nodes)."""
        if self.modes is None:
            return np.ascontiguousarray(self.make(slice(None)))
        table = np.empty((self.modes.shape[1], self.size))
        with threadpool_limits(limits=1, user_api="blas"):
            for part in blocks(self.size):
                table[:, part] = self.modes.T @ self.make(part)
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
    modes : array (data points, rank), optional
        The basis the tables are compressed by.
    """

    unit: UnitLike
    inputs: Array
    data_weights: Array
    theta: Theta
    shape: tuple[int, ...]
    modes: Array | None = None

    @property
    def _pairs(self) -> _Pairs:
        return _Pairs(self.unit, self.inputs, self.theta)

    def tables(self, part: NDArray[np.intp] | slice) -> tuple[Array, ...]:
        """phi and its derivatives at some nodes, (data points, nodes) each."""
        pairs = self._pairs
        return (pairs.values(part), *(pairs.derivative(k, part) for k in self._parameters))

    def compressed(self) -> Table:
        """The same by modes, where that pays."""
        return self.by_modes(find_modes(self.tables, self.theta[0].size, self.inputs.shape[0]))

    def by_modes(self, modes: Array | None) -> Table:
        """The same by given modes."""
        return replace(self, modes=modes)

    @cached_property
    def phi(self) -> Rows:
        """phi(x_q, theta_i)."""
        return Rows(self._pairs.values, self.theta[0].size, self.modes)

    @cached_property
    def slopes(self) -> tuple[Rows, ...]:
        """d phi / d theta_k (x_q, theta_i), each formed when first used."""
        pairs, size = self._pairs, self.theta[0].size
        return tuple(Rows(partial(pairs.derivative, k), size, self.modes) for k in self._parameters)

    @property
    def _parameters(self) -> range:
        return range(len(self.theta))

    def _down(self, residual: Array) -> Array:
        """What a residual does to the rows."""
        return residual if self.modes is None else transposed_matvec(self.modes, residual)

    def prediction(self, values: Array, weight: float) -> Array:
        """Sum over nodes."""
        rows = matvec(self.phi.values, values.ravel())
        return weight * (rows if self.modes is None else matvec(self.modes, rows))

    def potential(self, residual: Array) -> Array:
        """Sum over inputs."""
        return transposed_matvec(self.phi.values, self._down(residual)).reshape(self.shape)

    def slope(self, k: int, residual: Array) -> Array:
        """Sum over inputs."""
        rows = self.slopes[k].values
        return transposed_matvec(rows, self._down(residual)).reshape(self.shape)

    def square_norms(self, curvature: Array) -> tuple[Array, ...]:
        """int l'' phi^2 dnu at each node, and int l'' (d_k phi)^2 dnu for each parameter."""
        first = float(curvature[0])
        if np.all(curvature == first):
            return tuple(first * norm for norm in self._unit_square_norms)
        return self._square_norms(self.data_weights * curvature)

    @cached_property
    def _unit_square_norms(self) -> tuple[Array, ...]:
        return self._square_norms(self.data_weights)

    def _square_norms(self, weights: Array) -> tuple[Array, ...]:
        tables = (self.phi, *self.slopes)
        if self.modes is None:
            return tuple(transposed_matvec(table.squares, weights) for table in tables)
        form = np.stack([transposed_matvec(self.modes, weights * u) for u in self.modes.T])
        return tuple(_quadratic(form, table.values) for table in tables)

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By sums over nodes."""
        flat = values.ravel()
        square, *slopes = [weight * dot(flat, norm) for norm in self.square_norms(curvature)]
        return square, tuple(slopes)


def _quadratic(form: Array, rows: Array) -> Array:
    """b_i . form b_i for each column b_i of the rows."""
    result = np.zeros(rows.shape[1])
    for k, row in enumerate(rows):
        result += row * transposed_matvec(rows, form[k])
    return result
