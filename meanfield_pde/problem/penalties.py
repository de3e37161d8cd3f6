"""Penalties int R dmu, linear in mu: they add R(theta) to the potential V."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.formula import parsed
from meanfield_pde.problem.own import Own, load_function

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WeightDecay:
    """R = 1/2 sum_k strength_k theta_k^2; one strength for all parameters, or one for each."""

    strength: float | tuple[float, ...]
    kind: Literal["weight_decay"] = "weight_decay"

    def __post_init__(self) -> None:
        positive = bool(np.all(np.asarray(self.strength) >= 0)) and np.size(self.strength) > 0
        require(positive, "strength", self.strength, "a number >= 0, or one a parameter")

    def _strengths(self, count: int) -> Array:
        return np.broadcast_to(np.asarray(self.strength, dtype=float), (count,))

    def check(self, parameters: tuple[str, ...]) -> None:
        """Raise `InputError` unless there is a strength for each parameter."""
        count = len(parameters)
        fits = np.ndim(self.strength) == 0 or np.size(self.strength) == count
        require(fits, "penalty strength", self.strength, f"one number, or {count}")

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        """R at coordinate arrays, one a parameter."""
        pairs = zip(self._strengths(len(theta)), theta, strict=True)
        return np.sum([0.5 * s * t * t for s, t in pairs], axis=0)

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        """dR / d theta_k, one array a parameter."""
        return tuple(s * t for s, t in zip(self._strengths(len(theta)), theta, strict=True))

    def __str__(self) -> str:
        return f"weight decay {self.strength}"


@dataclass(frozen=True)
class ConstantPenalty:
    """R = price, one on mass: the l1 norm of the weights of a signed measure."""

    price: float
    kind: Literal["constant"] = "constant"

    def check(self, parameters: tuple[str, ...]) -> None:
        """Any parameters."""

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        """R at coordinate arrays, one a parameter."""
        return np.full(theta[0].shape, self.price)

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        """Zero."""
        return tuple(np.zeros(t.shape) for t in theta)

    def __str__(self) -> str:
        return f"constant {self.price:g}"


@dataclass(frozen=True)
class FormulaPenalty:
    """R as a formula in the parameters' names, differentiated forward."""

    expression: str
    kind: Literal["formula"] = "formula"

    def check(self, parameters: tuple[str, ...]) -> None:
        """Raise `InputError` unless the formula is one in these parameters."""
        parsed(self.expression, parameters)

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        """R at coordinate arrays, one a parameter."""
        return parsed(self.expression, parameters).value(theta)

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        """dR / d theta_k, one array a parameter."""
        return parsed(self.expression, parameters).derivatives(theta, parameters)

    def __str__(self) -> str:
        return self.expression


@dataclass(frozen=True)
class OwnPenalty:
    """R as a function of coordinate arrays, one a parameter.

    Parameters
    ----------
    function : callable
        theta_1, theta_2, ... to R.
    derivatives : callable, optional
        The same to a tuple of derivatives; without it, `function` is differentiated forward.
    """

    function: Callable[..., Array]
    derivatives: Callable[..., object] | None = None

    kind: ClassVar[str] = "own"

    def __post_init__(self) -> None:
        _ = self.own

    @property
    def own(self) -> Own:
        """The function with its gradient."""
        return Own("penalty", self.function, self.derivatives)

    def check(self, parameters: tuple[str, ...]) -> None:
        """Any parameters."""

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        """R at coordinate arrays, one a parameter."""
        return self.own.value(theta, theta[0].shape)

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        """dR / d theta_k, one array a parameter."""
        return tuple(self.own.derivative(theta, k, k, theta[0].shape) for k in range(len(theta)))

    def __str__(self) -> str:
        return "R(theta)"


@dataclass(frozen=True)
class FunctionPenalty:
    """R as a function "module:name" of coordinate arrays, of a module beside the case file."""

    function: str
    gradient: str | None = None
    kind: Literal["function"] = "function"

    def located(self, folder: str) -> OwnPenalty:
        """With the functions loaded from a folder."""
        gradient = load_function(self.gradient, folder) if self.gradient else None
        return OwnPenalty(load_function(self.function, folder), gradient)


Penalty = Annotated[
    WeightDecay | ConstantPenalty | FormulaPenalty | FunctionPenalty, Discriminator("kind")
]
AnyPenalty = WeightDecay | ConstantPenalty | FormulaPenalty | OwnPenalty
