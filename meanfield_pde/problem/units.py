"""Units phi(x, theta): what one hidden neuron computes.

A unit offers its value for all pairs of inputs and parameters, and the derivative in each
parameter. Inputs x have shape (inputs,), or (inputs, components); parameters come as one array
(nodes,) each. `Charged` makes c psi(x, y), theta = (y, c), over any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator
from scipy.special import i0e

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta, component_names
from meanfield_pde.problem.formula import parsed
from meanfield_pde.problem.own_units import FormulaUnit, FunctionUnit
from meanfield_pde.problem.ridge import Ridge

Array = NDArray[np.float64]


class UnitLike(Protocol):
    """What the features need of a unit.

    Attributes
    ----------
    parameters : tuple of str
        Their names.
    inputs : int
        Number of components of x.
    input_period : float or None
        Of x: infinite on the line; None where any will do.
    periods : tuple of float, or None
        Of each parameter: infinite if it is not periodic; None where any will do.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def parameters(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def inputs(self) -> int: ...  # noqa: D102
    @property
    def input_period(self) -> float | None: ...  # noqa: D102
    @property
    def periods(self) -> tuple[float, ...] | None: ...  # noqa: D102

    def value(self, x: Array, theta: Theta) -> Array:
        """phi, shape (inputs, nodes)."""
        ...

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d phi / d theta_k at the pairs where phi is `value`."""
        ...


@dataclass(frozen=True)
class Gaussian:
    """psi = exp(-|x - y|^2 / (2 variance)) / (2 pi variance)^(d/2): mass 1 in x, mean y.

    Parameters
    ----------
    variance : float
    dimension : int
        Of x and y.
    """

    variance: float
    dimension: int = 1
    kind: Literal["gaussian"] = "gaussian"

    input_period: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        require(self.variance > 0, "variance", self.variance, "a positive number")
        require(self.dimension >= 1, "dimension", self.dimension, "at least 1")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The components of y."""
        return component_names("y", self.dimension)

    @property
    def inputs(self) -> int:
        """As many as parameters."""
        return self.dimension

    @property
    def periods(self) -> tuple[float, ...]:
        """None is periodic."""
        return (math.inf,) * self.dimension

    def _difference(self, k: int, x: Array, theta: Theta) -> Array:
        component = x if x.ndim == 1 else x[:, k]
        return component[:, None] - theta[k][None, :]

    def value(self, x: Array, theta: Theta) -> Array:
        """psi, shape (inputs, nodes)."""
        result = self._difference(0, x, theta)
        result *= result
        for k in range(1, self.dimension):
            result += self._difference(k, x, theta) ** 2
        result *= -0.5 / self.variance
        np.exp(result, out=result)
        result *= (2.0 * math.pi * self.variance) ** (-0.5 * self.dimension)
        return result

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d psi / d y_k at the pairs where psi is `value`."""
        result = self._difference(k, x, theta)
        result *= value
        result *= 1.0 / self.variance
        return result


class _OnCircle:
    """One parameter theta and one input x, both on a circle of period 2 pi."""

    parameters: ClassVar[tuple[str, ...]] = ("theta",)
    inputs: ClassVar[int] = 1
    input_period: ClassVar[float] = 2.0 * math.pi
    periods: ClassVar[tuple[float, ...]] = (2.0 * math.pi,)


@dataclass(frozen=True)
class Cosine(_OnCircle):
    """psi(x, theta) = sqrt(2 kappa) cos(x - theta), so that K = kappa cos(theta - theta')."""

    kappa: float = 1.0
    kind: Literal["cosine"] = "cosine"

    def __post_init__(self) -> None:
        require(self.kappa > 0, "kappa", self.kappa, "a positive number")

    def value(self, x: Array, theta: Theta) -> Array:
        """psi, shape (inputs, nodes)."""
        return math.sqrt(2.0 * self.kappa) * np.cos(x[:, None] - theta[0][None, :])

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`."""
        return math.sqrt(2.0 * self.kappa) * np.sin(x[:, None] - theta[0][None, :])


@dataclass(frozen=True)
class VonMises(_OnCircle):
    """psi(x, theta) = exp(kappa cos(x - theta)) / I_0(kappa): mean 1 over the circle in x."""

    kappa: float
    kind: Literal["von_mises"] = "von_mises"

    def __post_init__(self) -> None:
        require(self.kappa > 0, "kappa", self.kappa, "a positive number")

    def value(self, x: Array, theta: Theta) -> Array:
        """psi, shape (inputs, nodes)."""
        cosine = np.cos(x[:, None] - theta[0][None, :])
        return np.exp(self.kappa * (cosine - 1.0)) / i0e(self.kappa)

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`."""
        return self.kappa * np.sin(x[:, None] - theta[0][None, :]) * value


@dataclass(frozen=True)
class ReluCircle(_OnCircle):
    """psi = max(0, cos(x - theta)): ReLU of unit vectors. Fourier modes 3, 5, 7, ... are zero."""

    kind: Literal["relu_circle"] = "relu_circle"

    def value(self, x: Array, theta: Theta) -> Array:
        """psi, shape (inputs, nodes)."""
        return np.maximum(np.cos(x[:, None] - theta[0][None, :]), 0.0)

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`; 0 in the corner."""
        return np.where(value > 0.0, np.sin(x[:, None] - theta[0][None, :]), 0.0)


@dataclass(frozen=True)
class Dirichlet:
    """psi = sum over |k| <= order of exp(2 pi i k (x - theta) / period), its own kernel K."""

    order: int
    period: float = 2.0 * math.pi
    kind: Literal["dirichlet"] = "dirichlet"

    parameters: ClassVar[tuple[str, ...]] = ("theta",)
    inputs: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require(self.order >= 1, "order", self.order, "at least 1")
        require(self.period > 0, "period", self.period, "a positive number")

    @property
    def input_period(self) -> float:
        """Of x."""
        return self.period

    @property
    def periods(self) -> tuple[float, ...]:
        """Of theta."""
        return (self.period,)

    def _phase(self, x: Array, theta: Theta) -> Array:
        return (2.0 * math.pi / self.period) * (x[:, None] - theta[0][None, :])

    def value(self, x: Array, theta: Theta) -> Array:
        """psi, shape (inputs, nodes)."""
        phase = self._phase(x, theta)
        return 1.0 + 2.0 * np.sum([np.cos(k * phase) for k in range(1, self.order + 1)], axis=0)

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d psi / d theta at the pairs where psi is `value`."""
        phase = self._phase(x, theta)
        waves = [j * np.sin(j * phase) for j in range(1, self.order + 1)]
        return (4.0 * math.pi / self.period) * np.sum(waves, axis=0)


@dataclass(frozen=True)
class Linear:
    """phi(x, theta) = theta psi(x), psi a formula in x: linear regression with one weight."""

    psi: str
    kind: Literal["linear"] = "linear"

    parameters: ClassVar[tuple[str, ...]] = ("theta",)
    inputs: ClassVar[int] = 1
    input_period: ClassVar[None] = None
    periods: ClassVar[tuple[float, ...]] = (math.inf,)

    def __post_init__(self) -> None:
        parsed(self.psi, ("x",))

    def value(self, x: Array, theta: Theta) -> Array:
        """phi, shape (inputs, nodes)."""
        return np.multiply.outer(parsed(self.psi, ("x",)).value((x,)), theta[0])

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """psi(x) at the pairs where phi is `value`."""
        return np.repeat(parsed(self.psi, ("x",)).value((x,))[:, None], theta[0].size, axis=1)


BaseUnit = Annotated[
    Gaussian
    | Cosine
    | VonMises
    | ReluCircle
    | Dirichlet
    | Ridge
    | Linear
    | FormulaUnit
    | FunctionUnit,
    Discriminator("kind"),
]


@dataclass(frozen=True)
class Charged:
    """phi(x, (y, c)) = c psi(x, y) over a unit psi; y and c are both learnt."""

    base: BaseUnit
    kind: Literal["charged"] = "charged"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The base unit's parameters and the charge."""
        return (*self.base.parameters, "c")

    @property
    def inputs(self) -> int:
        """Number of components of x."""
        return self.base.inputs

    @property
    def input_period(self) -> float | None:
        """Of x."""
        return self.psi.input_period

    @property
    def periods(self) -> tuple[float, ...] | None:
        """The base unit's, and an infinite one for the charge."""
        base = self.psi.periods
        return None if base is None else (*base, math.inf)

    @property
    def psi(self) -> UnitLike:
        """The base unit, its functions loaded."""
        assert not isinstance(self.base, FunctionUnit)
        return self.base

    def located(self, folder: str) -> Charged:
        """With functions of the base unit loaded from a folder."""
        if not isinstance(self.base, FunctionUnit):
            return self
        loaded: Any = self.base.located(folder)
        return replace(self, base=loaded)


Unit = Annotated[BaseUnit | Charged, Discriminator("kind")]
AnyUnit = UnitLike | Charged
