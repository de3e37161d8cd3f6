"""Data measures nu on the input x, each as a quadrature: nodes and weights.

The nodes have shape (points,) for one input, (points, inputs) for more. Measures known by a
formula are here, samples in `samples`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from typing import Annotated, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator
from scipy.special import roots_hermitenorm

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.samples import SampleFile, Samples

Array = NDArray[np.float64]


class DataLike(Protocol):
    """What the energy needs to know of the data.

    Attributes
    ----------
    inputs : int
        Number of components of x.
    period : float
        Of the circle that x lives on; infinite on the line.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> int: ...  # noqa: D102
    @property
    def period(self) -> float: ...  # noqa: D102

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights."""
        ...

    def column(self, name: str) -> Array:
        """Numbers that come with the points, (points,).

        Raises
        ------
        InputError
            If there are none of this name.
        """
        ...

    def refined(self) -> DataLike | None:
        """The same measure by about twice the points an input; None for samples."""
        ...


class _OneInput:
    """A measure on one input with as many quadrature points as one likes."""

    kind: str
    points: int
    inputs: ClassVar[int] = 1
    period: float = math.inf

    def column(self, name: str) -> Array:
        """Not there: only samples have columns."""
        raise _no_columns(name, self.kind)

    def refined(self) -> Self:
        """Twice the points, less one."""
        return replace(self, points=2 * self.points - 1)  # type: ignore[type-var]


def _no_columns(name: str, kind: str) -> InputError:
    return InputError(f"column {name!r}: expected data of samples, not of the kind {kind!r}")


@dataclass(frozen=True)
class Line(_OneInput):
    """Lebesgue measure on the line, cut to [lower, upper]: equal weights, ends halved.

    Exponentially accurate for integrands that are analytic and negligible beyond the ends.
    """

    lower: float
    upper: float
    points: int
    kind: Literal["line"] = "line"

    def __post_init__(self) -> None:
        require(self.lower < self.upper, "upper", self.upper, f"more than lower = {self.lower}")
        require(self.points >= 2, "points", self.points, "at least 2")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        x = np.linspace(self.lower, self.upper, self.points)
        w = np.full(self.points, (self.upper - self.lower) / (self.points - 1))
        w[0] = w[-1] = 0.5 * w[0]
        return x, w


@dataclass(frozen=True)
class UniformInterval(_OneInput):
    """x uniform on [lower, upper] (a probability): Gauss-Legendre."""

    lower: float
    upper: float
    points: int
    kind: Literal["uniform_interval"] = "uniform_interval"

    def __post_init__(self) -> None:
        require(self.lower < self.upper, "upper", self.upper, f"more than lower = {self.lower}")
        require(self.points >= 1, "points", self.points, "at least 1")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        nodes, weights = np.polynomial.legendre.leggauss(self.points)
        half = 0.5 * (self.upper - self.lower)
        return 0.5 * (self.lower + self.upper) + half * nodes, 0.5 * weights


@dataclass(frozen=True)
class GaussHermite(_OneInput):
    """x normal, N(mean, deviation^2) (a probability): exact for degrees up to 2 points - 1."""

    mean: float
    deviation: float
    points: int
    kind: Literal["gauss_hermite"] = "gauss_hermite"

    def __post_init__(self) -> None:
        require(self.deviation > 0, "deviation", self.deviation, "a positive number")
        require(self.points >= 1, "points", self.points, "at least 1")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        nodes, weights = roots_hermitenorm(self.points)
        return self.mean + self.deviation * nodes, weights / weights.sum()


@dataclass(frozen=True)
class UniformCircle(_OneInput):
    """x uniform on a circle (a probability): equal weights, exact up to frequency points - 1."""

    points: int
    period: float = 2.0 * math.pi
    kind: Literal["uniform_circle"] = "uniform_circle"

    def __post_init__(self) -> None:
        require(self.points >= 1, "points", self.points, "at least 1")
        require(0 < self.period < math.inf, "period", self.period, "a positive number")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        x = -0.5 * self.period + self.period * np.arange(self.points) / self.points
        return x, np.full(self.points, 1.0 / self.points)


OneInput = Annotated[Line | UniformInterval | GaussHermite | UniformCircle, Discriminator("kind")]


@dataclass(frozen=True)
class ProductData:
    """Independent components of x, one measure each: all combinations of their nodes."""

    factors: tuple[OneInput, ...]
    kind: Literal["product"] = "product"

    def __post_init__(self) -> None:
        kinds = [factor.kind for factor in self.factors]
        require(len(kinds) >= 2, "factors", kinds, "at least two measures, one an input")

    @property
    def inputs(self) -> int:
        """One a factor."""
        return len(self.factors)

    @property
    def period(self) -> float:
        """Of the components; nan, which fits no unit, unless all have the same."""
        periods = {factor.period for factor in self.factors}
        return periods.pop() if len(periods) == 1 else math.nan

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes (points, inputs) and weights (points,), the last input running fastest."""
        nodes, weights = zip(*(factor.quadrature() for factor in self.factors), strict=True)
        x = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
        return x.reshape(-1, self.inputs), reduce(np.multiply.outer, weights).ravel()

    def column(self, name: str) -> Array:
        """Not there: only samples have columns."""
        raise _no_columns(name, self.kind)

    def refined(self) -> ProductData:
        """Every factor refined."""
        return replace(self, factors=tuple(factor.refined() for factor in self.factors))


Data = Annotated[
    Line | UniformInterval | GaussHermite | UniformCircle | ProductData | SampleFile,
    Discriminator("kind"),
]
AnyData = Data | Samples
