"""Units of one parameter as series: O(nodes x rank) at nodes wherever they are.

A smooth unit is, for y in a range, to round-off

    phi(x_q, y) = sum_k A[q, k] e_k(y),        e_k Chebyshev polynomials, or waves on a circle,

so that f = A (sum_i m_i e_k(y_i)) and V(y) = sum_k (A^T w l')_k e_k(y) cost as many operations a
node as there are terms, without exponentials, whatever the number of data points. dV/dy is the
derivative of that very series. The range is the smallest one of a family that holds the nodes.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.kernels.reductions import matvec, transposed_matvec
from meanfield_pde.kernels.series import (
    chebyshev_moments,
    chebyshev_series,
    wave_moments,
    wave_series,
)
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.problem.tables import Table
from meanfield_pde.problem.units import UnitLike

Array = NDArray[np.float64]

ROUND_OFF = 2e-15
"""Size of the last coefficients, relative to the largest, from which a series is complete."""

MOST_TERMS = 512

HOLDS = 1e-12
"""Largest error of a series at points that are looked at, relative to the largest value there."""

Range = tuple[float, float, bool]
"""Lower end, upper end, whether they are the same point."""

Known = MutableMapping[Range, "Series | None"]


@dataclass(frozen=True, eq=False)
class Series:
    """The coefficients of a unit on a range.

    Attributes
    ----------
    matrix : array (data points, terms)
        Of polynomials; on a circle of cosines, then of sines.
    span : Range
    """

    matrix: Array
    span: Range

    @property
    def _terms(self) -> int:
        return self.matrix.shape[1] // 2 if self.span[2] else self.matrix.shape[1]

    @property
    def _scale(self) -> float:
        """Of the coordinate in which the series is one: d place / d y."""
        lower, upper, circle = self.span
        return (2.0 * math.pi if circle else 2.0) / (upper - lower)

    def places(self, y: Array) -> Array:
        """The coordinate: in [-1, 1], or an angle."""
        lower, upper, circle = self.span
        return np.asarray(self._scale * (y - (lower if circle else 0.5 * (lower + upper))))

    def moments(self, places: Array, masses: Array) -> Array:
        """sum_i m_i e_k(y_i), one entry a column of the matrix."""
        if self.span[2]:
            return np.asarray(wave_moments(places, masses, self._terms)).ravel()
        return np.asarray(chebyshev_moments(places, masses, self._terms))

    def values(self, places: Array, coefficients: Array) -> Array:
        """sum_k coefficients[k] e_k(y_i)."""
        if self.span[2]:
            cosines, sines = coefficients.reshape(2, -1)
            return np.asarray(wave_series(places, cosines, sines))
        return np.asarray(chebyshev_series(places, coefficients))

    @cached_property
    def slopes(self) -> Array:
        """The matrix of the derivative in y, (data points, terms)."""
        if self.span[2]:
            orders = self._scale * np.arange(self._terms)
            return np.hstack(
                [orders * self.matrix[:, self._terms :], -orders * self.matrix[:, : self._terms]]
            )
        changed = np.polynomial.chebyshev.chebder(self.matrix, axis=1)
        whole = np.zeros(self.matrix.shape)
        whole[:, : changed.shape[1]] = self._scale * changed
        return whole


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """A unit of one parameter at nodes, by its series (as `tables.Table` for any unit)."""

    table: Table
    series: Series

    @property
    def theta(self) -> tuple[Array, ...]:
        """The nodes."""
        return self.table.theta

    @cached_property
    def _places(self) -> Array:
        return self.series.places(self.theta[0])

    def prediction(self, values: Array, weight: float) -> Array:
        """Sum over nodes."""
        return weight * matvec(self.series.matrix, self.series.moments(self._places, values))

    def potential(self, residual: Array) -> Array:
        """Sum over terms."""
        coefficients = transposed_matvec(self.series.matrix, residual)
        return self.series.values(self._places, coefficients)

    def slope(self, k: int, residual: Array) -> Array:
        """Sum over terms of their derivatives."""
        coefficients = transposed_matvec(self.series.slopes, residual)
        return self.series.values(self._places, coefficients)

    def square_norms(self, curvature: Array) -> tuple[Array, ...]:
        """By the table of all pairs."""
        return self.table.square_norms(curvature)

    def mean_square_norms(
        self, values: Array, weight: float, curvature: Array
    ) -> tuple[float, tuple[float, ...]]:
        """By the table of all pairs."""
        return self.table.mean_square_norms(values, weight, curvature)


def at_points(table: Table, axis: Axis, known: Known) -> Table | SeriesTable:
    """A table of one parameter by its series where there is one.

    Parameters
    ----------
    table : Table
    axis : Axis
        Where the nodes live.
    known : mapping of ranges to series
        Those found before; a new one is added.
    """
    (y,) = table.theta
    ends = float(y.min()), float(y.max())
    if not math.isfinite(ends[0] + ends[1]):
        return table
    span = (axis.lower, axis.upper, True) if axis.periodic else _range_of(*ends, axis)
    if span not in known:
        known[span] = series_of(table.unit, table.inputs, span)
    series = known[span]
    return table if series is None else SeriesTable(table, series)


def _range_of(lowest: float, highest: float, axis: Axis) -> Range:
    """Holds all nodes; one of few, so that nodes may move a little without another one."""
    length = 2.0 ** math.ceil(math.log2(max(highest - lowest, 2.0**-6)))
    lower = math.floor(lowest / (0.25 * length)) * 0.25 * length
    upper = min(lower + 1.25 * length, axis.upper)
    # All nodes may sit on a wall.
    return max(min(lower, upper - length), axis.lower), upper, False


def series_of(unit: UnitLike, x: Array, span: Range) -> Series | None:
    """The series of a unit on a range; None if it takes too many terms."""
    count = 32
    while count <= MOST_TERMS:
        matrix = _waves(unit, x, span, count) if span[2] else _polynomials(unit, x, span, count)
        sizes = np.max(np.abs(matrix), axis=0)
        if span[2]:
            sizes = np.maximum(*sizes.reshape(2, -1))
        largest = float(sizes.max())
        needed = int(np.flatnonzero(sizes > ROUND_OFF * largest).max(initial=0)) + 1
        if math.isfinite(largest) and needed < 0.9 * sizes.size:
            kept = matrix.reshape(x.shape[0], -1, sizes.size)[:, :, :needed]
            series = Series(np.ascontiguousarray(kept.reshape(x.shape[0], -1)), span)
            return series if _holds(series, unit, x) else None
        count *= 2
    return None


def _holds(series: Series, unit: UnitLike, x: Array) -> bool:
    """Whether a series is the unit at other points than those it was made from."""
    lower, upper, _ = series.span
    y: Array = lower + (upper - lower) * np.random.default_rng(0).random(16)
    places = series.places(y)
    exact = unit.value(x, (y,))
    found = np.stack([series.values(places, row) for row in series.matrix])
    return bool(np.max(np.abs(found - exact)) <= HOLDS * np.max(np.abs(exact)))


def _polynomials(unit: UnitLike, x: Array, span: Range, count: int) -> Array:
    lower, upper, _ = span
    turns = np.multiply.outer(2 * np.arange(count) + 1, np.arange(count)) % (4 * count)
    transform = np.cos(turns * (0.5 * math.pi / count)) * (2.0 / count)
    transform[:, 0] *= 0.5
    angles = (np.arange(count, dtype=np.float64) + 0.5) * (math.pi / count)
    y = 0.5 * (lower + upper) + 0.5 * (upper - lower) * np.cos(angles)
    return np.einsum("qj,jk->qk", unit.value(x, (y,)), transform)


def _waves(unit: UnitLike, x: Array, span: Range, count: int) -> Array:
    lower, upper, _ = span
    # Whole turns are taken off before the cosine: its rounding would grow with k.
    turns = np.multiply.outer(np.arange(2 * count), np.arange(count)) % (2 * count)
    phases = turns * (math.pi / count)
    transform = np.concatenate([np.cos(phases), np.sin(phases)], axis=1) / count
    transform[:, 0] *= 0.5
    y: Array = lower + (upper - lower) / (2 * count) * np.arange(2 * count, dtype=np.float64)
    return np.einsum("qj,jk->qk", unit.value(x, (y,)), transform)
