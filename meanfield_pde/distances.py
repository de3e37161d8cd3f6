"""Distances between measures that are points with masses.

    W_p       (min over couplings of int d(theta, theta')^p)^(1/p), exact: on the line and on the
              circle by quantiles, of several parameters by linear programming; or sliced
    kernel    (int int K d(mu - mu')^2)^(1/2) = |f[mu] - f[mu']| in L2 of the data

Sources: Delon, Salomon & Sobolevskii (2010), SIAM J. Appl. Math. 70, 2239, for the circle; Bonneel,
Rabin, Peyre & Pfister (2015), J. Math. Imaging Vis. 51, 22, for slices.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, NumericalFailure, require
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.representations.following import FollowingLandscape, folded
from meanfield_pde.representations.moments import point_moments
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

NEGLIGIBLE = 1e-12
"""Part of the mass, of the lightest points, that linear programming leaves out."""

MOST_PIVOTS = 10_000_000
"""Of linear programming."""

DIRECTIONS = 32
"""Of slices, unless told otherwise."""

HALVINGS = 60
"""Of the interval that the best shift along a circle lies in: beyond what a number resolves."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """A probability measure of points with masses.

    Parameters
    ----------
    points : array (points, parameters)
        On a circle they are brought back between its ends.
    masses : array (points,)
        Divided by their sum.
    axes : tuple of Axis
        Of a space: `space.axes`.

    Raises
    ------
    InputError
        If shapes do not fit, a number is not finite, or a mass negative.
    """

    points: Array
    masses: Array
    axes: tuple[Axis, ...]

    weight: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        points, masses = (np.asarray(given, dtype=float) for given in (self.points, self.masses))
        fits = points.ndim == 2 and points.shape == (masses.size, len(self.axes)) != (0, 0)
        shapes = points.shape, masses.shape
        require(fits, "points, masses", shapes, f"(points, {len(self.axes)}) and (points,)")
        finite = bool(np.all(np.isfinite(points)) and np.all(np.isfinite(masses)))
        require(finite, "points, masses", "nan or infinite", "finite numbers")
        usable = bool(np.all(masses >= 0.0)) and float(masses.sum()) > 0.0
        require(usable, "masses", float(masses.min()), "numbers >= 0, not all of them 0")
        object.__setattr__(self, "points", folded(points, self.axes))
        object.__setattr__(self, "masses", masses / masses.sum())

    @property
    def values(self) -> Array:
        """The masses, as a landscape takes them."""
        return self.masses

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        return point_moments(self.points, self.masses, self.axes)


def snapshot_cloud(solution: Solution, index: int) -> Cloud:
    """One snapshot of a solution: its nodes, its particles, or the centres of its cells."""
    layout = solution.layout
    axes = layout.axes
    if solution.nodes:
        nodes = solution.nodes[index]
        return Cloud(nodes[:, :-1], np.exp(nodes[:, -1]), axes)
    if not layout.on_grid:
        points = solution.measure[index]
        return Cloud(points, np.ones(len(points)), axes)
    grids = np.meshgrid(*layout.centres, indexing="ij")
    points = np.stack([grid.ravel() for grid in grids], axis=1)
    # Of a Fourier series, where it is no density.
    return Cloud(points, np.maximum(solution.measure[index].ravel(), 0.0), axes)


def wasserstein(first: Cloud, second: Cloud, order: int = 1) -> float:
    """The Wasserstein distance W_1 or W_2, exact; circles are measured along their arcs.

    Of several parameters it takes the library POT, and time and memory of (points)^2 and more.

    Raises
    ------
    InputError
        If the clouds are on different spaces, the order is another one, or POT is missing.
    """
    _require_comparable(first, second, order)
    if len(first.axes) > 1:
        return _by_transport(first, second, order)
    pair = (first.points[:, 0], first.masses, second.points[:, 0], second.masses)
    (axis,) = first.axes
    return _on_circle(*pair, order, axis.period) if axis.periodic else _on_line(*pair, order)


def sliced_wasserstein(
    first: Cloud, second: Cloud, order: int = 1, directions: int = DIRECTIONS
) -> float:
    """The mean of W_p^p over projections to lines, to the power 1/p, for p = 1 or 2.

    Directions are equispaced in the plane, and the same random ones at every call in other
    dimensions. A circle is taken as one in the plane, so that its chords are measured.

    Raises
    ------
    InputError
        If the clouds are on different spaces, or the order is another one.
    """
    _require_comparable(first, second, order)
    one, two = _embedded(first), _embedded(second)
    powers = [
        _on_line(one @ along, first.masses, two @ along, second.masses, order) ** order
        for along in _directions(one.shape[1], directions)
    ]
    return float(np.mean(powers)) ** (1.0 / order)


def heavy(cloud: Cloud) -> Cloud:
    """Without the lightest points, `NEGLIGIBLE` of the mass in all: what linear programs are of."""
    order = np.argsort(cloud.masses)
    kept = np.sort(order[np.cumsum(cloud.masses[order]) > NEGLIGIBLE])
    return Cloud(cloud.points[kept], cloud.masses[kept], cloud.axes)


def kernel_distance(energy: Energy, first: Cloud | Array, second: Cloud | Array) -> float:
    """|f[mu] - f[mu']| in L2 of the data: the distance of the kernel K of the squared loss.

    Parameters
    ----------
    energy : Energy
    first, second : Cloud or array (data points,)
        Measures, or their predictions, such as `solution.prediction[k]`.
    """
    apart = _prediction(energy, first) - _prediction(energy, second)
    return math.sqrt(float(energy.data_weights @ apart**2))


def _prediction(energy: Energy, measure: Cloud | Array) -> Array:
    if isinstance(measure, Cloud):
        return FollowingLandscape(energy).at(measure).prediction
    expected = f"({energy.data_weights.size},), one a data point"
    require(measure.shape == energy.data_weights.shape, "shape", measure.shape, expected)
    return measure


def _require_comparable(first: Cloud, second: Cloud, order: int) -> None:
    require(order in (1, 2), "order", order, "1 or 2")
    require(first.axes == second.axes, "second cloud's axes", second.axes, str(first.axes))


def _on_line(x: Array, a: Array, y: Array, b: Array, order: int) -> float:
    """int_0^1 |F^-1 - G^-1|^p du of step functions."""
    (x, levels_x), (y, levels_y) = _quantiles(x, a), _quantiles(y, b)
    ends = np.sort(np.concatenate([levels_x, levels_y]))
    widths = np.diff(ends, prepend=0.0)
    middle = ends - 0.5 * widths
    gaps = x[np.searchsorted(levels_x, middle)] - y[np.searchsorted(levels_y, middle)]
    return float(widths @ np.abs(gaps) ** order) ** (1.0 / order)


def _quantiles(x: Array, masses: Array) -> tuple[Array, Array]:
    """Places in order, and the distribution function there."""
    order = np.argsort(x)
    levels = np.cumsum(masses[order])
    levels /= levels[-1]
    return x[order], levels


def _on_circle(x: Array, a: Array, y: Array, b: Array, order: int, period: float) -> float:
    """min over s of int_0^1 |F^-1(u) - G^-1(u - s)|^p du, both continued beyond a turn.

    Convex in s, and linear between values of s at which steps of F and G meet.
    """
    (x, levels_x), (y, levels_y) = _quantiles(x, a), _quantiles(y, b)

    def lifted(places: Array, levels: Array, u: Array) -> Array:
        turns = np.floor(u)
        index = np.minimum(np.searchsorted(levels, u - turns), places.size - 1)
        return places[index] + period * turns

    after = np.append(y[1:], y[0] + period)

    def slope(shift: float) -> float:
        at = lifted(x, levels_x, levels_y + shift)
        return float(np.sum(np.abs(at - y) ** order - np.abs(at - after) ** order))

    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        shift = 0.5 * (low + high)
        low, high = (low, shift) if slope(shift) > 0.0 else (shift, high)
    ends = np.sort(np.concatenate([levels_x, np.mod(levels_y + low, 1.0), [1.0]]))
    widths = np.diff(ends, prepend=0.0)
    middle = ends - 0.5 * widths
    gaps = lifted(x, levels_x, middle) - lifted(y, levels_y, middle - low)
    return float(widths @ np.abs(gaps) ** order) ** (1.0 / order)


def _by_transport(first: Cloud, second: Cloud, order: int) -> float:
    ot = _library()
    one, two = heavy(first), heavy(second)
    squares = np.zeros((one.masses.size, two.masses.size))
    for k, axis in enumerate(first.axes):
        apart = np.abs(np.subtract.outer(one.points[:, k], two.points[:, k]))
        if axis.periodic:
            apart = np.minimum(apart, axis.length - apart)
        squares += apart**2
    costs = squares if order == 2 else np.sqrt(squares)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            cost = float(ot.emd2(one.masses, two.masses, costs, numItermax=MOST_PIVOTS))
        except UserWarning as warning:
            raise NumericalFailure(
                f"optimal transport between {one.masses.size} and {two.masses.size} points did not "
                f"end ({warning}): take fewer points, or sliced_wasserstein"
            ) from None
    return max(cost, 0.0) ** (1.0 / order)


def _library() -> Any:
    try:
        import ot
    except ImportError:
        raise InputError(
            "Wasserstein distances of several parameters take the library POT: expected "
            'pip install "meanfield_pde[transport]"'
        ) from None
    return ot


def _embedded(cloud: Cloud) -> Array:
    """The points in a Euclidean space: two components for each circle."""
    columns = []
    for column, axis in zip(cloud.points.T, cloud.axes, strict=True):
        if axis.periodic:
            radius = axis.length / (2.0 * math.pi)
            columns += [radius * np.cos(column / radius), radius * np.sin(column / radius)]
        else:
            columns.append(column)
    return np.column_stack(columns)


def _directions(dimension: int, number: int) -> Array:
    """Unit vectors (number, dimension)."""
    if dimension == 2:
        angles = math.pi * (np.arange(number) + 0.5) / number
        return np.column_stack([np.cos(angles), np.sin(angles)])
    vectors = np.random.default_rng(0).standard_normal((number, dimension))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
