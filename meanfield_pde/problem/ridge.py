"""Ridge units a(w x + b): an activation a of a weighted input and a bias."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta, component_names, components

Array = NDArray[np.float64]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": expit,
    "softplus": lambda z: np.logaddexp(0.0, z),
    "relu": lambda z: np.maximum(z, 0.0),
}
SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "tanh": lambda z, a: 1.0 - a * a,
    "sigmoid": lambda z, a: a * (1.0 - a),
    "softplus": lambda z, a: expit(z),
    "relu": lambda z, a: np.where(a > 0.0, 1.0, 0.0),
}
"""Derivatives at z, where the activation is a; ReLU's is 0 in the corner."""


@dataclass(frozen=True)
class Ridge:
    """phi(x, theta) = a(w . x + b).

    Parameters
    ----------
    activation : str
    inputs : int
        Number of components of x and of w.
    bias : bool
        Whether b is learnt; without it b = 0.
    """

    activation: Literal["tanh", "sigmoid", "softplus", "relu"]
    inputs: int = 1
    bias: bool = True
    kind: Literal["ridge"] = "ridge"

    input_period: ClassVar[None] = None

    def __post_init__(self) -> None:
        known = ", ".join(ACTIVATIONS)
        require(self.activation in ACTIVATIONS, "activation", self.activation, f"one of {known}")
        require(self.inputs >= 1, "inputs", self.inputs, "at least 1")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The components of w, and b."""
        return component_names("w", self.inputs) + (("b",) if self.bias else ())

    @property
    def periods(self) -> tuple[float, ...]:
        """None is periodic."""
        return (math.inf,) * len(self.parameters)

    def _argument(self, x: Array, theta: Theta) -> Array:
        columns = components(x)
        result = np.multiply.outer(columns[0], theta[0])
        for column, w in zip(columns[1:], theta[1:], strict=False):
            result += np.multiply.outer(column, w)
        return result + theta[-1] if self.bias else result

    def value(self, x: Array, theta: Theta) -> Array:
        """phi, shape (inputs, nodes)."""
        return ACTIVATIONS[self.activation](self._argument(x, theta))

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d phi / d theta_k at the pairs where phi is `value`."""
        slope = SLOPES[self.activation](self._argument(x, theta), value)
        return slope * components(x)[k][:, None] if k < self.inputs else slope
