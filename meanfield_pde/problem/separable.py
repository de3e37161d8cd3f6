"""Units that are products of one unit a parameter, on grids: phi = psi_1(x_1, y_1) psi_2(x_2, y_2).

Where the data quadrature is a tensor product too, f = Phi_1 m Phi_2^T and V = Phi_1^T r Phi_2 with
the small tables of both factors: the table of all pairs is never formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.kernels.reductions import dot, matmul
from meanfield_pde.problem.tables import Rows, Table

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeparableOnGrid:
    """The tables of both factors, each at the nodes of its own axis."""

    first: Table
    second: Table

    def prediction(self, values: Array, weight: float) -> Array:
        """f = Phi_1 m Phi_2^T."""
        across = matmul(self.second.phi.values, np.ascontiguousarray(values.T))
        rows = matmul(self.first.phi.values, np.ascontiguousarray(across.T))
        return weight * self._lifted(rows).ravel()

    def _lifted(self, rows: Array) -> Array:
        for side in (self.first, self.second):
            # Each turn lifts the first axis and sends it last.
            lifted = rows if side.modes is None else matmul(side.modes, rows)
            rows = np.ascontiguousarray(lifted.T)
        return rows

    def _down(self, residual: Array) -> Array:
        rows = residual.reshape(self.first.inputs.size, self.second.inputs.size)
        for side in (self.first, self.second):
            if side.modes is not None:
                rows = matmul(np.ascontiguousarray(side.modes.T), rows)
            rows = np.ascontiguousarray(rows.T)
        return rows

    def _spread(self, residual: Array, one: Rows, two: Rows) -> Array:
        columns = np.ascontiguousarray(one.values.T)
        return matmul(columns, matmul(self._down(residual), two.values))

    def potential(self, residual: Array) -> Array:
        """V = Phi_1^T r Phi_2."""
        return self._spread(residual, self.first.phi, self.second.phi)

    def slope(self, k: int, residual: Array) -> Array:
        """The same with the derivative of one factor."""
        if k == 0:
            return self._spread(residual, self.first.slopes[0], self.second.phi)
        return self._spread(residual, self.first.phi, self.second.slopes[0])

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """int l'' psi_1^2 psi_2^2 dnu = Phi_1^2^T (w l'') Phi_2^2 with the whole small tables."""
        one, two = self._whole
        weights = np.multiply.outer(self.first.data_weights, self.second.data_weights)
        priced = weights * curvature.reshape(weights.shape)
        pairs = [
            (one.phi, two.phi),
            (one.slopes[0], two.phi),
            (one.phi, two.slopes[0]),
        ]
        square, *slopes = [
            weight * dot(values.ravel(), _between(a.squares, priced, b.squares).ravel())
            for a, b in pairs
        ]
        return square, tuple(slopes)

    @cached_property
    def _whole(self) -> tuple[Table, Table]:
        return self.first.by_modes(None), self.second.by_modes(None)


def _between(one: Array, middle: Array, two: Array) -> Array:
    """one^T middle two."""
    return matmul(np.ascontiguousarray(one.T), matmul(middle, two))


def tensor_factors(x: Array, w: Array) -> tuple[tuple[Array, Array], ...] | None:
    """The two one-dimensional quadratures (nodes, weights) that a quadrature is a product of.

    None where it is none, or its points are not in the order of a tensor product.
    """
    if x.ndim != 2 or x.shape[1] != 2 or not np.max(w) > 0:
        return None
    changed = x[:, 0] != x[0, 0]
    second = int(np.argmax(changed)) if np.any(changed) else x.shape[0]
    if x.shape[0] % second:
        return None
    one, two = x[::second, 0], x[:second, 1]
    weights = w.reshape(one.size, two.size)
    product = np.stack([c.ravel() for c in np.meshgrid(one, two, indexing="ij")], axis=1)
    # The largest weight is far from underflow, where the corners of a Gauss-Hermite rule are not.
    i, j = np.unravel_index(np.argmax(weights), weights.shape)
    rows, columns = weights[:, j] / weights[i, j], weights[i]
    outer = np.multiply.outer(rows, columns)
    same = np.allclose(outer, weights, rtol=1e-12, atol=1e-300)
    if not (np.array_equal(product, x) and same):
        return None
    total = float(np.sum(columns))
    return (one, rows * total), (two, columns / total)
