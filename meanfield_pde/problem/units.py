"""Units phi(x, theta): what one hidden neuron computes.

A one-parameter unit psi(x, y) offers its value and its derivative in y for all pairs of inputs
and parameters; `Charged` makes c psi(x, y), theta = (y, c), over any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator
from scipy.special import i0e

from meanfield_pde.errors import require

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """psi(x, y) = exp(-(x - y)^2 / (2 variance)) / sqrt(2 pi variance): mass 1 in x, mean y."""

    variance: float
    kind: Literal["gaussian"] = "gaussian"

    parameters: ClassVar[tuple[str, ...]] = ("y",)
    on_circle: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.variance > 0, "variance", self.variance, "a positive number")

    def value(self, x: Array, y: Array) -> Array:
        """psi, shape (inputs, parameters)."""
        result = x[:, None] - y[None, :]
        result *= result
        result *= -0.5 / self.variance
        np.exp(result, out=result)
        result *= 1.0 / math.sqrt(2.0 * math.pi * self.variance)
        return result

    def derivative(self, x: Array, y: Array, value: Array) -> Array:
        """d psi / dy at the pairs where psi is `value`."""
        result = x[:, None] - y[None, :]
        result *= value
        result *= 1.0 / self.variance
        return result


@dataclass(frozen=True)
class Cosine:
    """psi(x, theta) = sqrt(2 kappa) cos(x - theta), so that K = kappa cos(theta - theta')."""

    kappa: float = 1.0
    kind: Literal["cosine"] = "cosine"

    parameters: ClassVar[tuple[str, ...]] = ("theta",)
    on_circle: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.kappa > 0, "kappa", self.kappa, "a positive number")

    def value(self, x: Array, theta: Array) -> Array:
        """psi, shape (inputs, parameters)."""
        return math.sqrt(2.0 * self.kappa) * np.cos(x[:, None] - theta[None, :])

    def derivative(self, x: Array, theta: Array, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`."""
        return math.sqrt(2.0 * self.kappa) * np.sin(x[:, None] - theta[None, :])


@dataclass(frozen=True)
class VonMises:
    """psi(x, theta) = exp(kappa cos(x - theta)) / I_0(kappa): mean 1 over the circle in x."""

    kappa: float
    kind: Literal["von_mises"] = "von_mises"

    parameters: ClassVar[tuple[str, ...]] = ("theta",)
    on_circle: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.kappa > 0, "kappa", self.kappa, "a positive number")

    def value(self, x: Array, theta: Array) -> Array:
        """psi, shape (inputs, parameters)."""
        cosine = np.cos(x[:, None] - theta[None, :])
        return np.exp(self.kappa * (cosine - 1.0)) / i0e(self.kappa)

    def derivative(self, x: Array, theta: Array, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`."""
        return self.kappa * np.sin(x[:, None] - theta[None, :]) * value


OneParameterUnit = Annotated[Gaussian | Cosine | VonMises, Discriminator("kind")]


@dataclass(frozen=True)
class Charged:
    """phi(x, (y, c)) = c psi(x, y) over a one-parameter unit psi; y and c are both learnt."""

    base: OneParameterUnit
    kind: Literal["charged"] = "charged"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The base unit's parameter and the charge."""
        return (*self.base.parameters, "c")

    @property
    def on_circle(self) -> bool:
        """Whether inputs, and the base unit's parameter, live on the circle."""
        return self.base.on_circle


Unit = Annotated[Gaussian | Cosine | VonMises | Charged, Discriminator("kind")]
