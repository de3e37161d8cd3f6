"""Data measures nu on the input x, each as a quadrature: nodes and weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import require

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """Lebesgue measure on the line, cut to [lower, upper]: equal weights, ends halved.

    Exponentially accurate for integrands that are analytic and negligible beyond the ends.
    """

    lower: float
    upper: float
    points: int
    kind: Literal["line"] = "line"

    on_circle: ClassVar[bool] = False

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
class UniformInterval:
    """x uniform on [lower, upper] (a probability): Gauss-Legendre."""

    lower: float
    upper: float
    points: int
    kind: Literal["uniform_interval"] = "uniform_interval"

    on_circle: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.lower < self.upper, "upper", self.upper, f"more than lower = {self.lower}")
        require(self.points >= 1, "points", self.points, "at least 1")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        nodes, weights = np.polynomial.legendre.leggauss(self.points)
        half = 0.5 * (self.upper - self.lower)
        return 0.5 * (self.lower + self.upper) + half * nodes, 0.5 * weights


@dataclass(frozen=True)
class UniformCircle:
    """x uniform on the circle (a probability): equal weights, exact up to frequency points - 1."""

    points: int
    kind: Literal["uniform_circle"] = "uniform_circle"

    on_circle: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.points >= 1, "points", self.points, "at least 1")

    def quadrature(self) -> tuple[Array, Array]:
        """Nodes and weights, each (points,)."""
        x = -math.pi + 2.0 * math.pi * np.arange(self.points) / self.points
        return x, np.full(self.points, 1.0 / self.points)


Data = Annotated[Line | UniformInterval | UniformCircle, Discriminator("kind")]
