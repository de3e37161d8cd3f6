"""Initial laws mu_0, and laws mu_b from which neurons are born: products of one-parameter laws.

On a space with walls a law is conditioned to the space; what it loses there is reported by
`mass_outside`, and a law of which more than one per cent is lost is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator
from scipy.special import ndtr, ndtri

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]

LOST_MASS = 0.01
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


@dataclass(frozen=True)
class Uniform:
    """Uniform on [lower, upper]; on the whole range of a parameter where they are not given."""

    lower: float | None = None
    upper: float | None = None
    kind: Literal["uniform"] = "uniform"

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

    def mass_outside(self, axis: Axis) -> float:
        """The part of the law beyond the ends of the axis."""
        lower, upper = self.bounds(axis)
        if upper <= lower:
            return 1.0
        inside = min(upper, axis.upper) - max(lower, axis.lower)
        return 1.0 - max(inside, 0.0) / (upper - lower)

    def cell_averages(self, edges: Array, axis: Axis) -> Array:
        """Averages of the density over the cells between edges: exact."""
        lower, upper = self.bounds(axis)
        overlap = np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower)
        return np.maximum(overlap, 0.0) / (np.diff(edges) * (upper - lower))

    def sample(self, generator: np.random.Generator, number: int, axis: Axis) -> Array:
        """Independent draws, conditioned to the axis."""
        lower, upper = self.bounds(axis)
        return generator.uniform(max(lower, axis.lower), min(upper, axis.upper), number)


@dataclass(frozen=True)
class Normal:
    """The normal law N(mean, deviation^2) of a parameter that is not periodic."""

    mean: float = 0.0
    deviation: float = 1.0
    kind: Literal["normal"] = "normal"

    def __post_init__(self) -> None:
        require(self.deviation > 0, "deviation", self.deviation, "a positive number")

    def __str__(self) -> str:
        return f"normal({self.mean}, {self.deviation}^2)"

    def _standard(self, axis: Axis) -> tuple[float, float]:
        return (axis.lower - self.mean) / self.deviation, (axis.upper - self.mean) / self.deviation

    def mass_outside(self, axis: Axis) -> float:
        """The part of the law beyond the ends of the axis."""
        if axis.periodic:
            raise InputError(
                f"law {str(self)!r}: expected a parameter on an interval, not on a circle"
            )
        lower, upper = self._standard(axis)
        return float(ndtr(lower) + ndtr(-upper))

    def cell_averages(self, edges: Array, axis: Axis) -> Array:
        """Averages of the density, by 20 Gauss points a cell.

        Differences of the distribution function would round the tails to zero; their values,
        however small, are what birth and death amplify.
        """
        centres = 0.5 * (edges[1:] + edges[:-1])
        points = centres[:, None] + 0.5 * np.diff(edges)[:, None] * _NODES
        density = np.exp(-0.5 * ((points - self.mean) / self.deviation) ** 2)
        return density @ (0.5 * _WEIGHTS) / (self.deviation * math.sqrt(2.0 * math.pi))

    def sample(self, generator: np.random.Generator, number: int, axis: Axis) -> Array:
        """Independent draws, conditioned to the axis."""
        lower, upper = self._standard(axis)
        uniform = generator.uniform(ndtr(lower), ndtr(upper), number)
        return self.mean + self.deviation * ndtri(uniform)


@dataclass(frozen=True)
class Point:
    """All mass at one value of the parameter.

    On a grid it is shared by the two nearest cells so that its mean is exact.
    """

    location: float = 0.0
    kind: Literal["point"] = "point"

    def __str__(self) -> str:
        return f"all at {self.location}"

    def mass_outside(self, axis: Axis) -> float:
        """0 or 1."""
        return 0.0 if axis.lower <= self.location <= axis.upper else 1.0

    def cell_averages(self, edges: Array, axis: Axis) -> Array:
        """The hat function of the grid: second-order, mean kept away from walls."""
        centres = 0.5 * (edges[1:] + edges[:-1])
        widths = np.diff(edges)
        distance = np.abs(centres - self.location)
        if axis.periodic:
            distance = np.minimum(distance, axis.length - distance)
        share = np.maximum(1.0 - distance / widths, 0.0)
        return share / (share.sum() * widths)

    def sample(self, generator: np.random.Generator, number: int, axis: Axis) -> Array:
        """The location, `number` times."""
        return np.full(number, self.location)


OneParameterLaw = Annotated[Uniform | Normal | Point, Discriminator("kind")]


@dataclass(frozen=True)
class ProductLaw:
    """Independent parameters, one law each, in the order of the parameters."""

    factors: tuple[OneParameterLaw, ...]
    kind: Literal["product"] = "product"

    def __str__(self) -> str:
        return " x ".join(str(factor) for factor in self.factors)


Law = Annotated[Uniform | Normal | Point | ProductLaw, Discriminator("kind")]


def law_factors(law: Law, axes: tuple[Axis, ...]) -> tuple[OneParameterLaw, ...]:
    """The law of each parameter.

    Raises
    ------
    InputError
        If the law has another number of parameters than the space, or lies outside it.
    """
    if isinstance(law, ProductLaw):
        factors = law.factors
    elif len(axes) > 1 and law == Uniform():
        factors = (Uniform(),) * len(axes)
    else:
        factors = (law,)
    require(
        len(factors) == len(axes),
        "law",
        [factor.kind for factor in factors],
        f"{len(axes)} one-parameter laws, one a parameter of the space",
    )
    for factor, axis in zip(factors, axes, strict=True):
        outside = factor.mass_outside(axis)
        if outside > LOST_MASS:
            raise InputError(
                f"law {str(factor)!r}: expected it inside [{axis.lower:g}, {axis.upper:g}], but "
                f"{100 * outside:.3g} % of its mass lies outside"
            )
    return factors


def mass_outside(law: Law, axes: tuple[Axis, ...]) -> float:
    """The part of the law outside the space (a bound for products: the sum over parameters)."""
    factors = law_factors(law, axes)
    return sum(factor.mass_outside(axis) for factor, axis in zip(factors, axes, strict=True))
