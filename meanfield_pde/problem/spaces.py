"""Parameter spaces: products of intervals with walls and of circles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Discriminator

from meanfield_pde.errors import require, require_numbers


@dataclass(frozen=True)
class Axis:
    """One parameter's range: lower <= theta <= upper, the ends identified if periodic."""

    lower: float
    upper: float
    periodic: bool

    @property
    def length(self) -> float:
        """Of the range."""
        return self.upper - self.lower

    @property
    def period(self) -> float:
        """The length of a circle; infinite on an interval."""
        return self.length if self.periodic else math.inf


@dataclass(frozen=True)
class Interval:
    """The interval [lower, upper], with walls."""

    lower: float
    upper: float
    kind: Literal["interval"] = "interval"

    def __post_init__(self) -> None:
        require_numbers("lower, upper", (self.lower, self.upper))
        require(self.lower < self.upper, "upper", self.upper, f"more than lower = {self.lower}")

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One axis."""
        return (Axis(self.lower, self.upper, False),)


@dataclass(frozen=True)
class Circle:
    """The circle [-period / 2, period / 2)."""

    period: float = 2.0 * math.pi
    kind: Literal["circle"] = "circle"

    def __post_init__(self) -> None:
        require(0 < self.period < math.inf, "period", self.period, "a positive number")

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One axis."""
        return (Axis(-0.5 * self.period, 0.5 * self.period, True),)


@dataclass(frozen=True)
class Box:
    """A box with walls: lower[k] <= theta_k <= upper[k]."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    kind: Literal["box"] = "box"

    def __post_init__(self) -> None:
        require_numbers("lower", self.lower)
        require_numbers("upper", self.upper)
        same = len(self.lower) == len(self.upper) and len(self.lower) > 0
        require(same, "upper", self.upper, f"as many numbers as lower = {self.lower}")
        for low, high in zip(self.lower, self.upper, strict=True):
            require(low < high, "upper", self.upper, f"more than lower = {self.lower}, each")

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One axis a parameter."""
        pairs = zip(self.lower, self.upper, strict=True)
        return tuple(Axis(low, high, False) for low, high in pairs)


Factor = Annotated[Interval | Circle | Box, Discriminator("kind")]


@dataclass(frozen=True)
class Product:
    """A product of spaces: circle x interval is a cylinder, circle x circle a torus."""

    factors: tuple[Factor, ...]
    kind: Literal["product"] = "product"

    def __post_init__(self) -> None:
        require(len(self.factors) > 0, "factors", self.factors, "at least one space")

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One axis a parameter."""
        return tuple(axis for factor in self.factors for axis in factor.axes)


Space = Annotated[Interval | Circle | Box | Product, Discriminator("kind")]
