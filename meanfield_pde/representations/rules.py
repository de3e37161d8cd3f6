"""Quadrature rules along one parameter, with what is needed to interpolate between their nodes.

Functions of the initial parameter xi (positions, growth) are smooth along characteristics, whatever
mu does: between nodes they are polynomials on patches of the rule, of as many nodes as the rule has
there (Gauss) or of `NEIGHBOURS` (equispaced). What a rule misses shows in the last coefficients of
the expansion in its own polynomials or waves, its tails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

NEIGHBOURS = 16
"""Nodes of an equispaced rule that a value between them is interpolated from."""

MOST_WAVES = 256
"""Nodes on a circle up to which interpolation is by waves."""

PANEL = 16
"""Gauss points of a panel where there are several panels."""

LONGEST_PANEL = 40
"""Gauss points up to which one panel is enough."""


class Stencil(NamedTuple):
    """Interpolation: values sum_s weights[i, s] F[indices[i, s]], likewise derivatives by slopes.

    Attributes
    ----------
    indices : array (points, neighbours)
    weights, slopes : arrays (points, neighbours)
    """

    indices: Indices
    weights: Array
    slopes: Array


@dataclass(frozen=True, eq=False)
class GaussPanels:
    """Gauss-Legendre with `points` nodes on each panel between breaks.

    `cut` says of either end whether the law goes on beyond it.
    """

    breaks: Array
    points: int
    cut: tuple[bool, bool] = (False, False)

    @cached_property
    def nodes(self) -> Array:
        """In increasing order."""
        unit, _ = np.polynomial.legendre.leggauss(self.points)
        return (self._middles[:, None] + self._halves[:, None] * unit).ravel()

    @cached_property
    def log_weights(self) -> Array:
        """Logarithms of the weights, whose sum is the length."""
        _, weights = np.polynomial.legendre.leggauss(self.points)
        return np.log(self._halves[:, None] * weights).ravel()

    @property
    def ends(self) -> tuple[float, float]:
        """Of the range that is integrated over."""
        return float(self.breaks[0]), float(self.breaks[-1])

    @property
    def _middles(self) -> Array:
        return 0.5 * (self.breaks[1:] + self.breaks[:-1])

    @property
    def _halves(self) -> Array:
        return 0.5 * np.diff(self.breaks)

    def stencil(self, at: Array) -> Stencil:
        """By the polynomial of the panel that holds each point."""
        panel = np.clip(np.searchsorted(self.breaks, at, "right") - 1, 0, self._halves.size - 1)
        unit, _ = np.polynomial.legendre.leggauss(self.points)
        local = (at - self._middles[panel]) / self._halves[panel]
        weights, slopes = _lagrange(unit, local)
        indices = panel[:, None] * self.points + np.arange(self.points)
        return Stencil(indices, weights, slopes / self._halves[panel, None])

    def tails(self, masses: Array) -> Array:
        """Last coefficients times the length, (panels, ...), of masses (nodes, ...)."""
        rows = masses.reshape(self._halves.size, self.points, -1)
        tails = np.einsum("kj,pjr->pkr", _last_legendre(self.points), rows)
        return np.abs(tails).max(axis=1)

    def refined(self, chosen: NDArray[np.bool_]) -> GaussPanels:
        """With the chosen panels in halves."""
        breaks = np.sort(np.append(self.breaks, self._middles[chosen]))
        return GaussPanels(breaks, self.points, self.cut)


@dataclass(frozen=True, eq=False)
class Equispaced:
    """The trapezoidal rule: nodes in the middle of equal cells.

    Exponentially accurate on a circle, and for what decays towards both ends.
    """

    lower: float
    upper: float
    number: int
    periodic: bool

    @property
    def ends(self) -> tuple[float, float]:
        """Of the range that is integrated over."""
        return self.lower, self.upper

    @property
    def cut(self) -> tuple[bool, bool]:
        """Whether the law goes on beyond either end."""
        return (not self.periodic,) * 2

    @property
    def _width(self) -> float:
        return (self.upper - self.lower) / self.number

    @cached_property
    def nodes(self) -> Array:
        """In increasing order."""
        middles = np.arange(self.number, dtype=np.float64) + 0.5
        return self.lower + self._width * middles

    @cached_property
    def log_weights(self) -> Array:
        """Of the cell width."""
        return np.full(self.number, math.log(self._width))

    def stencil(self, at: Array) -> Stencil:
        """By the waves through all nodes of a circle, or the polynomial through the nearest."""
        if self.periodic and self.number <= MOST_WAVES:
            turn = 2.0 * math.pi / (self.upper - self.lower)
            weights = _waves_through(turn * (at[:, None] - self.nodes))
            slopes = turn * (weights @ _wave_derivative(self.number))
            return Stencil(np.broadcast_to(np.arange(self.number), weights.shape), weights, slopes)
        count = min(NEIGHBOURS, self.number)
        place = (at - self.lower) / self._width - 0.5
        first = np.floor(place).astype(np.intp) - (count // 2 - 1)
        if not self.periodic:
            first = np.clip(first, 0, self.number - count)
        local = np.arange(count, dtype=float)
        weights, slopes = _lagrange(local, place - first)
        indices = np.mod(first[:, None] + np.arange(count), self.number)
        return Stencil(indices, weights, slopes / self._width)

    def tails(self, masses: Array) -> Array:
        """The coefficients of the two shortest waves, (1, ...), of masses (nodes, ...)."""
        rows = masses.reshape(self.number, -1)
        waves = np.abs(np.fft.rfft(rows, axis=0)[-2:])
        return np.asarray(2.0 * waves.max(axis=0, keepdims=True), dtype=float)

    def refined(self, chosen: NDArray[np.bool_]) -> GaussPanels:
        """Panels with about as many nodes, in halves if chosen."""
        pieces = max(2, -(-self.number // PANEL)) * (2 if chosen[0] else 1)
        return GaussPanels(np.linspace(self.lower, self.upper, pieces + 1), PANEL, self.cut)


@dataclass(frozen=True, eq=False)
class Hermite:
    """Gauss-Hermite for a normal law: its weights hold the density of the law."""

    mean: float
    deviation: float
    number: int

    cut: ClassVar[tuple[bool, bool]] = (True, True)

    @cached_property
    def nodes(self) -> Array:
        """In increasing order."""
        return self.mean + self.deviation * _hermite(self.number)[0]

    @cached_property
    def log_weights(self) -> Array:
        """Of the weights over the density of the law."""
        unit, log_weights = _hermite(self.number)
        return log_weights + 0.5 * unit**2 + math.log(self.deviation * math.sqrt(2.0 * math.pi))

    @property
    def ends(self) -> tuple[float, float]:
        """The outermost nodes."""
        return float(self.nodes[0]), float(self.nodes[-1])

    def stencil(self, at: Array) -> Stencil:
        """By the polynomial through all nodes."""
        weights, slopes = _lagrange(_hermite(self.number)[0], (at - self.mean) / self.deviation)
        indices = np.broadcast_to(np.arange(self.number), weights.shape)
        return Stencil(indices, weights, slopes / self.deviation)

    def tails(self, masses: Array) -> Array:
        """Last two coefficients in normalised Hermite polynomials, (1, ...)."""
        rows = masses.reshape(self.number, -1)
        tails: Array = _last_hermite(self.number) @ rows
        return np.abs(tails).max(axis=0, keepdims=True)

    def refined(self, chosen: NDArray[np.bool_]) -> GaussPanels:
        """Panels between its outermost nodes."""
        pieces = max(2, -(-self.number // PANEL)) * (2 if chosen[0] else 1)
        breaks = np.linspace(self.nodes[0], self.nodes[-1], pieces + 1)
        return GaussPanels(breaks, PANEL, self.cut)


@dataclass(frozen=True, eq=False)
class Atom:
    """All mass at one place: there is nothing between nodes."""

    location: float

    cut: ClassVar[tuple[bool, bool]] = (False, False)

    @property
    def nodes(self) -> Array:
        """One."""
        return np.array([self.location])

    @property
    def log_weights(self) -> Array:
        """Of weight one."""
        return np.zeros(1)

    @property
    def ends(self) -> tuple[float, float]:
        """Both at the place."""
        return self.location, self.location

    def stencil(self, at: Array) -> Stencil:
        """The value, with slope 0."""
        shape = (at.size, 1)
        return Stencil(np.zeros(shape, dtype=np.intp), np.ones(shape), np.zeros(shape))

    def tails(self, masses: Array) -> Array:
        """None: an atom is exact."""
        return np.zeros((1, masses.size))

    def refined(self, chosen: NDArray[np.bool_]) -> Atom:
        """Itself."""
        return self


Rule = GaussPanels | Equispaced | Hermite | Atom


def gauss_panels(
    lower: float, upper: float, number: int, cut: tuple[bool, bool] = (False, False)
) -> GaussPanels:
    """One panel of `number` points, or equal panels of `PANEL` with at least so many together."""
    if number <= LONGEST_PANEL:
        return GaussPanels(np.array([lower, upper]), number, cut)
    return GaussPanels(np.linspace(lower, upper, -(-number // PANEL) + 1), PANEL, cut)


def _lagrange(nodes: Array, at: Array) -> tuple[Array, Array]:
    """Values and derivatives of the Lagrange polynomials of nodes, (points, nodes) each."""
    barycentric, derivative = _differentiation(nodes.tobytes())
    distance = at[:, None] - nodes
    exact = distance == 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = barycentric / distance
        weights = terms / terms.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    weights[hit] = exact[hit]
    return weights, weights @ derivative


def _waves_through(angles: Array) -> Array:
    """Trigonometric Lagrange functions of nodes (points, nodes) away by angles."""
    number = angles.shape[1]
    half = 0.5 * angles
    below = np.sin(half) if number % 2 else np.tan(half)
    close = np.abs(np.sin(half)) < 1e-14
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.sin(number * half) / (number * below)
    hit = close.any(axis=1)
    weights[hit] = close[hit]
    return weights


@lru_cache(maxsize=64)
def _wave_derivative(number: int) -> Array:
    """The derivative at nodes on the circle of 2 pi of the waves through them (Fornberg 1996)."""
    steps = np.subtract.outer(np.arange(number), np.arange(number))
    half = math.pi / number * np.where(steps == 0, 1, steps)
    below = np.sin(half) if number % 2 else np.tan(half)
    return np.where(steps == 0, 0.0, 0.5 * (-1.0) ** steps / below)


@lru_cache(maxsize=64)
def _differentiation(key: bytes) -> tuple[Array, Array]:
    """Barycentric weights and the matrix of derivatives at the nodes (Berrut & Trefethen 2004)."""
    nodes = np.frombuffer(key)
    differences = nodes[:, None] - nodes
    np.fill_diagonal(differences, 1.0)
    logs = np.log(np.abs(differences)).sum(axis=1)
    signs = np.prod(np.sign(differences), axis=1)
    barycentric = signs * np.exp(logs.min() - logs)
    matrix = barycentric / barycentric[:, None] / differences
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return barycentric, matrix


@lru_cache(maxsize=64)
def _last_legendre(points: int) -> Array:
    """(2 k + 1) P_k at the Gauss nodes for the last two k, (2, points)."""
    unit, _ = np.polynomial.legendre.leggauss(points)
    orders = np.array([max(points - 2, 0), points - 1])
    values = np.polynomial.legendre.legvander(unit, points - 1)[:, orders]
    return np.ascontiguousarray(((2 * orders + 1) * values).T)


@lru_cache(maxsize=64)
def _hermite(number: int) -> tuple[Array, Array]:
    """Nodes and log weights of the rule for the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(number)
    return nodes, np.log(weights / math.sqrt(2.0 * math.pi))


@lru_cache(maxsize=64)
def _last_hermite(number: int) -> Array:
    """The last two normalised Hermite polynomials at the nodes, (2, number)."""
    nodes, _ = _hermite(number)
    previous, current = np.zeros_like(nodes), np.ones_like(nodes)
    rows = [current]
    for k in range(1, number):
        previous, current = (
            current,
            (nodes * current - math.sqrt(k - 1) * previous) / math.sqrt(k),
        )
        rows.append(current)
    return np.array(rows[-2:])
