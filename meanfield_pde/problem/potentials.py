"""Fixed potentials V(theta): the equation without interaction (K = 0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import component_names
from meanfield_pde.problem.formula import parsed

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Quadratic:
    """V = offset + 1/2 theta . matrix theta, a symmetric matrix of one row a parameter."""

    matrix: tuple[tuple[float, ...], ...]
    offset: float = 0.0
    kind: Literal["quadratic"] = "quadratic"

    def __post_init__(self) -> None:
        size = len(self.matrix)
        square = size > 0 and all(len(row) == size for row in self.matrix)
        require(
            square and np.array_equal(self.matrix, np.transpose(self.matrix)),
            "matrix",
            self.matrix,
            "a symmetric matrix",
        )

    @property
    def dimension(self) -> int | None:
        """Number of parameters."""
        return len(self.matrix)

    def value(self, theta: tuple[Array, ...]) -> Array:
        """V at coordinate arrays, one a parameter."""
        slopes = self.gradient(theta)
        products = [0.5 * t * s for t, s in zip(theta, slopes, strict=True)]
        return self.offset + np.sum(products, axis=0)

    def gradient(self, theta: tuple[Array, ...]) -> tuple[Array, ...]:
        """dV / d theta_k, one array a parameter."""
        return tuple(
            np.sum([a * t for a, t in zip(row, theta, strict=True)], axis=0) for row in self.matrix
        )


@dataclass(frozen=True)
class CosineWell:
    """V = -depth * (sum over parameters of cos theta_k), for circles and tori."""

    depth: float = 1.0
    kind: Literal["cosine_well"] = "cosine_well"

    @property
    def dimension(self) -> int | None:
        """Any number of parameters."""
        return None

    def value(self, theta: tuple[Array, ...]) -> Array:
        """V at coordinate arrays, one a parameter."""
        return -self.depth * np.sum([np.cos(t) for t in theta], axis=0)

    def gradient(self, theta: tuple[Array, ...]) -> tuple[Array, ...]:
        """dV / d theta_k, one array a parameter."""
        return tuple(self.depth * np.sin(t) for t in theta)


@dataclass(frozen=True)
class DoubleWell:
    """V = barrier * (theta^2 - 1)^2 + tilt * theta: wells near -1 and 1, one parameter."""

    barrier: float = 1.0
    tilt: float = 0.0
    kind: Literal["double_well"] = "double_well"

    def __post_init__(self) -> None:
        require(self.barrier > 0, "barrier", self.barrier, "a positive number")

    @property
    def dimension(self) -> int | None:
        """Number of parameters."""
        return 1

    def value(self, theta: tuple[Array, ...]) -> Array:
        """V at coordinate arrays, one a parameter."""
        (t,) = theta
        return self.barrier * (t * t - 1.0) ** 2 + self.tilt * t

    def gradient(self, theta: tuple[Array, ...]) -> tuple[Array, ...]:
        """dV / d theta, one array."""
        (t,) = theta
        return (4.0 * self.barrier * t * (t * t - 1.0) + self.tilt,)


@dataclass(frozen=True)
class FormulaPotential:
    """V as a formula in theta, or in theta_1, theta_2, ..., differentiated forward."""

    expression: str
    parameters: int = 1
    kind: Literal["formula"] = "formula"

    def __post_init__(self) -> None:
        require(self.parameters >= 1, "parameters", self.parameters, "at least 1")
        parsed(self.expression, self._names)

    @property
    def _names(self) -> tuple[str, ...]:
        return component_names("theta", self.parameters)

    @property
    def dimension(self) -> int | None:
        """Number of parameters."""
        return self.parameters

    def value(self, theta: tuple[Array, ...]) -> Array:
        """V at coordinate arrays, one a parameter."""
        return parsed(self.expression, self._names).value(theta)

    def gradient(self, theta: tuple[Array, ...]) -> tuple[Array, ...]:
        """dV / d theta_k, one array a parameter."""
        return parsed(self.expression, self._names).derivatives(theta, self._names)


Potential = Annotated[Quadratic | CosineWell | DoubleWell | FormulaPotential, Discriminator("kind")]
