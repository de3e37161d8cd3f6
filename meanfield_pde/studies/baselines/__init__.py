"""One problem for three general packages, against which the cost of the solvers here is measured.

Units c psi(x, y), psi the unit-mass Gaussian in x of mean y and variance 0.5, x on the line; target
(N(-2, 0.5) - 2 N(0, 1) + N(2, 0.5)) / 3; c standard normal at first, and y too or uniform on
[-2, 2], cut at the walls of a box; alpha = 5, to t = 5:

    d_t rho = d_y(c v'(y) rho) + d_c(v(y) rho) - alpha (c v(y) - <V>) rho
    v(y) = int psi(x, y) (f - f*)(x) dx,   f(x) = int psi(x, y) q(y) dy,   q(y) = int c rho dc

Nothing here comes from the solvers it is compared with: it is what a user of each package would
write. The potential needs the charge density q alone, so v and v' are two products of a small
matrix and a vector.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
T = TypeVar("T")

ALPHA = 5.0
T_END = 5.0
POINTS: Array = np.linspace(-10.0, 10.0, 51)
"""Data points; the trapezoidal rule on them has a relative error of 1e-13."""

HALF_WIDTHS = (6.0, 8.0)
"""Of the box, along y and c; the cut moves the prediction at `T_END` by 3e-11 in L2."""

UNIT_VARIANCE = 0.5
TARGET = ((1 / 3, -2.0, 0.5), (-2 / 3, 0.0, 1.0), (1 / 3, 2.0, 0.5))
"""Weight, mean and variance of each Gaussian."""

Start = Literal["normal", "uniform"]
"""The law of y at first: standard normal, or the paper's, uniform on [-2, 2]."""

Ladder = tuple[tuple[tuple[int, int], float], ...]
"""(cells along y and c, tolerance) from coarse to fine; errors in space are the larger ones."""


@dataclass(frozen=True)
class Result:
    """What a package answered and what it took.

    Parameters
    ----------
    prediction
        f at `POINTS` and `T_END`.
    cpu_seconds
        CPU time of the integration alone: no import, no compilation, no set-up.
    steps
        Accepted steps.
    cells
        Along y and c.
    """

    prediction: Array
    cpu_seconds: float
    steps: int
    cells: tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """The problem on cells (y, c) of the box.

    Parameters
    ----------
    y, c
        Centres of the cells.
    widths
        Of a cell along y and c.
    charges
        c dc, so that q = rho @ charges.
    density
        rho at first, at the centres, of mass 1.
    features
        (points, y): f = features @ q.
    target
        f* at the points.
    tests
        (2 y, points): v, and after it v', are tests @ (f - f*).
    """

    y: Array
    c: Array
    widths: tuple[float, float]
    charges: Array
    density: Array
    features: Array
    target: Array
    tests: Array

    def prediction(self, density: Array) -> Array:
        """The prediction f at the data points."""
        return self.features @ (density @ self.charges)


def gaussian(x: Array, variance: float) -> Array:
    """Density of N(0, variance)."""
    return np.exp(-(x**2) / (2.0 * variance)) / math.sqrt(2.0 * math.pi * variance)


def target(x: Array) -> Array:
    """f* at x."""
    return np.sum([w * gaussian(x - mean, variance) for w, mean, variance in TARGET], axis=0)


def grid(cells: tuple[int, int], start: Start = "normal", order: int = 2) -> Grid:
    """The problem on that many cells along y and c, for differences of an order."""
    y, c = (
        half * (2.0 * np.arange(n) + 1.0 - n) / n
        for half, n in zip(HALF_WIDTHS, cells, strict=True)
    )
    width_y, width_c = (2.0 * half / n for half, n in zip(HALF_WIDTHS, cells, strict=True))
    offsets = POINTS[:, None] - y
    units = gaussian(offsets, UNIT_VARIANCE)
    tests = np.hstack([units, offsets / UNIT_VARIANCE * units]).T
    if start == "normal":
        along_y = gaussian(y, 1.0)
    elif order > 2:
        along_y = _spread(y, width_y)
    else:
        ends = np.clip(y[:, None] + 0.5 * width_y * np.array([-1.0, 1.0]), -2.0, 2.0)
        along_y = np.diff(ends, axis=1)[:, 0]
    density = np.outer(along_y, gaussian(c, 1.0))
    return Grid(
        y=y,
        c=c,
        widths=(width_y, width_c),
        charges=width_c * c,
        density=density / (density.sum() * width_y * width_c),
        features=width_y * units,
        target=target(POINTS),
        tests=(POINTS[1] - POINTS[0]) * tests,
    )


def _spread(y: Array, width: float, points: int = 40, neighbours: int = 14) -> Array:
    """The uniform law on [-2, 2] at grid points so that integrals of smooth functions are right.

    Gauss points, each spread over grid points by Lagrange weights: cell averages would be right to
    second order only. In the sense of Mock & Lax (1978).
    """
    nodes, weights = np.polynomial.legendre.leggauss(points)
    density = np.zeros(y.size)
    local = np.arange(neighbours)
    for node, weight in zip(2.0 * nodes, 0.5 * weights, strict=True):
        place = (node - y[0]) / width
        first = math.floor(place) - neighbours // 2 + 1
        differences = local[:, None] - local + np.eye(neighbours)
        factors = (place - first - local) / differences + np.eye(neighbours) * (
            1.0 - (place - first - local)
        )
        density[first : first + neighbours] += weight / width * factors.prod(axis=1)
    return density


def central_weights(order: int) -> Array:
    """Weights g of the central difference (1/h) sum_k g_k (u_{i+k} - u_{i-k}), k = 1 to order / 2.

    Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
    Math. Comp. 51 (1988).
    """
    p = order // 2
    return np.array([(-1) ** (k + 1) * math.comb(2 * p, p - k) / k for k in range(1, p + 1)]) / (
        math.comb(2 * p, p)
    )


def timed(work: Callable[[], T], calls: int = 5, enough: float = 1.0) -> tuple[T, float]:
    """What `work` gives and the least CPU seconds of a few calls: fewer once `enough` are spent."""
    seconds: list[float] = []
    while len(seconds) < calls and sum(seconds) < enough:
        start = time.process_time()
        value = work()
        seconds.append(time.process_time() - start)
    return value, min(seconds)
