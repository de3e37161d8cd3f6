"""Losses l(f, y) of a prediction f where the target is y, convex in f.

The energy is E[mu] = int l(f[mu](x), f*(x)) nu(dx) and V = int l'(f[mu], f*) phi dnu, l' the
derivative in f. The curvature l'' bounds how fast the prediction feeds back on itself. A loss that
is `relative` needs f exact relative to its own size, and takes changes of it so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator
from scipy.special import expit

from meanfield_pde.errors import require
from meanfield_pde.problem.formula import parsed
from meanfield_pde.problem.own import Own, load_function

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Squared:
    """l = (f - y)^2 / 2."""

    kind: Literal["squared"] = "squared"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point."""
        return 0.5 * (f - y) ** 2

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        return f - y

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2."""
        return np.ones_like(f)

    def __str__(self) -> str:
        return "1/2 |f[mu] - f*|^2"


@dataclass(frozen=True)
class Logistic:
    """l = log(1 + exp(-y f)) for labels y = -1 and 1: minus the log of a probability of y."""

    kind: Literal["logistic"] = "logistic"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point."""
        return np.logaddexp(0.0, -y * f)

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        return -y * expit(-y * f)

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2."""
        return y * y * expit(f * y) * expit(-f * y)

    def __str__(self) -> str:
        return "log(1 + exp(-f* f[mu]))"


@dataclass(frozen=True)
class Huber:
    """l = (f - y)^2 / 2 up to |f - y| = width, linear beyond (Huber 1964)."""

    width: float = 1.0
    kind: Literal["huber"] = "huber"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.width > 0, "width", self.width, "a positive number")

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point."""
        inner = self.derivative(f, y)
        return inner * (f - y) - 0.5 * inner**2

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        return np.clip(f - y, -self.width, self.width)

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2; 1 in the corner too."""
        return np.where(np.abs(f - y) <= self.width, 1.0, 0.0)

    def __str__(self) -> str:
        return f"huber(f[mu] - f*), linear beyond {self.width:g}"


@dataclass(frozen=True)
class NegativeLogLikelihood:
    """l = - log f: mu is the mixing law of a mixture, phi(., theta) its components; no target.

    mu of mass one is a maximum-likelihood estimate if and only if int phi(x, theta) / f(x) nu(dx)
    is at most 1 for all theta (Lindsay 1983).
    """

    kind: Literal["negative_log_likelihood"] = "negative_log_likelihood"
    needs_target: ClassVar[bool] = False
    relative: ClassVar[bool] = True

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point; infinite where f is not positive."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(f > 0, -np.log(f), np.inf)

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        with np.errstate(divide="ignore"):
            return -1.0 / f

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2."""
        with np.errstate(divide="ignore"):
            return 1.0 / f**2

    def __str__(self) -> str:
        return "- log f[mu]"


DIFFERENCE = 1e-5
"""Step in f of the differences of l' by which the curvature of a loss without one is formed."""


def _difference(derivative: Callable[[Array, Array], Array], f: Array, y: Array) -> Array:
    step = DIFFERENCE * np.maximum(np.abs(f), 1.0)
    return (derivative(f + step, y) - derivative(f - step, y)) / (2.0 * step)


@dataclass(frozen=True)
class FormulaLoss:
    """l as a formula in f and y, differentiated forward."""

    expression: str
    kind: Literal["formula"] = "formula"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        parsed(self.expression, ("f", "y"))

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point."""
        return parsed(self.expression, ("f", "y")).value((f, y))

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        return parsed(self.expression, ("f", "y")).derivatives((f, y), ("f",))[0]

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2, by differences."""
        return _difference(self.derivative, f, y)

    def __str__(self) -> str:
        return f"l, l(f, y) = {self.expression}, y = f*"


@dataclass(frozen=True)
class OwnLoss:
    """l as a function of arrays f and y.

    Parameters
    ----------
    function : callable
        (f, y) to l, arrays of one entry a data point.
    gradient : callable, optional
        (f, y) to dl / df; without one, `function` is differentiated forward.
    """

    function: Callable[..., Array]
    gradient: Callable[..., Array] | None = None

    kind: ClassVar[str] = "own"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _ = self.own

    @property
    def own(self) -> Own:
        """The function with its gradient."""
        return Own("loss", self.function, self.gradient)

    def value(self, f: Array, y: Array) -> Array:
        """l, one entry a data point."""
        return self.own.value((f, y), f.shape)

    def derivative(self, f: Array, y: Array) -> Array:
        """dl / df."""
        return self.own.derivative((f, y), 0, 0, f.shape)

    def curvature(self, f: Array, y: Array) -> Array:
        """d^2 l / df^2, by differences."""
        return _difference(self.derivative, f, y)

    def __str__(self) -> str:
        return "l(f[mu], f*)"


@dataclass(frozen=True)
class FunctionLoss:
    """l as a function "module:name" of arrays f and y, of a module beside the case file."""

    function: str
    gradient: str | None = None
    kind: Literal["function"] = "function"
    needs_target: ClassVar[bool] = True
    relative: ClassVar[bool] = False

    def located(self, folder: str) -> OwnLoss:
        """With the functions loaded from a folder."""
        gradient = load_function(self.gradient, folder) if self.gradient else None
        return OwnLoss(load_function(self.function, folder), gradient)


Loss = Annotated[
    Squared | Logistic | Huber | NegativeLogLikelihood | FormulaLoss | FunctionLoss,
    Discriminator("kind"),
]
AnyLoss = Squared | Logistic | Huber | NegativeLogLikelihood | FormulaLoss | OwnLoss
