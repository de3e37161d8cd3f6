"""Laws of one parameter with a formula of their own: exact masses, tails and draws.

Like every law they answer for spaces, of one axis here (`laws.LawLike`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, ndtr, ndtri

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.quadrature import cell_averages
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]
Edges = tuple[Array, ...]

POINTS = 20
"""Gauss points a cell: enough for a law a fifth of a cell wide."""


@dataclass(frozen=True)
class Uniform:
    """Uniform on [lower, upper]; on the whole range of a parameter where they are not given."""

    lower: float | None = None
    upper: float | None = None
    kind: Literal["uniform"] = "uniform"

    parameters: ClassVar[int | None] = 1

    def __post_init__(self) -> None:
        if self.lower is not None and self.upper is not None:
            require(self.lower < self.upper, "upper", self.upper, f"more than {self.lower}")

    def __str__(self) -> str:
        if self.lower is None and self.upper is None:
            return "uniform"
        return f"uniform on [{self.lower}, {self.upper}]"

    def bounds(self, axis: Axis) -> tuple[float, float]:
        """The ends of the range this law fills."""
        lower = axis.lower if self.lower is None else self.lower
        upper = axis.upper if self.upper is None else self.upper
        return lower, upper

    def mass_outside(self, axes: Axes) -> float:
        """The part of the law beyond the ends of the axis."""
        (axis,) = axes
        lower, upper = self.bounds(axis)
        if upper <= lower:
            return 1.0
        inside = min(upper, axis.upper) - max(lower, axis.lower)
        return 1.0 - max(inside, 0.0) / (upper - lower)

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """The ends of its range within the axis."""
        (axis,) = axes
        lower, upper = self.bounds(axis)
        return (np.array([max(lower, axis.lower), min(upper, axis.upper)]),)

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """Up to a constant, at points of its range."""
        return np.zeros(theta[0].shape)

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Averages of the density over the cells between edges: exact."""
        (ends,), (axis,) = edges, axes
        lower, upper = self.bounds(axis)
        overlap = np.minimum(ends[1:], upper) - np.maximum(ends[:-1], lower)
        return np.maximum(overlap, 0.0) / (np.diff(ends) * (upper - lower))

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """Independent draws (number, 1), conditioned to the axis."""
        (axis,) = axes
        lower, upper = self.bounds(axis)
        return generator.uniform(max(lower, axis.lower), min(upper, axis.upper), (number, 1))


@dataclass(frozen=True)
class Normal:
    """The normal law N(mean, deviation^2) of a parameter that is not periodic."""

    mean: float = 0.0
    deviation: float = 1.0
    kind: Literal["normal"] = "normal"

    parameters: ClassVar[int | None] = 1

    def __post_init__(self) -> None:
        require(math.isfinite(self.mean), "mean", self.mean, "a finite number")
        positive = 0 < self.deviation < math.inf
        require(positive, "deviation", self.deviation, "a positive number")

    def __str__(self) -> str:
        return f"normal({self.mean}, {self.deviation}^2)"

    def _standard(self, axis: Axis) -> tuple[float, float]:
        return (axis.lower - self.mean) / self.deviation, (axis.upper - self.mean) / self.deviation

    def mass_outside(self, axes: Axes) -> float:
        """The part of the law beyond the ends of the axis."""
        (axis,) = axes
        if axis.periodic:
            raise InputError(
                f"law {str(self)!r}: expected a parameter on an interval, not on a circle"
            )
        lower, upper = self._standard(axis)
        return float(ndtr(lower) + ndtr(-upper))

    def _density(self, theta: Array) -> Array:
        peak = 1.0 / (self.deviation * math.sqrt(2.0 * math.pi))
        return peak * np.exp(-0.5 * ((theta - self.mean) / self.deviation) ** 2)

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """So many deviations about the mean, within the axis."""
        (axis,) = axes
        reach = deviations * self.deviation
        lower, upper = self.mean - reach, self.mean + reach
        return (np.array([max(lower, axis.lower), min(upper, axis.upper)]),)

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """Up to a constant."""
        return -0.5 * ((theta[0] - self.mean) / self.deviation) ** 2

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Averages of the density, tails included: birth and death amplify them."""
        return cell_averages(self._density, edges, [np.empty(0)], POINTS)

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """Independent draws (number, 1), conditioned to the axis."""
        (axis,) = axes
        lower, upper = self._standard(axis)
        uniform = generator.uniform(ndtr(lower), ndtr(upper), (number, 1))
        return self.mean + self.deviation * ndtri(uniform)


@dataclass(frozen=True)
class CircularNormal:
    """The von Mises law on a circle, of density exp(concentration cos angle) / I_0.

    `angle` is 2 pi (theta - mean) / period; concentration 0 is the uniform law.
    """

    mean: float = 0.0
    concentration: float = 1.0
    kind: Literal["von_mises"] = "von_mises"

    parameters: ClassVar[int | None] = 1

    def __post_init__(self) -> None:
        require(self.concentration >= 0, "concentration", self.concentration, "a number >= 0")

    def __str__(self) -> str:
        return f"von Mises({self.mean}, concentration {self.concentration})"

    def mass_outside(self, axes: Axes) -> float:
        """None: a circle has no outside."""
        (axis,) = axes
        if not axis.periodic:
            raise InputError(
                f"law {str(self)!r}: expected a parameter on a circle, not on an interval"
            )
        return 0.0

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """The whole circle."""
        return (np.array([axes[0].lower, axes[0].upper]),)

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """Up to a constant, 0 at the mean."""
        half_angle = math.pi / axes[0].length * (theta[0] - self.mean)
        return -2.0 * self.concentration * np.sin(half_angle) ** 2

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Averages of the density, tails included."""
        (axis,) = axes
        peak = 1.0 / (axis.length * i0e(self.concentration))

        def density(theta: Array) -> Array:
            return peak * np.exp(self.log_density((theta,), axes))

        return cell_averages(density, edges, [np.empty(0)], POINTS)

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """Independent draws (number, 1)."""
        (axis,) = axes
        angle = generator.vonmises(0.0, self.concentration, (number, 1))
        theta = self.mean + axis.length / (2.0 * math.pi) * angle
        return axis.lower + np.mod(theta - axis.lower, axis.length)


@dataclass(frozen=True)
class Point:
    """All mass at one value of the parameter.

    On a grid it is shared by the two nearest cells so that its mean is exact.
    """

    location: float = 0.0
    kind: Literal["point"] = "point"

    parameters: ClassVar[int | None] = 1

    def __str__(self) -> str:
        return f"all at {self.location}"

    def mass_outside(self, axes: Axes) -> float:
        """0 or 1."""
        (axis,) = axes
        return 0.0 if axis.lower <= self.location <= axis.upper else 1.0

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """The hat function of the grid: second-order, mean kept away from walls."""
        (ends,), (axis,) = edges, axes
        centres = 0.5 * (ends[1:] + ends[:-1])
        widths = np.diff(ends)
        distance = np.abs(centres - self.location)
        if axis.periodic:
            distance = np.minimum(distance, axis.length - distance)
        share = np.maximum(1.0 - distance / widths, 0.0)
        return share / (share.sum() * widths)

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """The location, `number` times (number, 1)."""
        return np.full((number, 1), self.location)
