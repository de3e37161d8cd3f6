"""Units of a user's own: formulas, and Python functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta, all_pairs, component_names
from meanfield_pde.problem.formula import parsed
from meanfield_pde.problem.own import Own, load_function

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FormulaUnit:
    """phi as a formula in x (x_1, x_2, ... if `inputs` > 1) and the parameters.

    Differentiated forward. Whether it has the periods of its space is checked numerically.
    """

    expression: str
    parameters: tuple[str, ...] = ("theta",)
    inputs: int = 1
    kind: Literal["formula"] = "formula"

    input_period: ClassVar[None] = None
    periods: ClassVar[None] = None

    def __post_init__(self) -> None:
        require(self.inputs >= 1, "inputs", self.inputs, "at least 1")
        require(len(self.parameters) >= 1, "parameters", self.parameters, "at least one name")
        parsed(self.expression, self._variables)

    @property
    def _variables(self) -> tuple[str, ...]:
        return (*component_names("x", self.inputs), *self.parameters)

    def value(self, x: Array, theta: Theta) -> Array:
        """phi, shape (inputs, nodes)."""
        return parsed(self.expression, self._variables).value(all_pairs(x, theta))

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d phi / d theta_k."""
        formula = parsed(self.expression, self._variables)
        return formula.derivatives(all_pairs(x, theta), (self.parameters[k],))[0]


@dataclass(frozen=True)
class OwnUnit:
    """phi as a function of broadcastable arrays: x (one a component), then the parameters.

    Parameters
    ----------
    function : callable
        (x, theta_1, ...) with x of shape (inputs, 1) and theta of (1, nodes), to (inputs, nodes).
    parameters : tuple of str
    gradient : callable, optional
        The same arguments to a tuple of derivatives, one a parameter; without it, `function` is
        differentiated forward, which needs NumPy operations.
    inputs : int
        Number of components of x.
    """

    function: Callable[..., Any]
    parameters: tuple[str, ...] = ("theta",)
    gradient: Callable[..., Any] | None = None
    inputs: int = 1

    kind: ClassVar[str] = "own"
    input_period: ClassVar[None] = None
    periods: ClassVar[None] = None

    def __post_init__(self) -> None:
        _ = self.own

    @property
    def own(self) -> Own:
        """The function with its gradient."""
        return Own("unit", self.function, self.gradient)

    def value(self, x: Array, theta: Theta) -> Array:
        """phi, shape (inputs, nodes)."""
        return self.own.value(all_pairs(x, theta), (x.shape[0], theta[0].size))

    def derivative(self, k: int, x: Array, theta: Theta, value: Array) -> Array:
        """d phi / d theta_k."""
        return self.own.derivative(all_pairs(x, theta), self.inputs + k, k, value.shape)


@dataclass(frozen=True)
class FunctionUnit:
    """phi as a function "module:name", of a module beside the case file; see `OwnUnit`."""

    function: str
    parameters: tuple[str, ...] = ("theta",)
    gradient: str | None = None
    inputs: int = 1
    kind: Literal["function"] = "function"

    def located(self, folder: str) -> OwnUnit:
        """With the functions loaded from a folder."""
        gradient = load_function(self.gradient, folder) if self.gradient else None
        function = load_function(self.function, folder)
        return OwnUnit(function, self.parameters, gradient, self.inputs)
